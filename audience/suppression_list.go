package audience

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// The size of a page of ListSuppressions.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// SuppressionFilter narrows ListSuppressions; an empty field does not.
type SuppressionFilter struct {
	Scope   string // exactly this scope
	Purpose string // exactly this purpose
	Source  string // exactly this source
	Lifted  bool   // also those no longer in force
	Before  int64  // only ids below it: the last id of the page before; 0 for the newest
	Limit   int    // rows a page; 0 is DefaultPage, at most MaxPage
}

const sqlListSuppressions = `
SELECT ` + suppressionColumns + `
FROM suppression
WHERE ($1 = '' OR scope = $1)
  AND ($2 = '' OR purpose = $2)
  AND ($3 = '' OR source = $3)
  AND ($4 OR lifted_at IS NULL)
  AND ($5 = 0 OR id < $5)
ORDER BY id DESC
LIMIT $6`

// ListSuppressions returns one page of the suppression list, newest first. The
// next page starts with Before set to the last id of this one; a page shorter
// than its limit is the last.
func ListSuppressions(ctx context.Context, db pgdb.DB, filter SuppressionFilter) ([]Suppression, error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	rows, err := db.Query(ctx, sqlListSuppressions, filter.Scope, filter.Purpose, filter.Source, filter.Lifted, filter.Before, min(limit, MaxPage))
	if err != nil {
		return nil, fmt.Errorf("list suppressions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Suppression])
	if err != nil {
		return nil, fmt.Errorf("list suppressions: %w", err)
	}
	return list, nil
}
