package worker

import (
	"context"
	"errors"

	"pukar/campaign"
)

// notOpened does what follows where a stride over messages of these sizes could not be opened.
func (w *shift) notOpened(ctx context.Context, stride *campaign.Stride, err error, sizes []byte) error {
	var short *campaign.BudgetError
	if !errors.As(err, &short) {
		return w.abandon(ctx, stride, err)
	}
	least := firstSize(sizes)
	switch {
	case short.Left >= least:
		w.afford = short.Left // the next one is cut to it
		return nil
	case short.Unspent >= least:
		return errIdle // strides that are open may give some back
	}
	if err := w.Ledger.PauseForBudget(ctx, w.post.run); err != nil {
		return err
	}
	return campaign.ErrFenced
}

// firstSize is the parts of the first message that has any.
func firstSize(sizes []byte) int {
	for _, size := range sizes {
		if size > 0 {
			return int(size)
		}
	}
	return 0
}
