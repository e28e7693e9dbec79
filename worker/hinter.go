package worker

import (
	"context"
	"errors"
	"time"

	"pukar/campaign"
	"pukar/internal/queue"
)

// Hinter hands out hints for batches that have work. Any process may, at any time: which batches are
// due is decided in PostgreSQL, and the queue is never asked what it knows.
type Hinter struct {
	Ledger *campaign.Ledger
	Runs   *Runs
	Queue  *queue.Client
}

// Hint gives the next hints of a run, unless its window is closed. A hint that the queue does not take
// is taken back, so that the next round gives it again.
func (h *Hinter) Hint(ctx context.Context, run int32) error {
	job, err := h.Runs.get(ctx, run)
	if err != nil {
		return err
	}
	if _, open := job.window.Open(time.Now()); !open {
		return nil
	}
	hints, err := h.Ledger.NextHints(ctx, run)
	if err != nil {
		return err
	}
	for _, hint := range hints {
		err := h.Queue.Hint(ctx, job.run.Priority, queue.Hint{Run: run, Batch: hint.Batch, No: hint.No})
		if err != nil {
			return errors.Join(err, h.Ledger.Unhint(context.WithoutCancel(ctx), run, hint))
		}
	}
	return nil
}
