package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/pgdb"
)

// openDatabase connects to the configured PostgreSQL, or to the private one if it runs.
func (i *installation) openDatabase(ctx context.Context) (*pgxpool.Pool, error) {
	url := i.config.DatabaseURL.Reveal()
	if url == "" {
		if url = i.postgres.URL; url == "" {
			return nil, errNotRunning
		}
	}
	return pgdb.Open(ctx, url)
}

const oldestPostgres = 14

// cluster is what is known of the database and its server.
type cluster struct {
	Version                              int // 150004
	Encoding, Collation, Fsync, Commit   string
	PageWrites, Checksums, WAL           string
	Standby                              bool
	Connections, Reserved, OthersConnect int
	MayCreate, OwnsAll, ReadsControl     bool
	Missing                              []string
	Newer                                []int64
	pool                                 int
	roundTrip                            time.Duration
}

const (
	sqlCluster = `
SELECT current_setting('server_version_num')::int, pg_encoding_to_char(encoding), datcollate,
       current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
       current_setting('data_checksums'), current_setting('wal_level'), pg_is_in_recovery(),
       current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'pukar')
FROM pg_database
WHERE datname = current_database()`

	// Partitions are made and attached while the program runs, which only an owner may. The position of the log is what a
	// restored backup is noticed by.
	sqlRights = `
SELECT has_schema_privilege(current_schema(), 'CREATE'),
       coalesce((SELECT bool_and(pg_has_role(relowner, 'USAGE'))
                 FROM pg_class
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')), true),
       has_function_privilege('pg_control_system()', 'EXECUTE')`
)

func examineDatabase(ctx context.Context, i *installation) []Check {
	if i.database == nil {
		return []Check{judgeNoDatabase(i.databaseErr, i.health != nil && i.healthErr == nil)}
	}
	c := cluster{pool: pgdb.PoolSize(i.config.DatabaseURL.Reveal())}
	began := time.Now()
	err := i.database.QueryRow(ctx, sqlCluster).Scan(&c.Version, &c.Encoding, &c.Collation, &c.Fsync, &c.Commit, &c.PageWrites,
		&c.Checksums, &c.WAL, &c.Standby, &c.Connections, &c.Reserved, &c.OthersConnect)
	c.roundTrip = time.Since(began)
	if err == nil {
		err = i.database.QueryRow(ctx, sqlRights).Scan(&c.MayCreate, &c.OwnsAll, &c.ReadsControl)
	}
	if err == nil {
		c.Missing, c.Newer, err = pgdb.Schema(ctx, i.database)
	}
	if err != nil {
		return []Check{problem("answers", "look into PostgreSQL's log", "%v", err)}
	}
	return judgeCluster(c, i.privatePostgres())
}

func judgeNoDatabase(err error, serverRuns bool) Check {
	switch {
	case errors.Is(err, errNotRunning) && serverRuns:
		return problem("answers", "look into the server's log; it starts its PostgreSQL again by itself", "the private PostgreSQL does not run although the server does")
	case errors.Is(err, errNotRunning):
		return warning("answers", "start `pukar serve`, which starts it", "the private PostgreSQL does not run, as long as no server does")
	case pgdb.Unavailable(err) || errors.Is(err, context.DeadlineExceeded):
		return problem("answers", "start it, or correct database_url and the network on the way", "PostgreSQL does not answer: %v", err)
	}
	return problem("answers", "correct database_url: the account, its password and the name of the database", "%v", err)
}

func judgeCluster(c cluster, private bool) []Check {
	checks := []Check{ok("answers", "PostgreSQL %d, in %s", c.Version/10000, c.roundTrip.Round(100*time.Microsecond))}
	if c.Version/10000 < oldestPostgres {
		checks[0] = problem("answers", fmt.Sprintf("upgrade it to %d or later", oldestPostgres), "PostgreSQL %d is too old", c.Version/10000)
	}
	checks = append(checks, judgeStandby(c.Standby), judgeSchema(c.Missing, c.Newer))
	if c.Encoding != "UTF8" {
		checks = append(checks, problem("encoding", "create the database anew with ENCODING 'UTF8' TEMPLATE template0 and restore into it", "its encoding is %s: texts in Indian languages cannot be kept", c.Encoding))
	} else {
		checks = append(checks, judgeLocale(c.Collation))
	}
	checks = append(checks, judgeDurability(c, private)...)
	if c.WAL == "minimal" {
		checks = append(checks, warning("wal_level", "set wal_level = replica", "it is minimal: neither a running backup nor a standby is possible"))
	} else {
		checks = append(checks, ok("wal_level", "%s", c.WAL))
	}
	return append(checks, judgeConnections(c), judgeRights(c))
}

func judgeStandby(standby bool) Check {
	if standby {
		return problem("primary", "point database_url at the primary, or promote this one", "the server is a standby, or still in recovery: nothing can be written")
	}
	return ok("primary", "it can be written to")
}

func judgeSchema(missing []string, newer []int64) Check {
	switch {
	case len(newer) > 0:
		return problem("migrations", "run the newer pukar that migrated it, or a later one", "the schema has migrations that this program does not know: %s", strings.Trim(fmt.Sprint(newer), "[]"))
	case len(missing) > 0:
		return problem("migrations", "run `pukar migrate`, or start the server, which does so itself", "missing are %s", strings.Join(missing, ", "))
	}
	return ok("migrations", "all are there")
}

func judgeLocale(collation string) Check {
	upper := strings.ToUpper(strings.ReplaceAll(collation, "-", ""))
	if upper == "C" || upper == "POSIX" || strings.HasSuffix(upper, "UTF8") {
		return ok("encoding", "UTF8, locale %s", collation)
	}
	return warning("encoding", "create the database anew with LOCALE 'C.UTF-8' TEMPLATE template0 and restore into it", "UTF8, but the locale %s is made for another encoding", collation)
}

// judgeDurability looks at what a commit's promise hangs on.
func judgeDurability(c cluster, private bool) []Check {
	where := "in postgresql.conf, with ALTER SYSTEM, ALTER DATABASE or ALTER ROLE, wherever it was turned off"
	if private {
		where = "in local.conf beside the private server's postgresql.conf, where it was turned off"
	}
	var off []string
	for _, s := range [][2]string{{"fsync", c.Fsync}, {"synchronous_commit", c.Commit}, {"full_page_writes", c.PageWrites}} {
		if s[1] == "off" {
			off = append(off, s[0])
		}
	}
	checks := []Check{ok("durability", "fsync, synchronous_commit and full_page_writes are on")}
	if len(off) > 0 {
		checks[0] = problem("durability", "set it on "+where, "nothing is sent: with %s off PostgreSQL may forget what was sent", strings.Join(off, " and "))
	}
	if c.Checksums != "on" {
		return append(checks, warning("checksums", "stop it and run pg_checksums --enable", "data checksums are off: a disk that goes bad is not noticed"))
	}
	return append(checks, ok("checksums", "on"))
}

func judgeConnections(c cluster) Check {
	free := c.Connections - c.Reserved - c.OthersConnect
	mend := fmt.Sprintf("raise max_connections, or lower the pool with ?pool_max_conns=… in database_url (each process takes up to %d)", c.pool)
	switch {
	case free < c.pool:
		return problem("connections", mend, "max_connections %d leaves %d beside other programs: one process alone may want %d", c.Connections, free, c.pool)
	case free < 2*c.pool:
		return warning("connections", mend, "max_connections %d is enough for one process, and not for a second one", c.Connections)
	}
	return ok("connections", "max_connections %d is enough for %d processes of up to %d", c.Connections, free/c.pool, c.pool)
}

func judgeRights(c cluster) Check {
	var lacks []string
	if !c.MayCreate {
		lacks = append(lacks, "may not create tables in its schema")
	}
	if !c.OwnsAll {
		lacks = append(lacks, "does not own every table")
	}
	if !c.ReadsControl {
		lacks = append(lacks, "may not run pg_control_system()")
	}
	if len(lacks) > 0 {
		return problem("rights", "connect as the owner of the database; GRANT EXECUTE ON FUNCTION pg_control_system() TO it where that was taken away",
			"the account %s: daily partitions cannot be made, or a restored backup not be noticed", strings.Join(lacks, ", "))
	}
	return ok("rights", "the account owns its tables")
}
