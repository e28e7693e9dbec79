package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Backlog is what stands in the ledger at one moment, over all runs that are not finished.
type Backlog struct {
	Recipients    map[string]int64 // by state
	Runs          map[string]int64 // by state
	BatchesReady  map[string]int64 // of running runs, by priority
	BatchesHinted map[string]int64 // those that were hinted in the last minute: their window is open
	Unsettled     int64            // chunks of the inbox
	UnsettledFor  time.Duration    // since the oldest of them came, 0 where there is none
	Parked        int64            // receipts that wait for their submission
	Orphans       int64            // receipts that were given up, mostOrphans at most
	Restored      bool             // a restoration is not cleared
	Stopped       bool             // a stop of everything is in force
	FailedFirings int64            // campaigns whose last due time, within a week, was not fired for a failure
}

const mostOrphans = 100_000

// Each answers from an index or from a row per thousand recipients: together a millisecond or two.
const (
	// Single messages are runs of their own, and very many of them may await a receipt: they are left out here.
	// The counts of a block stand in the order of the states, and sum to its recipients.
	sqlBacklogRecipients = `
SELECT c.no::int4, sum(c.count)::int8
FROM run r
JOIN outcome o ON o.run_id = r.id
CROSS JOIN unnest(o.counts) WITH ORDINALITY AS c (count, no)
WHERE r.finished_at IS NULL AND r.kind <> 'message'
GROUP BY c.no`

	sqlBacklogRuns = `
SELECT state, count(*)
FROM run
WHERE finished_at IS NULL AND kind <> 'message'
GROUP BY state`

	sqlBacklogBatches = `
SELECT r.priority, count(*), count(*) FILTER (WHERE b.hinted_at > now() - interval '1 minute')
FROM run r
JOIN batch b ON b.run_id = r.id AND b.state = 'ready'
WHERE r.finished_at IS NULL AND r.state = 'running'
GROUP BY r.priority`

	sqlBacklogRest = `
SELECT (SELECT count(*) FROM inbox_chunk WHERE settled_at IS NULL),
       coalesce((SELECT extract(epoch FROM now() - min(at)) FROM inbox_chunk WHERE settled_at IS NULL), 0)::float8,
       (SELECT count(*) FROM parked WHERE NOT orphan),
       (SELECT count(*) FROM (SELECT 1 FROM parked WHERE orphan LIMIT $1) AS given_up),
       EXISTS (SELECT 1 FROM restoration WHERE cleared_at IS NULL), ` + stopInForce + `,
       (SELECT count(*)
        FROM firing f
        WHERE f.state = 'failed' AND f.due_at > now() - interval '7 days'
          AND NOT EXISTS (SELECT 1 FROM firing later WHERE later.campaign_id = f.campaign_id AND later.due_at > f.due_at))`
)

// Backlog reads what is left to do and to settle. A state or priority that nothing has is there with 0.
func (l *Ledger) Backlog(ctx context.Context) (*Backlog, error) {
	b := &Backlog{
		Recipients: make(map[string]int64), Runs: make(map[string]int64),
		BatchesReady: make(map[string]int64), BatchesHinted: make(map[string]int64),
	}
	for _, state := range States() {
		b.Recipients[state.String()] = 0
	}
	for _, state := range []RunState{RunRunning, RunPausing, RunPaused, RunSettling, RunEnding, RunCancelling} {
		b.Runs[string(state)] = 0
	}
	for _, priority := range []string{"urgent", "normal", "bulk"} {
		b.BatchesReady[priority], b.BatchesHinted[priority] = 0, 0
	}
	err := pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return b.read(ctx, tx) })
	if err != nil {
		return nil, fmt.Errorf("read the backlog: %w", err)
	}
	return b, nil
}

func (b *Backlog) read(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlBacklogRecipients)
	if err != nil {
		return err
	}
	var no int32
	var n, hinted int64
	if _, err := pgx.ForEachRow(rows, []any{&no, &n}, func() error {
		b.Recipients[State(no-1).String()] = n
		return nil
	}); err != nil {
		return err
	}
	if rows, err = tx.Query(ctx, sqlBacklogRuns); err != nil {
		return err
	}
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { b.Runs[name] = n; return nil }); err != nil {
		return err
	}
	if rows, err = tx.Query(ctx, sqlBacklogBatches); err != nil {
		return err
	}
	if _, err := pgx.ForEachRow(rows, []any{&name, &n, &hinted}, func() error {
		b.BatchesReady[name], b.BatchesHinted[name] = n, hinted
		return nil
	}); err != nil {
		return err
	}
	var age float64
	err = tx.QueryRow(ctx, sqlBacklogRest, mostOrphans).Scan(&b.Unsettled, &age, &b.Parked, &b.Orphans, &b.Restored, &b.Stopped, &b.FailedFirings)
	b.UnsettledFor = time.Duration(age * float64(time.Second))
	return err
}
