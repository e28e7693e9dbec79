package auditlog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// lockKey is the advisory lock under which the chain grows: "pukaudit" in ASCII, so that no other use meets it by chance.
const lockKey int64 = 0x70756b6175646974

const sqlLock = `SELECT pg_advisory_xact_lock($1)`

// sqlLast reads the end of the chain, the time, and before and after as jsonb will give them back.
const sqlLast = `
SELECT coalesce(last.id, 0), last.hash, clock_timestamp(), $1::jsonb::text, $2::jsonb::text
FROM (SELECT 1) AS one
LEFT JOIN (
    SELECT id, hash
    FROM audit_event
    ORDER BY id DESC
    LIMIT 1
) AS last ON true`

const sqlAppend = `
INSERT INTO audit_event (id, at, actor, action, subject, before, after, previous, hash)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9)`

// Append records an event in the caller's transaction and holds every other writer back until that ends, so it is best the last thing in
// it. The transaction is READ COMMITTED, or is tried again on a unique violation. Errors: ErrInvalidEvent, or PostgreSQL's.
func Append(ctx context.Context, tx pgx.Tx, e Event) error {
	if e.Actor == "" || e.Action == "" {
		return fmt.Errorf("%w: actor %q, action %q", ErrInvalidEvent, e.Actor, e.Action)
	}
	before, err := marshal(e.Before)
	if err != nil {
		return fmt.Errorf("%w %s of %s: before: %w", ErrInvalidEvent, e.Action, e.Subject, err)
	}
	after, err := marshal(e.After)
	if err != nil {
		return fmt.Errorf("%w %s of %s: after: %w", ErrInvalidEvent, e.Action, e.Subject, err)
	}
	entry, err := next(ctx, tx, e, before, after)
	if err != nil {
		return fmt.Errorf("append audit event %s of %s: %w", e.Action, e.Subject, err)
	}
	_, err = tx.Exec(ctx, sqlAppend, entry.ID, entry.At.Time, entry.Actor, entry.Action, entry.Subject,
		text(entry.Before), text(entry.After), entry.Previous[:], entry.Hash[:])
	if err != nil {
		return fmt.Errorf("append audit event %s of %s: %w", e.Action, e.Subject, err)
	}
	return nil
}

// next takes the lock and makes the entry that follows the last. The lock is a statement of its own, because the statement that reads
// the end of the chain must see what its former holder committed.
func next(ctx context.Context, tx pgx.Tx, e Event, before, after *string) (*Entry, error) {
	batch := &pgx.Batch{}
	batch.Queue(sqlLock, lockKey)
	batch.Queue(sqlLast, before, after)
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	var last int64
	var previous []byte
	var at time.Time
	var storedBefore, storedAfter []byte
	if err := results.QueryRow().Scan(&last, &previous, &at, &storedBefore, &storedAfter); err != nil {
		return nil, err
	}
	entry := &Entry{ID: last + 1, At: Time{at}, Actor: e.Actor, Action: e.Action, Subject: e.Subject}
	copy(entry.Previous[:], previous)
	var err error
	if entry.Before, err = canonical(storedBefore); err != nil {
		return nil, err
	}
	if entry.After, err = canonical(storedAfter); err != nil {
		return nil, err
	}
	entry.Hash = entry.sum()
	return entry, results.Close()
}

// marshal returns JSON, or nil for what is nothing.
func marshal(v any) (*string, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if string(b) == "null" {
		return nil, nil
	}
	s := string(b)
	return &s, nil
}

func text(value json.RawMessage) *string {
	if value == nil {
		return nil
	}
	s := string(value)
	return &s
}
