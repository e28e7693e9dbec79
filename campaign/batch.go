package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/mark"
)

// BatchSize is the most recipients that a worker leases together.
const BatchSize = 10_000

// LeaseTime is how long a batch stays with a holder that has stopped renewing. Holders renew at every
// stride and every five seconds.
const LeaseTime = 15 * time.Second

// Lease is the right to open strides in one batch until a later holder raises the fence.
type Lease struct {
	Run      int32
	Batch    int32
	Lo, Hi   int32
	SentUpto int32
	Fence    int64
}

// ErrNotLeased says that the batch is done, held by another, or that its run is not running.
var ErrNotLeased = errors.New("batch is not to be had")

// ErrFenced says that a later holder, a pause or a cancel has raised the fence: open nothing more.
var ErrFenced = errors.New("the lease has been taken over")

const (
	// The share lock makes a pause wait for this claim or this claim see the pause.
	sqlRunLock = `SELECT state, ` + stopInForce + `, ` + durabilityColumns + `, ` + mark.OriginSQL + `, ` + mark.ReachedSQL + ` FROM run WHERE id = $1 FOR SHARE`

	sqlClaim = `
UPDATE batch
SET fence = fence + 1, holder = $3, lease_until = now() + $4
WHERE run_id = $1 AND no = $2 AND state = 'ready' AND (lease_until IS NULL OR lease_until < now())
RETURNING lo, hi, sent_upto, fence`

	sqlRenew = `
UPDATE batch
SET lease_until = now() + $4
WHERE run_id = $1 AND no = $2 AND fence = $3`

	// Releasing also says when nothing is left to do, and frees the batch for the next hint.
	sqlRelease = `
UPDATE batch b
SET holder = NULL, lease_until = NULL, hinted_at = NULL, not_before = now() + $4,
    state = CASE WHEN b.sent_upto = b.hi
                  AND NOT EXISTS (SELECT 1 FROM redo r WHERE r.run_id = b.run_id AND r.batch = b.no)
                  AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = b.run_id AND s.batch = b.no AND s.closed_at IS NULL)
             THEN 'done' ELSE 'ready' END
WHERE run_id = $1 AND no = $2 AND fence = $3`
)

// Claim leases a batch to the holder. ErrNotLeased is the usual answer to a stale hint; a *VolatileError
// or ErrMoved, that nothing may be sent on what the server has.
func (l *Ledger) Claim(ctx context.Context, run, batch int32, holder string) (*Lease, error) {
	lease := &Lease{Run: run, Batch: batch}
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		var state RunState
		var stopped bool
		var server durability
		var origin, reached string
		if err := tx.QueryRow(ctx, sqlRunLock, run).Scan(append([]any{&state, &stopped}, append(server.fields(), &origin, &reached)...)...); err != nil {
			return err
		}
		if state != RunRunning || stopped {
			return ErrNotLeased
		}
		if err := l.moved(origin, reached); err != nil {
			return err
		}
		if err := server.check(); err != nil && !l.volatile {
			return err
		}
		return tx.QueryRow(ctx, sqlClaim, run, batch, holder, LeaseTime).
			Scan(&lease.Lo, &lease.Hi, &lease.SentUpto, &lease.Fence)
	})
	if errors.Is(err, pgx.ErrNoRows) || errors.Is(err, ErrNotLeased) {
		return nil, ErrNotLeased
	}
	if err != nil {
		return nil, fmt.Errorf("claim batch %d of run %d: %w", batch, run, err)
	}
	return lease, nil
}

// Renew keeps the lease for another LeaseTime, or answers ErrFenced.
func (l *Ledger) Renew(ctx context.Context, lease *Lease) error {
	tag, err := l.pool.Exec(ctx, sqlRenew, lease.Run, lease.Batch, lease.Fence, LeaseTime)
	if err != nil {
		return fmt.Errorf("renew batch %d of run %d: %w", lease.Batch, lease.Run, err)
	}
	if tag.RowsAffected() == 0 {
		return ErrFenced
	}
	return nil
}

// Release gives the batch back, to be hinted again after the given rest: 0 unless there was nothing that
// the holder could do. The batch is done when every recipient had a stride and nothing is open or waits
// to be redone. Losing the lease meanwhile is not an error: the new holder decides.
func (l *Ledger) Release(ctx context.Context, lease *Lease, rest time.Duration) error {
	if _, err := l.pool.Exec(ctx, sqlRelease, lease.Run, lease.Batch, lease.Fence, rest); err != nil {
		return fmt.Errorf("release batch %d of run %d: %w", lease.Batch, lease.Run, err)
	}
	return nil
}

// HintsPerRun bounds how many batches of one run are out with workers at once, so that runs share them.
const HintsPerRun = 4

// hintAfter is how long a hint may go unanswered before the next is given.
const hintAfter = 30 * time.Second

const (
	// Who asks waits for whoever is asking for the same run, and then counts what that one gave. The first
	// number only keeps other locks apart.
	sqlHintLock = `SELECT pg_advisory_xact_lock(7821003, $1::int4)`

	// A batch is out while it is leased or freshly hinted. A lease that ran out was a holder's death: its
	// batch is hinted at once.
	sqlHint = `
WITH busy AS (
    SELECT count(*) AS n
    FROM batch
    WHERE run_id = $1 AND state = 'ready'
      AND (lease_until >= now() OR (lease_until IS NULL AND hinted_at > now() - $2::interval))
), next AS (
    SELECT b.no
    FROM batch b
    WHERE b.run_id = $1 AND b.state = 'ready'
      AND (b.lease_until < now() OR (b.lease_until IS NULL AND (b.hinted_at IS NULL OR b.hinted_at <= now() - $2::interval)))
      AND (b.not_before IS NULL OR b.not_before <= now())
      AND (b.sent_upto < b.hi
           OR EXISTS (SELECT 1 FROM redo r WHERE r.run_id = b.run_id AND r.batch = b.no AND r.not_before <= now()))
    ORDER BY b.hinted_at NULLS FIRST, b.not_before NULLS FIRST, b.no
    LIMIT greatest(0, $3 - (SELECT n FROM busy))
    FOR UPDATE SKIP LOCKED
)
UPDATE batch b
SET hint_no = b.hint_no + 1, hinted_at = now(), lease_until = NULL, holder = NULL
FROM next
WHERE b.run_id = $1 AND b.no = next.no
  AND EXISTS (SELECT 1 FROM run WHERE id = $1 AND state = 'running')
RETURNING b.no, b.hint_no`
)

// Hint says that a batch has work.
type Hint struct {
	Batch int32
	No    int32
}

// NextHints raises the hint number of batches of a run that have work and nobody on it, at most
// HintsPerRun out at once. Losing a hint costs half a minute; giving one twice costs nothing.
func (l *Ledger) NextHints(ctx context.Context, run int32) ([]Hint, error) {
	// Both go in one journey, which is a transaction: nobody who is stopped half-way holds the lock.
	var batch pgx.Batch
	var hints []Hint
	batch.Queue(sqlHintLock, run)
	batch.Queue(sqlHint, run, hintAfter, HintsPerRun).Query(func(rows pgx.Rows) (err error) {
		hints, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Hint])
		return err
	})
	if err := l.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("hint batches of run %d: %w", run, err)
	}
	return hints, nil
}

const sqlUnhint = `
UPDATE batch
SET hinted_at = NULL
WHERE run_id = $1 AND no = $2 AND hint_no = $3 AND lease_until IS NULL`

// Unhint takes a hint back that could not be handed out, so that the next round gives it again.
func (l *Ledger) Unhint(ctx context.Context, run int32, h Hint) error {
	if _, err := l.pool.Exec(ctx, sqlUnhint, run, h.Batch, h.No); err != nil {
		return fmt.Errorf("take back a hint of run %d: %w", run, err)
	}
	return nil
}
