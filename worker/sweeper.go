package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
	"pukar/internal/metrics"
)

const (
	sweepEvery  = 250 * time.Millisecond
	sweepSoon   = 50 * time.Millisecond // while a run is about to end
	endingFor   = 10 * time.Second      // after its last move a run is taken to be about to end
	expireEvery = 10 * time.Second
	// A new leader may have come with a database that was away: holders record what they know first.
	recoverAfter    = 5 * time.Second
	partitionsEvery = time.Hour
)

// Sweeper moves runs along: it hints batches, closes strides whose holder died, expires receipts and
// declares runs done. One process at a time does it, elected by an advisory lock in PostgreSQL; doing it
// in two places would be correct too, only wasteful.
type Sweeper struct {
	Pool            *pgxpool.Pool
	Ledger          *campaign.Ledger
	Hinter          *Hinter
	ResponseTimeout time.Duration   // of the slowest bind
	Moved           <-chan struct{} // says that a run may be ready to move on; may be nil
	Log             *slog.Logger
	Metrics         *metrics.Metrics

	leadingSince time.Time
	movedAt      time.Time // when a run moved last
	expiredAt    time.Time
	waitingAt    time.Time // when runs that only wait are looked at next
	partitionsAt time.Time
	messages     messageRounds
}

// Run competes for leadership and sweeps while it has it, until ctx ends.
func (s *Sweeper) Run(ctx context.Context) error {
	leader := &leader{pool: s.Pool, lock: sweeperLock, work: metrics.LeaderSweeper, log: s.Log, metrics: s.Metrics}
	begin := func() { s.leadingSince = time.Now() }
	return leader.run(ctx, begin, func(ctx context.Context) error { return s.sweep(ctx, time.Now()) }, s.rest)
}

// rest waits for the next round: a short while where a run is about to end, or a sender says that one may have
// come to its end. It reports false when ctx has ended.
func (s *Sweeper) rest(ctx context.Context) bool {
	wait := sweepEvery
	if time.Since(s.movedAt) < endingFor {
		wait = sweepSoon
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-s.Moved:
		return pause(ctx, min(wait, sweepSoon))
	}
}

// sweep does one round. What fails for one run does not keep the others from theirs.
func (s *Sweeper) sweep(ctx context.Context, now time.Time) error {
	var errs []error
	if now.Sub(s.partitionsAt) >= partitionsEvery {
		if err := s.Ledger.EnsurePartitions(ctx, now); err != nil {
			errs = append(errs, err)
		}
		s.partitionsAt = now
	}
	if now.Sub(s.leadingSince) >= recoverAfter {
		unknown, err := s.Ledger.Recover(ctx, s.ResponseTimeout)
		if err != nil {
			errs = append(errs, err)
		}
		if unknown > 0 {
			s.Log.Warn("strides of a process that died were closed; their messages are unknown", "parts", unknown)
		}
	}
	if paused, err := s.Ledger.FinishStop(ctx, now); err != nil {
		errs = append(errs, err)
	} else if paused > 0 {
		s.Log.Warn("everything is stopped; runs were paused for it", "runs", paused)
	}
	expire := now.Sub(s.expiredAt) >= expireEvery
	if expire {
		errs = append(errs, s.sweepOverdue(ctx, now))
	}
	errs = append(errs, s.sweepMessages(ctx, now))
	errs = append(errs, s.endRuns(ctx, now))
	runs, err := s.Ledger.OpenRuns(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	errs = append(errs, s.sweepRuns(ctx, runs, now, expire))
	if expire {
		s.expiredAt = now
	}
	return errors.Join(errs...)
}

// waitingShare bounds what looking at runs that wait takes of the sweeper's time: one part in ten.
const waitingShare = 10

// sweepRuns looks at all runs that have something to do, and as often as their number allows at those that only wait for receipts
// or a person: there may be thousands, for days.
func (s *Sweeper) sweepRuns(ctx context.Context, runs []campaign.OpenRun, now time.Time, expire bool) error {
	var errs []error
	var spent time.Duration
	look := expire || !now.Before(s.waitingAt)
	for _, run := range runs {
		waits := run.State == campaign.RunSettling || run.State == campaign.RunPaused
		if waits && !look {
			continue
		}
		began := time.Now()
		if err := s.sweepRun(ctx, run, now, expire); err != nil {
			errs = append(errs, err)
		}
		if waits {
			spent += time.Since(began)
		}
	}
	if look {
		s.waitingAt = now.Add(waitingShare * spent)
	}
	return errors.Join(errs...)
}

// endRuns begins to end the runs that do not go on after their window.
func (s *Sweeper) endRuns(ctx context.Context, now time.Time) error {
	runs, err := s.Ledger.EndingRuns(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, run := range runs {
		job, err := s.Hinter.Runs.get(ctx, run.ID)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ends, ok := campaign.EndsAt(job.window, run.From)
		if !ok || now.Before(ends) {
			continue
		}
		ended, err := s.Ledger.End(ctx, run.ID, ends)
		errs = append(errs, err)
		if ended {
			s.Log.Info("run ends with its window", "run", run.ID, "closed", ends)
		}
	}
	return errors.Join(errs...)
}

// sweepOverdue ends what nothing else would end.
func (s *Sweeper) sweepOverdue(ctx context.Context, now time.Time) error {
	cancelled, err := s.Ledger.CancelOldTests(ctx, now)
	errs := []error{err}
	if cancelled > 0 {
		s.Log.Warn("tests that did not leave were cancelled", "tests", cancelled)
	}
	runs, err := s.Ledger.AwaitingRuns(ctx, now)
	errs = append(errs, err)
	for _, run := range runs {
		_, err := s.Ledger.ExpireReceipts(ctx, run, now)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Sweeper) sweepRun(ctx context.Context, run campaign.OpenRun, now time.Time, expire bool) error {
	if expire && run.Receipts {
		if _, err := s.Ledger.ExpireReceipts(ctx, run, now); err != nil {
			return err
		}
	}
	// Several moves may be due at once: a run that has tried everybody may be done already.
	for {
		state, err := s.Ledger.Advance(ctx, run)
		if err != nil {
			return err
		}
		if state == run.State {
			break
		}
		s.Log.Info("run moved on", "run", run.ID, "from", run.State, "to", state)
		run.State, s.movedAt = state, now
	}
	if run.State != campaign.RunRunning {
		return nil
	}
	return s.Hinter.Hint(ctx, run.ID)
}
