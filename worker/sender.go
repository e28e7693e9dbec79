package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pukar/campaign"
	"pukar/internal/pgdb"
	"pukar/internal/queue"
	"pukar/internal/throttle"
)

const (
	workTime    = 10 * time.Second // a handler's turn
	renewEvery  = 5 * time.Second
	tokenWait   = 2 * time.Second
	recordTime  = 45 * time.Second
	readAhead   = 1000 // recipients rendered before their stride
	strideParts = 500  // the most that one stride holds
)

// Sender works the batches that hints name.
type Sender struct {
	Ledger   *campaign.Ledger
	Runs     *Runs
	Hinter   *Hinter
	Throttle *throttle.Throttle
	Routes   map[string]*Route
	Memory   *Memory
	Stops    *Stops
	Holder   string // names this process in leases
	Log      *slog.Logger

	stopping atomic.Bool
	working  sync.WaitGroup // handlers: the queue gives them up after a while, but they go on
	late     sync.WaitGroup
	lateOnce sync.Once
	lateRoom chan struct{} // bounds how many late responses are being recorded
}

// lateAtOnce leaves most connections to the strides when a centre wakes up with thousands of responses.
const lateAtOnce = 4

// Work leases the batch that a hint names and opens strides in it for ten seconds, or until its window
// closes, its lease is gone or nothing is left. A hint that leads nowhere is no error.
func (s *Sender) Work(ctx context.Context, h queue.Hint) error {
	s.working.Add(1)
	defer s.working.Done()
	if s.stopping.Load() {
		return nil
	}
	lease, err := s.Ledger.Claim(ctx, h.Run, h.Batch, s.Holder)
	if errors.Is(err, campaign.ErrNotLeased) {
		return nil
	}
	if err != nil {
		return err
	}
	rest, err := s.workLeased(ctx, lease)
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewEvery)
	defer cancel()
	if releaseErr := s.Ledger.Release(release, lease, rest); releaseErr != nil {
		return errors.Join(err, releaseErr) // it comes back when the lease runs out
	}
	if s.stopping.Load() {
		return err
	}
	return errors.Join(err, s.Hinter.Hint(release, lease.Run))
}

func (s *Sender) workLeased(ctx context.Context, lease *campaign.Lease) (rest time.Duration, err error) {
	job, err := s.Runs.get(ctx, lease.Run)
	if err != nil {
		return idleRest, err
	}
	route := s.Routes[job.run.Route]
	if route == nil {
		return idleRest, fmt.Errorf("run %d goes by route %q, which this process does not have: add it to the configuration or cancel the campaign", lease.Run, job.run.Route)
	}
	return newShift(s, newPostmaster(job.run, job.template, route), lease, job.window).work(ctx)
}

// Stop lets the shifts that are on end with the strides that they have opened.
func (s *Sender) Stop() { s.stopping.Store(true) }

// Wait returns when the handlers have ended and late responses are recorded, or when ctx ends.
func (s *Sender) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.working.Wait()
		s.late.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recordLate keeps a response that came after its part was given up.
func (s *Sender) recordLate(stride *campaign.Stride, r campaign.PartResult) {
	s.lateOnce.Do(func() { s.lateRoom = make(chan struct{}, lateAtOnce) })
	s.late.Go(func() {
		s.lateRoom <- struct{}{}
		defer func() { <-s.lateRoom }()
		ctx, cancel := context.WithTimeout(context.Background(), recordTime)
		defer cancel()
		for {
			err := s.Ledger.Late(ctx, stride, r)
			if err == nil {
				return
			}
			if !pgdb.Retryable(err) || !pause(ctx, time.Second) {
				s.Log.Error("a late response is lost; its message stays unknown", "run", stride.Run, "seq", r.Seq, "err", err)
				return
			}
		}
	})
}
