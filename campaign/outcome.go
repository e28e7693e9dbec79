package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// observation is something learned of one recipient.
type observation struct {
	seq   int32
	facts Facts
}

const (
	// Rows are locked in order of block, so that two transactions never wait for each other in a ring.
	sqlLockOutcome = `
SELECT block, facts, counts
FROM outcome
WHERE run_id = $1 AND block = ANY ($2)
ORDER BY block
FOR UPDATE`

	sqlUpdateOutcome = `
UPDATE outcome
SET facts = $3, counts = $4, last_result = greatest(last_result, $5)
WHERE run_id = $1 AND block = $2`
)

// observe merges what was learned into the outcome of a run and moves the counts with it, in the
// caller's transaction: a count changes only where the state changes. at is the time of the newest
// result of a submission, or zero when the observations are receipts. Callers that observe several
// runs in one transaction go through them in ascending order.
func observe(ctx context.Context, tx pgx.Tx, run int32, seen []observation, at time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	slices.SortFunc(seen, func(a, b observation) int { return int(a.seq - b.seq) })
	var blocks []int32
	for _, o := range seen {
		block, _ := BlockOf(o.seq)
		if len(blocks) == 0 || blocks[len(blocks)-1] != block {
			blocks = append(blocks, block)
		}
	}
	type row struct {
		Block  int32
		Facts  []byte
		Counts []int32
	}
	rows, err := tx.Query(ctx, sqlLockOutcome, run, blocks)
	if err != nil {
		return fmt.Errorf("lock outcome of run %d: %w", run, err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return fmt.Errorf("lock outcome of run %d: %w", run, err)
	}
	var newest *time.Time
	if !at.IsZero() {
		newest = &at
	}
	var updates pgx.Batch
	for _, r := range stored {
		for len(seen) > 0 {
			block, index := BlockOf(seen[0].seq)
			if block != r.Block {
				break
			}
			if (index+1)*factsSize > len(r.Facts) {
				return fmt.Errorf("outcome of run %d: recipient %d lies outside its block", run, seen[0].seq)
			}
			slot := r.Facts[index*factsSize:]
			facts := decodeFacts(slot)
			before := facts.State()
			facts.Merge(seen[0].facts)
			facts.encode(slot)
			if after := facts.State(); after != before {
				r.Counts[before]--
				r.Counts[after]++
			}
			seen = seen[1:]
		}
		updates.Queue(sqlUpdateOutcome, run, r.Block, r.Facts, r.Counts, newest)
	}
	if len(seen) > 0 {
		return fmt.Errorf("outcome of run %d: recipient %d has no block", run, seen[0].seq)
	}
	if err := tx.SendBatch(ctx, &updates).Close(); err != nil {
		return fmt.Errorf("update outcome of run %d: %w", run, err)
	}
	return nil
}

// Totals counts a run's recipients by state; they add up to its recipients.
type Totals struct {
	Pending    int64 `json:"pending"`
	Suppressed int64 `json:"suppressed"`
	Skipped    int64 `json:"skipped"`
	Unknown    int64 `json:"unknown"`
	Rejected   int64 `json:"rejected"`
	Sent       int64 `json:"sent"`
	Delivered  int64 `json:"delivered"`
	Failed     int64 `json:"failed"`
	Expired    int64 `json:"expired"`
	NoReceipt  int64 `json:"no_receipt"`
}

func totalsOf(counts []int64) Totals {
	return Totals{
		Pending: counts[Pending], Suppressed: counts[Suppressed], Skipped: counts[Skipped], Unknown: counts[Unknown],
		Rejected: counts[Rejected], Sent: counts[Sent], Delivered: counts[Delivered], Failed: counts[Failed],
		Expired: counts[Expired], NoReceipt: counts[NoReceipt],
	}
}

// Named gives the totals by the names of the states, every state named.
func (t Totals) Named() map[string]int64 {
	return map[string]int64{
		Pending.String(): t.Pending, Suppressed.String(): t.Suppressed, Skipped.String(): t.Skipped, Unknown.String(): t.Unknown,
		Rejected.String(): t.Rejected, Sent.String(): t.Sent, Delivered.String(): t.Delivered, Failed.String(): t.Failed,
		Expired.String(): t.Expired, NoReceipt.String(): t.NoReceipt,
	}
}

// Sum is the number of recipients that the totals account for.
func (t Totals) Sum() int64 {
	return t.Pending + t.Suppressed + t.Skipped + t.Unknown + t.Rejected + t.Sent + t.Delivered + t.Failed + t.Expired + t.NoReceipt
}

const sqlTotals = `
SELECT sum(n)
FROM outcome o, unnest(o.counts) WITH ORDINALITY AS c (n, state)
WHERE o.run_id = $1
GROUP BY state
ORDER BY state`

// Totals reads the counts of a run. A run without recipients has none.
func (l *Ledger) Totals(ctx context.Context, run int32) (Totals, error) {
	rows, err := l.pool.Query(ctx, sqlTotals, run)
	if err != nil {
		return Totals{}, fmt.Errorf("count run %d: %w", run, err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return Totals{}, fmt.Errorf("count run %d: %w", run, err)
	}
	if len(counts) != int(stateCount) {
		return Totals{}, nil
	}
	return totalsOf(counts), nil
}
