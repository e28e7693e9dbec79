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

// Hint gives the next hints of a run, unless its window is closed. What the queue does not take
// is taken back, so that the next round gives it again.
func (h *Hinter) Hint(ctx context.Context, run int32) error {
	priority, hints, err := h.next(ctx, run)
	if err != nil {
		return err
	}
	return h.enqueue(ctx, priority, hints)
}

// HintAllButOne is Hint, except that the first of the hints is the caller's own to work on; nil where there is none.
func (h *Hinter) HintAllButOne(ctx context.Context, run int32) (*queue.Hint, error) {
	priority, hints, err := h.next(ctx, run)
	if err != nil || len(hints) == 0 {
		return nil, err
	}
	return &hints[0], h.enqueue(ctx, priority, hints[1:])
}

func (h *Hinter) next(ctx context.Context, run int32) (priority string, hints []queue.Hint, err error) {
	job, err := h.Runs.get(ctx, run)
	if err != nil {
		return "", nil, err
	}
	if _, open := job.window.Draining(h.Runs.Drains.Of(job.run.Route)).Open(time.Now()); !open {
		return "", nil, nil
	}
	due, err := h.Ledger.NextHints(ctx, run)
	for _, hint := range due {
		hints = append(hints, queue.Hint{Run: run, Batch: hint.Batch, No: hint.No})
	}
	return job.run.Priority, hints, err
}

func (h *Hinter) enqueue(ctx context.Context, priority string, hints []queue.Hint) error {
	for i, hint := range hints {
		if err := h.Queue.Hint(ctx, priority, hint); err != nil {
			return errors.Join(err, h.takeBack(ctx, hints[i:]))
		}
	}
	return nil
}

func (h *Hinter) takeBack(ctx context.Context, hints []queue.Hint) error {
	var errs []error
	for _, hint := range hints {
		given := campaign.Hint{Batch: hint.Batch, No: hint.No}
		errs = append(errs, h.Ledger.Unhint(context.WithoutCancel(ctx), hint.Run, given))
	}
	return errors.Join(errs...)
}

// GiveHint hands out a hint of a message that stands in its batch already. What the queue does not take is
// taken back, so that the next round gives it again.
func (h *Hinter) GiveHint(ctx context.Context, hint campaign.RunHint) error {
	return h.enqueue(ctx, queue.Urgent, []queue.Hint{{Run: hint.Run, Batch: hint.Batch, No: hint.No}})
}
