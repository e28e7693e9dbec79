package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

// What happens to a run that its window's end finds unfinished.
const (
	unfinishedContinue = "continue" // it goes on in the next window
	unfinishedEnd      = "end"      // the rest is skipped
)

// EndsAt is when a run ends whose campaign says `unfinished: end`: when the first window closes in which it could
// send, from the given moment on. The second answer is false while the window cannot open as far as is known.
// The window's whole length counts, not what a route's drain time leaves of it, so that the answer stays the same
// however a route behaves. A calendar that is corrected meanwhile moves it.
func EndsAt(window Window, from time.Time) (time.Time, bool) {
	window = window.Draining(0)
	opens, err := window.Next(from)
	if err != nil {
		return time.Time{}, false
	}
	closes, _ := window.Open(opens)
	return closes, !window.unbounded()
}

// Ends reports whether the run ends with its window instead of going on in the next one.
func (r *Run) Ends() bool { return r.Kind == "campaign" && r.Spec.Unfinished == unfinishedEnd }

// EndingRun is a run that ends with its window.
type EndingRun struct {
	ID   int32
	From time.Time // when it could send first, by the forecast of its launch
}

// A run that a restore paused waits for the person who looks into it. The moment at which it could send first was
// reckoned at the launch with the route's drain time of then: what began too late in a window waits for the next.
const sqlEndingRuns = `
SELECT id, greatest(coalesce((forecast ->> 'starts_at')::timestamptz, started_at), started_at)
FROM run
WHERE finished_at IS NULL
  AND kind = 'campaign'
  AND spec ->> 'unfinished' = 'end'
  AND state = ANY ($1)
  AND NOT EXISTS (SELECT 1 FROM restoration WHERE cleared_at IS NULL)
ORDER BY id
LIMIT 1000`

// EndingRuns lists the runs that are to end with their window and have not yet begun to.
func (l *Ledger) EndingRuns(ctx context.Context) ([]EndingRun, error) {
	rows, err := l.pool.Query(ctx, sqlEndingRuns, movesTo(RunEnding))
	if err != nil {
		return nil, fmt.Errorf("list runs that end with their window: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[EndingRun])
	if err != nil {
		return nil, fmt.Errorf("list runs that end with their window: %w", err)
	}
	return runs, nil
}

const sqlRunNames = `
SELECT c.name, r.number, r.state
FROM run r
JOIN campaign c ON c.id = r.campaign_id
WHERE r.id = $1
FOR UPDATE OF r`

// End begins to end a run whose window closed: from its commit on no stride is opened; whoever was not written to is
// skipped once the strides that are open are closed. It answers false where the run has moved on by itself.
func (l *Ledger) End(ctx context.Context, run int32, closed time.Time) (ended bool, err error) {
	why := fmt.Sprintf("its window closed at %s and the campaign says `unfinished: end`: whoever was not written to by then is skipped",
		closed.In(India).Format(time.RFC3339))
	err = untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
			var name string
			var number int32
			var state RunState
			if err := tx.QueryRow(ctx, sqlRunNames, run).Scan(&name, &number, &state); err != nil {
				return err
			}
			if ended, err = l.stop(ctx, tx, run, RunEnding, why); err != nil || !ended {
				return err
			}
			return auditlog.Append(ctx, tx, auditlog.Event{
				Actor: sweeperName, Action: "campaign.end", Subject: name,
				Before: map[string]any{"run": number, "state": state}, After: map[string]any{"why": why},
			})
		})
	})
	if err != nil {
		return false, fmt.Errorf("end run %d: %w", run, err)
	}
	return ended, nil
}

const (
	sqlLockEnding = `SELECT 1 FROM run WHERE id = $1 AND state = 'ending' FOR UPDATE`

	// Nothing is left to be done in them, although not everybody had a stride.
	sqlCloseBatches = `
UPDATE batch
SET state = 'done', holder = NULL, lease_until = NULL
WHERE run_id = $1 AND state = 'ready'`
)

// settleEnded moves a run whose rest is skipped on to wait for its receipts.
func (l *Ledger) settleEnded(ctx context.Context, run int32) (moved bool, err error) {
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if tag, err := tx.Exec(ctx, sqlLockEnding, run); err != nil || tag.RowsAffected() == 0 {
			return err // somebody cancelled it
		}
		for _, sql := range []string{sqlDropAllRedo, sqlCloseBatches} {
			if _, err := tx.Exec(ctx, sql, run); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, sqlMoveRun, run, string(RunSettling), []string{string(RunEnding)})
		moved = tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("settle run %d: %w", run, err)
	}
	return moved, nil
}
