package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/notice"
)

// OpenRun is a run that is not finished.
type OpenRun struct {
	ID       int32
	State    RunState
	Priority string
	Receipts bool
	Wait     time.Duration // receipt_wait
}

const sqlOpenRuns = `
SELECT id, state, priority, receipts, receipt_wait
FROM run
WHERE finished_at IS NULL AND kind <> 'message'
ORDER BY CASE state WHEN 'settling' THEN 1 WHEN 'paused' THEN 2 ELSE 0 END, CASE priority WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, id
LIMIT 1000`

// OpenRuns lists the runs that are not finished: those that have something to do before those that only wait for
// receipts or a person, of which a thousand may stand there for days; then the urgent ones first. Single messages are
// not among them: there may be very many of those, and MessageSweep looks after them together.
func (l *Ledger) OpenRuns(ctx context.Context) ([]OpenRun, error) {
	rows, err := l.pool.Query(ctx, sqlOpenRuns)
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenRun])
	if err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return runs, nil
}

const (
	// What recovery closed while nobody held the batch leaves nothing behind that a release would see.
	// Rows that are locked are being worked on and will be looked at again.
	sqlFinishBatches = `
UPDATE batch
SET state = 'done', holder = NULL, lease_until = NULL
FROM (SELECT b.run_id, b.no
      FROM batch b
      WHERE b.run_id = $1 AND b.state = 'ready' AND b.sent_upto = b.hi
        AND (b.lease_until IS NULL OR b.lease_until < now())
        AND NOT EXISTS (SELECT 1 FROM redo r WHERE r.run_id = b.run_id AND r.batch = b.no)
        AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = b.run_id AND s.batch = b.no AND s.closed_at IS NULL)
      FOR UPDATE SKIP LOCKED) idle
WHERE batch.run_id = idle.run_id AND batch.no = idle.no`

	sqlInFlight = `
SELECT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = $1 AND s.closed_at IS NULL),
       EXISTS (SELECT 1 FROM batch b WHERE b.run_id = $1 AND b.state = 'ready')`

	// Somebody who is unknown and has a part to be redone is not counted as pending, and yet nothing is over for her.
	sqlStanding = `
SELECT coalesce(sum(counts[1]), 0) + (SELECT count(DISTINCT seq) FROM redo WHERE run_id = $1), coalesce(sum(counts[6]), 0)
FROM outcome
WHERE run_id = $1`

	sqlMoveRun = `
UPDATE run
SET state = $2, finished_at = CASE WHEN $2 IN ('done', 'cancelled', 'failed') THEN now() END
WHERE id = $1 AND state = ANY ($3)`
)

// Advance moves a run on where its facts allow it: pausing to paused, ending to settling and cancelling to cancelled
// once nothing is in flight, running to settling once every recipient was tried, settling to done once
// nobody is pending or awaited. Unknown recipients do not hold it. It answers the state it left the run in.
func (l *Ledger) Advance(ctx context.Context, run OpenRun) (RunState, error) {
	if _, err := l.pool.Exec(ctx, sqlFinishBatches, run.ID); err != nil {
		return run.State, fmt.Errorf("finish batches of run %d: %w", run.ID, err)
	}
	var open, ready bool
	if err := l.pool.QueryRow(ctx, sqlInFlight, run.ID).Scan(&open, &ready); err != nil {
		return run.State, fmt.Errorf("look at run %d: %w", run.ID, err)
	}
	var pending, awaiting int64
	if !open && slices.Contains([]RunState{RunCancelling, RunEnding, RunSettling}, run.State) { // the sums are only wanted at the end
		if err := l.pool.QueryRow(ctx, sqlStanding, run.ID).Scan(&pending, &awaiting); err != nil {
			return run.State, fmt.Errorf("count run %d: %w", run.ID, err)
		}
	}
	next := run.State
	switch {
	case open:
	case run.State == RunPausing:
		next = RunPaused
	case run.State == RunCancelling && pending > 0:
		return run.State, l.skipPending(ctx, run.ID, reasonCancelled)
	case run.State == RunEnding && pending > 0:
		return run.State, l.skipPending(ctx, run.ID, "window")
	case run.State == RunEnding:
		if moved, err := l.settleEnded(ctx, run.ID); err != nil || !moved {
			return run.State, err
		}
		return RunSettling, nil
	case run.State == RunCancelling:
		next = RunCancelled
	case run.State == RunRunning && !ready:
		next = RunSettling
	case run.State == RunSettling && ready:
		next = RunRunning
	case run.State == RunSettling && pending == 0 && (awaiting == 0 || !run.Receipts):
		next = RunDone
	}
	if next == run.State {
		return next, nil
	}
	tag, err := l.pool.Exec(ctx, sqlMoveRun, run.ID, string(next), []string{string(run.State)})
	if err != nil {
		return run.State, fmt.Errorf("move run %d to %s: %w", run.ID, next, err)
	}
	if tag.RowsAffected() == 0 { // somebody else moved it
		return run.State, nil
	}
	return next, nil
}

const (
	sqlPendingBlocks = `
SELECT block, facts
FROM outcome
WHERE run_id = $1 AND counts[1] > 0
ORDER BY block
LIMIT 50
FOR UPDATE`

	sqlDropAllRedo = `
DELETE FROM redo
WHERE run_id = $1
RETURNING seq`
)

// skipPending leaves out, for the given reason, some blocks of a cancelled or ending run's people who were not
// reached. It is called every sweep until nobody is pending, so that one such run does not keep the others waiting.
func (l *Ledger) skipPending(ctx context.Context, run int32, reason string) error {
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlDropAllRedo, run)
		if err != nil {
			return err
		}
		left, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return err
		}
		// Whoever has a part that is not sent any more: one of hers may be unknown now and accepted by a late response.
		slices.Sort(left)
		left = slices.Compact(left)
		var skips []Skip
		for _, seq := range left {
			skips = append(skips, Skip{Seq: seq, Reason: reason})
		}
		err = eachBlock(ctx, tx, sqlPendingBlocks, []any{run}, func(seq int32, f Facts) {
			if _, said := slices.BinarySearch(left, seq); f.State() == Pending && !said {
				skips = append(skips, Skip{Seq: seq, Reason: reason})
			}
		})
		if err != nil {
			return err
		}
		return writeSkips(ctx, tx, run, skips, time.Now())
	})
	if err != nil {
		return fmt.Errorf("skip the rest of run %d: %w", run, err)
	}
	return nil
}

// eachBlock walks the recipients of the blocks that a statement answers.
func eachBlock(ctx context.Context, tx pgx.Tx, sql string, args []any, visit func(seq int32, f Facts)) error {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var block int32
	var packed []byte
	_, err = pgx.ForEachRow(rows, []any{&block, &packed}, func() error {
		facts, err := DecodeBlock(packed)
		if err != nil {
			return err
		}
		for i, f := range facts {
			visit(block*BlockSize+int32(i)+1, f)
		}
		return nil
	})
	return err
}

const sqlAwaitingBlocks = `
SELECT block, facts
FROM outcome
WHERE run_id = $1 AND counts[6] > 0 AND last_result < $2
ORDER BY block
LIMIT 50
FOR UPDATE`

// ExpireReceipts marks those whose receipt has not come within receipt_wait of the last result in their
// block. A receipt that comes later still counts. It answers how many were marked.
func (l *Ledger) ExpireReceipts(ctx context.Context, run OpenRun, now time.Time) (int, error) {
	marked := 0
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		var seen []observation
		err := eachBlock(ctx, tx, sqlAwaitingBlocks, []any{run.ID, now.Add(-run.Wait)}, func(seq int32, f Facts) {
			if f.State() == Sent {
				seen = append(seen, observation{seq: seq, facts: Facts{Flags: FlagWaited}})
			}
		})
		if err != nil {
			return err
		}
		marked = len(seen)
		return observe(ctx, tx, run.ID, seen, time.Time{})
	})
	if err != nil {
		return 0, fmt.Errorf("expire receipts of run %d: %w", run.ID, err)
	}
	return marked, nil
}

const (
	sqlStopRun = `
UPDATE run
SET state = $2, why = $4
WHERE id = $1 AND state = ANY ($3)`

	sqlRaiseFences = `
UPDATE batch
SET fence = fence + 1, holder = NULL, lease_until = NULL, hinted_at = NULL
WHERE run_id = $1 AND state = 'ready'`

	sqlResumeRun = `
UPDATE run
SET state = 'running', why = '', stop_all = NULL, resumed_at = now()
WHERE id = $1 AND state = ANY ($2)`
)

// stop moves a run to pausing, ending or cancelling and raises every fence in the same transaction: from its
// commit on no stride can be opened, and every process gives up what it has opened and not yet written.
func (l *Ledger) stop(ctx context.Context, tx pgx.Tx, run int32, to RunState, why string) (moved bool, err error) {
	tag, err := tx.Exec(ctx, sqlStopRun, run, string(to), movesTo(to), why)
	if err != nil {
		return false, fmt.Errorf("move run %d to %s: %w", run, to, err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	if _, err := tx.Exec(ctx, sqlRaiseFences, run); err != nil {
		return false, fmt.Errorf("raise the fences of run %d: %w", run, err)
	}
	return true, notice.Send(ctx, tx, notice.Notice{Run: run})
}

// resume lets a paused run go on.
func (l *Ledger) resume(ctx context.Context, tx pgx.Tx, run int32) (moved bool, err error) {
	from := slices.DeleteFunc(movesTo(RunRunning), func(s string) bool { return s == string(RunSettling) })
	tag, err := tx.Exec(ctx, sqlResumeRun, run, from)
	if err != nil {
		return false, fmt.Errorf("resume run %d: %w", run, err)
	}
	return tag.RowsAffected() > 0, nil
}
