package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// Tree is a run with its retries, each of which tried some of the same people again. A person counts with her
// newest attempt. It holds two octets for each person of the first run, whatever their number.
type Tree struct {
	Root    int32 // id of the first run
	Retries int   // runs beside it

	newest []State // of every recipient of the first run, beginning with recipient 1
	had    []uint8 // attempts that she got, or may have got, of late; see readTree
}

const (
	sqlTreeRuns = `
SELECT id, recipients, finished_at IS NOT NULL
FROM run
WHERE id = $1 OR parent_run = $1
ORDER BY id`

	sqlTreeBlocks = `
SELECT block, facts, coalesce(last_result > now() - $2::interval, false)
FROM outcome
WHERE run_id = $1
ORDER BY block`

	// A number is in a run once.
	sqlTreePeople = `
SELECT r.seq, f.seq
FROM recipient r
JOIN recipient f ON f.run_id = $2 AND f.msisdn = r.msisdn
WHERE r.run_id = $1`
)

// ReadTree reads where everybody of a first run has got to by its retries; root is the first run's id.
func ReadTree(ctx context.Context, db pgdb.DB, root int32) (*Tree, error) {
	return readTree(ctx, db, root, 0)
}

// readTree counts besides how many attempts of the period everybody got or may have got. The time is that of
// the newest result in her thousand of recipients: it may count somebody for a little too long, never for
// too short.
func readTree(ctx context.Context, db pgdb.DB, root int32, period time.Duration) (*Tree, error) {
	t := &Tree{Root: root}
	type treeRun struct {
		ID, Recipients int32
		Finished       bool
	}
	rows, err := db.Query(ctx, sqlTreeRuns, root)
	if err != nil {
		return nil, fmt.Errorf("read the retries of run %d: %w", root, err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[treeRun])
	if err != nil {
		return nil, fmt.Errorf("read the retries of run %d: %w", root, err)
	}
	for _, run := range runs {
		states, lately, err := readStates(ctx, db, run.ID, run.Recipients, period)
		if err != nil {
			return nil, err
		}
		if run.ID == root {
			t.newest, t.had = states, make([]uint8, len(states))
			for i, state := range states {
				t.count(i, state, lately[i/BlockSize])
			}
			continue
		}
		t.Retries++
		if err := t.follow(ctx, db, run.ID, run.Finished, states, lately); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// readStates reads the state of every recipient of a run, and of which blocks the newest result is of the
// period.
func readStates(ctx context.Context, db pgdb.DB, run, recipients int32, period time.Duration) (states []State, lately []bool, err error) {
	rows, err := db.Query(ctx, sqlTreeBlocks, run, period)
	if err != nil {
		return nil, nil, fmt.Errorf("read the outcome of run %d: %w", run, err)
	}
	states = make([]State, 0, recipients)
	var block int32
	var packed []byte
	var late bool
	_, err = pgx.ForEachRow(rows, []any{&block, &packed, &late}, func() error {
		if int(block)*BlockSize != len(states) {
			return fmt.Errorf("block %d comes after %d recipients", block, len(states))
		}
		for at := 0; at+factsSize <= len(packed); at += factsSize {
			states = append(states, decodeFacts(packed[at:]).State())
		}
		lately = append(lately, late)
		return nil
	})
	if err == nil && len(states) != int(recipients) {
		err = fmt.Errorf("it has %d of %d recipients", len(states), recipients)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the outcome of run %d: %w", run, err)
	}
	return states, lately, nil
}

// follow takes a retry into the tree. Whom it did not come to still stands where the attempt before left her.
func (t *Tree) follow(ctx context.Context, db pgdb.DB, run int32, finished bool, states []State, lately []bool) error {
	rows, err := db.Query(ctx, sqlTreePeople, run, t.Root)
	if err != nil {
		return fmt.Errorf("match run %d with run %d: %w", run, t.Root, err)
	}
	var seq, first int32
	_, err = pgx.ForEachRow(rows, []any{&seq, &first}, func() error {
		if int(seq) > len(states) || int(first) > len(t.newest) {
			return fmt.Errorf("recipient %d has no outcome", seq)
		}
		state := states[seq-1]
		if state.isAttempt(finished) {
			t.newest[first-1] = state
			t.count(int(first-1), state, lately[int(seq-1)/BlockSize])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("match run %d with run %d: %w", run, t.Root, err)
	}
	return nil
}

// isAttempt says whether a recipient in this state was tried, or still will be while the run is not finished.
func (s State) isAttempt(finished bool) bool {
	switch s {
	case Suppressed, Skipped:
		return false
	case Pending:
		return !finished
	}
	return true
}

func (t *Tree) count(i int, state State, lately bool) {
	switch state {
	case Unknown, Sent, Delivered, NoReceipt:
		if lately && t.had[i] < 255 {
			t.had[i]++
		}
	}
}

// People is the number of recipients of the first run.
func (t *Tree) People() int64 { return int64(len(t.newest)) }

// Totals counts everybody of the first run by the state of her newest attempt.
func (t *Tree) Totals() Totals {
	counts := make([]int64, stateCount)
	for _, state := range t.newest {
		counts[state]++
	}
	return totalsOf(counts)
}
