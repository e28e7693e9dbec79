package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

const (
	// The margin beyond the response timeout leaves the holder time to record what it knows better, and as
	// long as it renews its lease it is alive and will.
	sqlLostStrides = `
SELECT s.id, s.run_id, s.batch, s.kind, s.lo, s.hi, s.part_counts, s.seqs, s.seq_parts, s.seq_tries, s.parts, s.route, s.bind, r.on_unknown, s.held_inr IS NOT NULL
FROM stride s
JOIN run r ON r.id = s.run_id
WHERE s.closed_at IS NULL AND s.send_by < now() - $1::interval
  AND NOT EXISTS (SELECT 1 FROM batch b
                  WHERE b.run_id = s.run_id AND b.no = s.batch AND b.fence = s.fence AND b.lease_until > now())
ORDER BY s.run_id, s.id
LIMIT 100
FOR UPDATE OF s SKIP LOCKED`

	sqlSkipped = `
SELECT DISTINCT seq
FROM skip
WHERE run_id = $1 AND seq BETWEEN $2 AND $3`
)

// Recover closes strides whose holder has been silent beyond the response timeout. What it held may
// have left, so every part of it is unknown, and stays so until a late response or a receipt tells.
// It answers how many parts became unknown.
func (l *Ledger) Recover(ctx context.Context, responseTimeout time.Duration) (unknown int, err error) {
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlLostStrides, responseTimeout+2*time.Second)
		if err != nil {
			return err
		}
		type lost struct {
			Stride
			rule RedoRule
		}
		strides, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s lost, err error) {
			var seqs []int32
			var parts, tries []int16
			err = row.Scan(&s.ID, &s.Run, &s.Batch, &s.Kind, &s.Lo, &s.Hi, &s.PartCounts, &seqs, &parts, &tries, &s.Parts, &s.Route, &s.Bind, &s.rule.OnUnknown, &s.Budgeted)
			for i := range seqs {
				// Their bind need not be known: a message that may be out already is kept on this one.
				s.Redo = append(s.Redo, RedoPart{Recipient: Recipient{Seq: seqs[i]}, Part: parts[i], Tries: tries[i]})
			}
			return s, err
		})
		if err != nil {
			return err
		}
		now := time.Now()
		byRun := make(map[int32][]observation)
		inDoubt := make([][]PartResult, len(strides))
		for i, s := range strides {
			skipped, err := l.skippedIn(ctx, tx, s.Run, &s.Stride)
			if err != nil {
				return err
			}
			var results []PartResult
			for r := range s.eachPart(skipped) {
				r.Result, r.At = InDoubt, now
				results = append(results, r)
				byRun[s.Run] = append(byRun[s.Run], observation{seq: r.Seq, facts: s.rule.facts(r)})
			}
			if _, err := tx.Exec(ctx, sqlCloseStride, s.ID, newCloseToken()); err != nil {
				return err
			}
			if err := appendSubmissions(ctx, tx, &s.Stride, results); err != nil {
				return err
			}
			if err := writeRedo(ctx, tx, &s.Stride, results, s.rule); err != nil {
				return err
			}
			unknown += len(results)
			inDoubt[i] = results
		}
		if err := observeRuns(ctx, tx, byRun, now); err != nil {
			return err
		}
		for i := range strides { // what may have left is spent
			if err := settleBudget(ctx, tx, &strides[i].Stride, inDoubt[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("recover lost strides: %w", err)
	}
	return unknown, nil
}

func observeRuns(ctx context.Context, tx pgx.Tx, byRun map[int32][]observation, at time.Time) error {
	runs := make([]int32, 0, len(byRun))
	for run := range byRun {
		runs = append(runs, run)
	}
	slices.Sort(runs)
	for _, run := range runs {
		if err := observe(ctx, tx, run, byRun[run], at); err != nil {
			return err
		}
	}
	return nil
}

// skippedIn reads the recipients of a stride that were left out when it was opened.
func (l *Ledger) skippedIn(ctx context.Context, db pgdb.DB, run int32, s *Stride) (map[int32]bool, error) {
	rows, err := db.Query(ctx, sqlSkipped, run, s.Lo, s.Hi)
	if err != nil {
		return nil, fmt.Errorf("read skips of run %d: %w", run, err)
	}
	seqs, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil, fmt.Errorf("read skips of run %d: %w", run, err)
	}
	skipped := make(map[int32]bool, len(seqs))
	for _, seq := range seqs {
		skipped[seq] = true
	}
	return skipped, nil
}
