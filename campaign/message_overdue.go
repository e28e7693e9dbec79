package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/pgdb"
)

const (
	// In the order in which a claim takes its locks. Who is being claimed or moved is left for another round.
	sqlLockOverdue = `
SELECT r.id
FROM run r
JOIN message m ON m.run_id = r.id
WHERE r.id = ANY ($1) AND r.state IN ('running', 'pausing', 'paused') AND m.expires_at < $2
ORDER BY r.id
FOR NO KEY UPDATE OF r SKIP LOCKED`

	// From here on no stride can be opened, because opening one wants the batch.
	sqlLockOverdueBatches = `
SELECT run_id
FROM batch
WHERE run_id = ANY ($1)
ORDER BY run_id, no
FOR UPDATE`

	sqlInFlightOf = `
SELECT DISTINCT run_id
FROM stride
WHERE run_id = ANY ($1) AND closed_at IS NULL`

	sqlCloseMessages = `
UPDATE batch
SET fence = fence + 1, holder = NULL, lease_until = NULL, state = 'done'
WHERE run_id = ANY ($1)`

	sqlDropMessagesRedo = `
DELETE FROM redo
WHERE run_id = ANY ($1)`

	sqlSkipMessages = `
INSERT INTO skip (run_id, seq, reason, detail, at)
SELECT run_id, 1, 'cancelled', $2, $3
FROM unnest($1::int4[]) AS run_id`

	sqlStopMessages = `
UPDATE run
SET state = 'cancelling', why = $2
WHERE id = ANY ($1)`

	sqlCancelMessages = `
UPDATE run
SET state = 'cancelled', finished_at = now()
WHERE id = ANY ($1)`

	sqlKeysOf = `
SELECT m.key, r.number
FROM message m
JOIN run r ON r.id = m.run_id
WHERE m.run_id = ANY ($1)
ORDER BY m.run_id`
)

// cancelledTogether bounds a transaction that ends with one event for each message in the audit chain.
const cancelledTogether = 200

const overdueWhy = "it could not leave within its valid_for: its route was away, or sending was stopped"

// cancelMessages ends messages that have not left in time. One that is on the wire is left for a later round.
func (l *Ledger) cancelMessages(ctx context.Context, runs []int32, now time.Time) (cancelled int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	runs = runs[:min(len(runs), cancelledTogether)]
	err = untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
			cancelled, err = cancelMessages(ctx, tx, runs, now)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("cancel messages that did not leave: %w", err)
	}
	return cancelled, nil
}

func cancelMessages(ctx context.Context, tx pgx.Tx, runs []int32, now time.Time) (int, error) {
	runs, err := runsOf(ctx, tx, sqlLockOverdue, runs, now)
	if err != nil {
		return 0, err
	}
	if _, err := runsOf(ctx, tx, sqlLockOverdueBatches, runs); err != nil {
		return 0, err
	}
	onWire, err := runsOf(ctx, tx, sqlInFlightOf, runs)
	if err != nil {
		return 0, err
	}
	runs = slices.DeleteFunc(runs, func(run int32) bool { return slices.Contains(onWire, run) })
	if runs, err = flagMessages(ctx, tx, runs, FlagSkipped, Pending, Unknown); err != nil || len(runs) == 0 {
		return 0, err
	}
	var changes pgx.Batch
	changes.Queue(sqlCloseMessages, runs)
	changes.Queue(sqlDropMessagesRedo, runs)
	changes.Queue(sqlSkipMessages, runs, overdueWhy, now)
	changes.Queue(sqlStopMessages, runs, overdueWhy)
	changes.Queue(sqlCancelMessages, runs)
	if err := tx.SendBatch(ctx, &changes).Close(); err != nil {
		return 0, err
	}
	return len(runs), auditOverdue(ctx, tx, runs)
}

func auditOverdue(ctx context.Context, tx pgx.Tx, runs []int32) error {
	rows, err := tx.Query(ctx, sqlKeysOf, runs)
	if err != nil {
		return err
	}
	type message struct {
		Key    string
		Number int32
	}
	messages, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message])
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := auditlog.Append(ctx, tx, auditlog.Event{
			Actor: sweeperName, Action: "message.cancel", Subject: m.Key, After: map[string]any{"message": m.Number, "why": overdueWhy},
		}); err != nil {
			return err
		}
	}
	return nil
}

func runsOf(ctx context.Context, db pgdb.DB, sql string, args ...any) ([]int32, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}
