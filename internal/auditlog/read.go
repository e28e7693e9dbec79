package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// page is how many rows are read at a time.
const page = 1000

// MaxList is the most entries that List returns at once.
const MaxList = 1000

// row is an audit_event as stored.
type row struct {
	ID       int64
	At       time.Time
	Actor    string
	Action   string
	Subject  string
	Before   []byte
	After    []byte
	Previous []byte
	Hash     []byte
}

// entry turns a row into an Entry, or says what about it cannot be.
func (r *row) entry() (*Entry, string) {
	e := &Entry{ID: r.ID, At: Time{r.At}, Actor: r.Actor, Action: r.Action, Subject: r.Subject}
	var err error
	if e.Before, err = canonical(r.Before); err != nil || bytes.Equal(e.Before, null) {
		return nil, "before was altered"
	}
	if e.After, err = canonical(r.After); err != nil || bytes.Equal(e.After, null) {
		return nil, "after was altered"
	}
	if len(r.Previous) != len(e.Previous) {
		return nil, "previous is not a hash"
	}
	if len(r.Hash) != len(e.Hash) {
		return nil, "hash is not a hash"
	}
	copy(e.Previous[:], r.Previous)
	copy(e.Hash[:], r.Hash)
	return e, ""
}

// null is what Append never stores: nothing is NULL.
var null = []byte("null")

const sqlPage = `
SELECT id, at, actor, action, subject, before::text AS before, after::text AS after, previous, hash
FROM audit_event
WHERE id > $1
ORDER BY id
LIMIT $2`

// readPage returns the rows after an id.
func readPage(ctx context.Context, db pgdb.DB, after int64) ([]*row, error) {
	rows, err := db.Query(ctx, sqlPage, after, page)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[row])
}

const sqlHead = `
SELECT id, hash
FROM audit_event
ORDER BY id DESC
LIMIT 1`

// Head returns the anchor of the newest entry, as it stands in the table and without a look at the rest; the zero Anchor when there is
// none. Put into whatever leaves the machine, it holds the chain to what it was then.
func Head(ctx context.Context, db pgdb.DB) (Anchor, error) {
	var a Anchor
	var hash []byte
	err := db.QueryRow(ctx, sqlHead).Scan(&a.ID, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("read the newest audit event: %w", err)
	}
	if len(hash) != len(a.Hash) {
		return a, fmt.Errorf("read the newest audit event: hash of %d is not a hash", a.ID)
	}
	copy(a.Hash[:], hash)
	return a, nil
}

// Export writes the entries after an id (0: all) as JSON, one a line in order of id, and returns the last one's anchor; the zero Anchor
// when there was none. It stops at a row that cannot be exported as it stands, with an error that names it.
func Export(ctx context.Context, db pgdb.DB, w io.Writer, after int64) (Anchor, error) {
	var last Anchor
	for {
		rows, err := readPage(ctx, db, after)
		if err != nil {
			return last, fmt.Errorf("export audit events after %d: %w", after, err)
		}
		for _, r := range rows {
			e, why := r.entry()
			if why != "" {
				return last, fmt.Errorf("export audit event %d: %s", r.ID, why)
			}
			line, err := encode(e)
			if err != nil {
				return last, fmt.Errorf("export audit event %d: %w", r.ID, err)
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return last, fmt.Errorf("export audit event %d: %w", r.ID, err)
			}
			last = Anchor{ID: e.ID, Hash: e.Hash}
			after = e.ID
		}
		if len(rows) < page {
			return last, nil
		}
	}
}

// Filter chooses entries for List. Empty fields choose all.
type Filter struct {
	BelowID int64 // only entries with a lower id: the last one's of the page before
	Actor   string
	Action  string // an action, or the noun before its dot
	Subject string
	Limit   int // 1 to MaxList; 0 is 100
}

const sqlList = `
SELECT id, at, actor, action, subject, before::text AS before, after::text AS after, previous, hash
FROM audit_event
WHERE ($1 = 0 OR id < $1)
  AND ($2 = '' OR actor = $2)
  AND ($3 = '' OR action = $3 OR starts_with(action, $3 || '.'))
  AND ($4 = '' OR subject = $4)
ORDER BY id DESC
LIMIT $5`

// List returns entries, newest first.
func List(ctx context.Context, db pgdb.DB, f Filter) ([]Entry, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := db.Query(ctx, sqlList, f.BelowID, f.Actor, f.Action, f.Subject, min(limit, MaxList))
	if err != nil {
		return nil, fmt.Errorf("list audit events: %w", err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[row])
	if err != nil {
		return nil, fmt.Errorf("list audit events: %w", err)
	}
	entries := make([]Entry, 0, len(stored))
	for _, r := range stored {
		e, why := r.entry()
		if why != "" {
			return nil, fmt.Errorf("list audit events: event %d: %s", r.ID, why)
		}
		entries = append(entries, *e)
	}
	return entries, nil
}
