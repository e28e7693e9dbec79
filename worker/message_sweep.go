package worker

import (
	"context"
	"errors"
	"time"

	"pukar/campaign"
)

// messageRounds says when single messages are looked at again.
type messageRounds struct {
	sweep  *campaign.MessageSweep
	hintAt time.Time
	moveAt time.Time
}

const (
	moveMessagesEvery = time.Second
	// What looking after messages takes of the sweeper's time, at most: one part in ten. The more of them
	// there are, the less often they are looked at.
	messageShare = 10
)

// sweepMessages hints the messages that have to leave and moves all of them on, each at its own pace.
func (s *Sweeper) sweepMessages(ctx context.Context, now time.Time) error {
	rounds := &s.messages
	if rounds.sweep == nil {
		rounds.sweep = &campaign.MessageSweep{Ledger: s.Ledger}
	}
	var errs []error
	if !now.Before(rounds.hintAt) {
		began := time.Now()
		errs = append(errs, s.hintMessages(ctx, now))
		rounds.hintAt = now.Add(messageShare * time.Since(began))
	}
	if !now.Before(rounds.moveAt) {
		began := time.Now()
		swept, err := rounds.sweep.Run(ctx, now)
		errs = append(errs, err)
		if swept.Cancelled > 0 {
			s.Log.Warn("messages that did not leave within their valid_for were cancelled", "messages", swept.Cancelled)
		}
		rounds.moveAt = now.Add(max(moveMessagesEvery, messageShare*time.Since(began)))
	}
	return errors.Join(errs...)
}

func (s *Sweeper) hintMessages(ctx context.Context, now time.Time) error {
	hints, err := s.Ledger.NextMessageHints(ctx, now)
	if err != nil {
		return err
	}
	for _, hint := range hints {
		if err := s.Hinter.GiveHint(ctx, hint); err != nil {
			return err // what is left is hinted again by itself
		}
	}
	return nil
}
