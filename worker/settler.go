package worker

import (
	"context"
	"log/slog"
	"time"

	"pukar/campaign"
	"pukar/internal/logs"
)

const (
	settlePause = 50 * time.Millisecond
	settleMost  = 20 // chunks in a round, which bounds the memory it takes and the time for which outcomes are locked
	parkedPause = time.Second
)

// Settler brings receipts from the inbox to their recipients. Any number may run, in any process.
type Settler struct {
	Ledger  *campaign.Ledger
	Breaker *Breaker
	Log     *slog.Logger
}

// Run settles until ctx ends.
func (s *Settler) Run(ctx context.Context) error {
	ticker := time.NewTicker(settlePause)
	defer ticker.Stop()
	var parkedAt time.Time
	var trouble logs.Repeated
	for {
		done, err := s.Ledger.Settle(ctx, settleMost)
		s.Breaker.Receipts(ctx, done.Seen)
		if err == nil && time.Since(parkedAt) >= parkedPause {
			parkedAt = time.Now()
			_, err = s.Ledger.RetryParked(ctx, parkedAt)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			trouble.Error(s.Log, "receipts are not being settled; they are kept and will be", err)
		} else {
			trouble.Fine(s.Log)
		}
		if done.Chunks == settleMost {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err != nil {
			if !pause(ctx, time.Second) {
				return nil
			}
		}
	}
}

// pause waits, and reports whether the whole time passed.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
