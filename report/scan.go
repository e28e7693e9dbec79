package report

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"pukar/campaign"
)

// buffers is how many chunks are in use at once: one being read, one being written.
const buffers = 2

// scan reads a run's recipients in order and gives each chunk to visit, reading the next one meanwhile.
func scan(ctx context.Context, tx pgx.Tx, r *run, visit func(*chunk) error) error {
	free, full := make(chan *chunk, buffers), make(chan *chunk, buffers) // so that giving back never blocks
	for range buffers {
		free <- newChunk()
	}
	// stop ends the reading when visit fails. It is not the context of the queries: cutting one short would cost the connection.
	stop := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		defer close(full)
		for lo := int32(1); lo <= r.Recipients; lo += chunkSize {
			var c *chunk
			select {
			case <-stop:
				return nil
			case c = <-free:
			}
			hi := min(lo+chunkSize-1, r.Recipients)
			if err := c.load(ctx, tx, r, lo, hi); err != nil {
				return fmt.Errorf("read recipients %d to %d: %w", lo, hi, err)
			}
			full <- c
		}
		return nil
	})
	var failed error
	for c := range full {
		if failed == nil {
			if failed = visit(c); failed != nil {
				close(stop)
			}
		}
		free <- c
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return failed
}

// tally counts recipients by outcome, as the rows say and as the run says.
type tally struct {
	rows, run []int64
	charged   int64
}

func newTally() *tally {
	n := len(campaign.States())
	return &tally{rows: make([]int64, n), run: make([]int64, n)}
}

// check compares the two counts.
func (t *tally) check() error {
	for i, state := range campaign.States() {
		if t.rows[i] != t.run[i] {
			return fmt.Errorf("%w: %d rows are %s, the run counts %d", ErrInconsistent, t.rows[i], state, t.run[i])
		}
	}
	return nil
}

// totals names the counts of the rows.
func (t *tally) totals() map[string]int64 {
	m := make(map[string]int64, len(t.rows))
	for i, state := range campaign.States() {
		m[state.String()] = t.rows[i]
	}
	return m
}

const sqlExcludedByReason = `
SELECT reason, count(*)
FROM exclusion
WHERE run_id = $1
GROUP BY reason`

// readExcluded counts the people left out by reason.
func readExcluded(ctx context.Context, tx pgx.Tx, r *run) (map[string]int64, error) {
	counts := make(map[string]int64)
	rows, err := tx.Query(ctx, sqlExcludedByReason, r.ID)
	if err != nil {
		return nil, fmt.Errorf("count the excluded: %w", err)
	}
	var reason string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&reason, &n}, func() error {
		counts[reason] = n
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count the excluded: %w", err)
	}
	return counts, nil
}
