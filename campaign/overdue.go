package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

// testTime is how long a test may try to leave. Whoever asked for it is waiting for it; much later the
// message would only surprise her.
const testTime = 10 * time.Minute

// sweeperName is the actor of what nobody asked for by hand.
const sweeperName = "pukar"

const sqlOldTests = `
SELECT r.id, r.number, r.state, r.route, c.name
FROM run r
JOIN campaign c ON c.id = r.campaign_id
WHERE r.finished_at IS NULL
  AND r.kind = 'test'
  AND r.state IN ('running', 'pausing', 'paused')
  AND r.started_at < $1
ORDER BY r.id
LIMIT 100
FOR UPDATE OF r SKIP LOCKED`

// CancelOldTests cancels the tests that have not left within ten minutes, because their route is dead or
// their window closed: nothing else ends them. A test that left and awaits its receipt ends by its
// receipt_wait. It answers how many it cancelled; each is audited.
func (l *Ledger) CancelOldTests(ctx context.Context, now time.Time) (cancelled int, err error) {
	err = untilNoDeadlock(func() error {
		cancelled = 0
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
			type test struct {
				ID, Number      int32
				State           RunState
				Route, Campaign string
			}
			rows, err := tx.Query(ctx, sqlOldTests, now.Add(-testTime))
			if err != nil {
				return err
			}
			tests, err := pgx.CollectRows(rows, pgx.RowToStructByPos[test])
			if err != nil {
				return err
			}
			for _, t := range tests {
				why := fmt.Sprintf("a test ends after %s: it could not leave by route %s, or its window was closed; test again when `pukar route list` shows the route bound", testTime, t.Route)
				moved, err := l.stop(ctx, tx, t.ID, RunCancelling, why)
				if err != nil || !moved {
					return err
				}
				cancelled++
				if err := auditlog.Append(ctx, tx, auditlog.Event{
					Actor: sweeperName, Action: "campaign.test.cancel", Subject: t.Campaign,
					Before: map[string]any{"test": t.Number, "state": t.State}, After: map[string]any{"why": why},
				}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("cancel old tests: %w", err)
	}
	return cancelled, nil
}

// A run that was cancelled has nobody pending, but people whose receipts are still awaited. They are looked
// at for a day longer than receipt_wait, so that a day's standstill leaves nobody behind.
const sqlAwaitingRuns = `
SELECT id, state, priority, receipts, receipt_wait
FROM run
WHERE state IN ('cancelled', 'failed')
  AND receipts AND kind <> 'message'
  AND finished_at > $1::timestamptz - receipt_wait - interval '1 day'
ORDER BY id
LIMIT 1000`

// AwaitingRuns lists the runs that ended early, and not so long ago that no receipt is awaited any more:
// ExpireReceipts is still to be called for them.
func (l *Ledger) AwaitingRuns(ctx context.Context, now time.Time) ([]OpenRun, error) {
	rows, err := l.pool.Query(ctx, sqlAwaitingRuns, now)
	if err != nil {
		return nil, fmt.Errorf("list runs that await receipts: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenRun])
	if err != nil {
		return nil, fmt.Errorf("list runs that await receipts: %w", err)
	}
	return runs, nil
}
