package pgdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"pukar/migrations"
)

const sqlApplied = `
SELECT version_id
FROM goose_db_version
WHERE is_applied AND version_id > 0
ORDER BY version_id`

// undefinedTable is PostgreSQL's answer for a table that is not there.
const undefinedTable = "42P01"

// Schema compares the database with the migrations of this program: missing are the names of those that were not applied yet,
// newer are the numbers of those that this program does not know. It changes nothing.
func Schema(ctx context.Context, db DB) (missing []string, newer []int64, err error) {
	applied := make(map[int64]bool)
	rows, err := db.Query(ctx, sqlApplied)
	if err == nil {
		var version int64
		for rows.Next() {
			if err := rows.Scan(&version); err != nil {
				rows.Close()
				return nil, nil, fmt.Errorf("read the schema's version: %w", err)
			}
			applied[version] = true
		}
		err = rows.Err()
	}
	var refused *pgconn.PgError
	if err != nil && (!errors.As(err, &refused) || refused.Code != undefinedTable) {
		return nil, nil, fmt.Errorf("read the schema's version: %w", err)
	}
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return nil, nil, fmt.Errorf("list migrations: %w", err)
	}
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("list migrations: %s: %w", name, err)
		}
		if !applied[version] {
			missing = append(missing, strings.TrimSuffix(name, ".sql"))
		}
		delete(applied, version)
	}
	for version := range applied {
		newer = append(newer, version)
	}
	slices.Sort(newer)
	return missing, newer, nil
}

// PoolSize is how many connections Open takes at most for the url.
func PoolSize(url string) int {
	if _, given, ok := strings.Cut(url, "pool_max_conns="); ok {
		digits := strings.IndexFunc(given+"&", func(r rune) bool { return r < '0' || r > '9' })
		if n, err := strconv.Atoi(given[:digits]); err == nil && n > 0 {
			return n
		}
	}
	return defaultMaxConns
}
