package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
	"pukar/internal/metrics"
)

const (
	lookEvery = time.Second
	// Planning and freezing a million people takes many seconds and must not hold up the others.
	firingsAtOnce = 4
	// What failed for want of a server, rather than of a person's doing, is tried again after this.
	firingRest = 10 * time.Second
)

// Scheduler fires campaigns when they are due. One process at a time looks, elected by an advisory lock in PostgreSQL; two
// that look at once do no harm, since what a due time makes is decided under a lock of its campaign.
type Scheduler struct {
	Pool      *pgxpool.Pool
	Campaigns *campaign.Service
	Log       *slog.Logger
	Metrics   *metrics.Metrics // may be nil

	mu    sync.Mutex
	hand  map[string]time.Time // campaigns that are being fired, or rest until then
	slots chan struct{}
	work  sync.WaitGroup
}

// Run competes for leadership and fires what is due while it has it, until ctx ends. It returns once the firings that
// are under way have ended.
func (s *Scheduler) Run(ctx context.Context) error {
	leader := &leader{pool: s.Pool, lock: schedulerLock, work: metrics.LeaderScheduler, log: s.Log, metrics: s.Metrics}
	defer s.work.Wait()
	round := func(ctx context.Context) error { return s.look(ctx, time.Now()) }
	return leader.run(ctx, func() {}, round, func(ctx context.Context) bool { return pause(ctx, lookEvery) })
}

// fireDue fires everything that is due at a moment, and returns when that is done.
func (s *Scheduler) fireDue(ctx context.Context, now time.Time) error {
	err := s.look(ctx, now)
	s.work.Wait()
	return err
}

// look begins to fire what is due at a moment. How late a firing is counts from here: one that waits for others
// before it is not late for that.
func (s *Scheduler) look(ctx context.Context, now time.Time) error {
	names, err := s.Campaigns.Due(ctx, now)
	if err != nil {
		return err
	}
	for _, name := range names {
		if s.take(name, now) {
			s.work.Go(func() { s.fire(ctx, name, now) })
		}
	}
	return nil
}

// busy stands in hand for a campaign that is being fired.
var busy = time.Unix(1<<40, 0)

// take reports whether a campaign is nobody's yet, and makes it the caller's.
func (s *Scheduler) take(name string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hand == nil {
		s.hand, s.slots = make(map[string]time.Time), make(chan struct{}, firingsAtOnce)
	}
	if now.Before(s.hand[name]) {
		return false
	}
	s.hand[name] = busy
	return true
}

// give lets a campaign be fired again, not before the given moment.
func (s *Scheduler) give(name string, notBefore time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if notBefore.IsZero() {
		delete(s.hand, name)
		return
	}
	s.hand[name] = notBefore
}

func (s *Scheduler) fire(ctx context.Context, name string, seen time.Time) {
	var rest time.Time
	defer func() { s.give(name, rest) }()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return
	}
	fired, err := s.Campaigns.Fire(ctx, name, seen)
	for _, f := range fired {
		s.tell(f)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Error("a campaign that is due could not be looked at; trying again", "campaign", name, "err", err)
		rest = seen.Add(firingRest)
	}
}

// tell logs what became of a due time.
func (s *Scheduler) tell(f campaign.Firing) {
	facts := []any{"campaign", f.Campaign, "due_at", f.DueAt, "times", f.Times, "reason", f.Reason}
	switch f.State {
	case campaign.FiringFired:
		s.Log.Info("a campaign fired by its schedule", "campaign", f.Campaign, "due_at", f.DueAt, "run", f.Run)
	case campaign.FiringFailed:
		s.Log.Error("a campaign was due and could not be launched", facts...)
	default:
		s.Log.Warn("a campaign was due and did not fire", append(facts, "state", f.State)...)
	}
}
