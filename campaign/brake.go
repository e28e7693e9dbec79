package campaign

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

const (
	sqlBraked = `
SELECT c.name, r.number, r.kind
FROM run r
JOIN campaign c ON c.id = r.campaign_id
WHERE r.id = $1`

	// What was submitted before the run was last resumed says nothing of what was mended meanwhile.
	sqlFreshFailures = `
SELECT f.no::int4 - 1
FROM unnest($1::int4[], $2::int4[], $3::int2[]) WITH ORDINALITY AS f (run, seq, part, no)
JOIN run r ON r.id = f.run
WHERE r.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM submission s
                  WHERE s.run_id = f.run AND s.seq = f.seq AND s.part = f.part AND s.result = 'accepted' AND s.at <= r.resumed_at)
ORDER BY f.no`
)

// Brake pauses a run for a reason that nobody gave by hand, audited under the name of the program; details stand beside
// the reason in the event. moved is false when the run was not running any more.
func (l *Ledger) Brake(ctx context.Context, run int32, action, why string, details map[string]any) (moved bool, err error) {
	err = untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
			if moved, err = l.stop(ctx, tx, run, RunPausing, why); err != nil || !moved {
				return err
			}
			return l.auditBrake(ctx, tx, run, action, why, details)
		})
	})
	if err != nil {
		return false, fmt.Errorf("pause run %d by itself: %w", run, err)
	}
	return moved, nil
}

func (l *Ledger) auditBrake(ctx context.Context, tx pgx.Tx, run int32, action, why string, details map[string]any) error {
	var name, kind string
	var number int32
	if err := tx.QueryRow(ctx, sqlBraked, run).Scan(&name, &number, &kind); err != nil {
		return err
	}
	after := map[string]any{"why": why}
	for key, value := range details {
		after[key] = value
	}
	return auditlog.Append(ctx, tx, auditlog.Event{
		Actor: sweeperName, Action: action, Subject: name, Before: map[string]any{"run": number, "kind": kind, "state": RunRunning}, After: after,
	})
}

// FreshFailures answers, by their places in the list, the failed parts whose runs go on and that were submitted since
// the run was last resumed.
func (l *Ledger) FreshFailures(ctx context.Context, failed []FailedPart) ([]int32, error) {
	var runs, seqs []int32
	var parts []int16
	for _, f := range failed {
		runs, seqs, parts = append(runs, f.Run), append(seqs, f.Seq), append(parts, f.Part)
	}
	rows, err := l.pool.Query(ctx, sqlFreshFailures, runs, seqs, parts)
	if err != nil {
		return nil, fmt.Errorf("look at failed parts: %w", err)
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil, fmt.Errorf("look at failed parts: %w", err)
	}
	return fresh, nil
}
