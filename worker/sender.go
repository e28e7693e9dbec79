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
	"pukar/internal/metrics"
	"pukar/internal/pgdb"
	"pukar/internal/queue"
	"pukar/internal/throttle"
)

const (
	renewEvery  = 5 * time.Second
	tokenWait   = 2 * time.Second
	recordTime  = 45 * time.Second
	readAhead   = 1000 // recipients rendered before their stride
	strideParts = 500  // the most that one stride holds
)

// beginAtOnce bounds how many runs a process begins beside what the queue gives it.
const beginAtOnce = 16

// Sender works the batches that hints name.
type Sender struct {
	Ledger   *campaign.Ledger
	Runs     *Runs
	Hinter   *Hinter
	Throttle *throttle.Throttle
	Routes   map[string]*Route
	Memory   *Memory
	Stops    *Stops
	Halts    *Halts
	Breaker  *Breaker
	Holder   string          // names this process in leases
	Moved    chan<- struct{} // told when a run has no more work to give; may be nil
	Metrics  *metrics.Metrics
	Log      *slog.Logger

	begun    atomic.Int32 // runs whose first batch this process works on without the queue
	stopping atomic.Bool
	working  sync.WaitGroup // handlers: the queue gives them up after a while, but they go on
	late     sync.WaitGroup
	lateOnce sync.Once
	lateRoom chan struct{} // bounds how many late responses are being recorded
}

// lateAtOnce leaves most connections to the strides when a centre wakes up with thousands of responses.
const lateAtOnce = 4

// Work leases the batch that a hint names and opens strides in it for its lane's turn, or until its window
// closes, its lease is gone or nothing is left. With time left it goes on with the run's next batch, without a way
// through the queue. A hint that leads nowhere is no error.
func (s *Sender) Work(ctx context.Context, h queue.Hint) error {
	s.working.Add(1)
	defer s.working.Done()
	until := time.Now().Add(s.turn(ctx, h.Run))
	var errs []error
	for next := &h; next != nil; {
		lease, err := s.claim(ctx, *next)
		if lease == nil {
			errs = append(errs, err)
			break
		}
		rest, err := s.workLeased(ctx, lease, until)
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewEvery)
		next, err = s.release(release, lease, rest, err, until)
		cancel()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// turn is how long a handler stays with a run.
func (s *Sender) turn(ctx context.Context, run int32) time.Duration {
	job, err := s.Runs.get(ctx, run)
	if err != nil {
		return laneTerms[bulk].turn // whoever claims the batch meets the error too, and says it
	}
	return laneTerms[laneOf(job.run.Priority)].turn
}

// Begin hands a run's first hints out and works on one of them at once in this process: the queue is looked at
// only so often. It returns without waiting for that work.
func (s *Sender) Begin(ctx context.Context, run int32) error {
	if s.begun.Add(1) > beginAtOnce || s.stopping.Load() {
		s.begun.Add(-1)
		return s.Hinter.Hint(ctx, run)
	}
	own, err := s.Hinter.HintAllButOne(ctx, run)
	if own == nil {
		s.begun.Add(-1)
		return err
	}
	s.workAside(ctx, *own)
	return err
}

// workAside works on a hint beside what the queue gives; s.begun counts it already.
func (s *Sender) workAside(ctx context.Context, own queue.Hint) {
	s.working.Add(1)
	go func() {
		defer s.working.Done()
		defer s.begun.Add(-1)
		work, cancel := context.WithTimeout(context.WithoutCancel(ctx), queue.Timeout)
		defer cancel()
		if err := s.Work(work, own); err != nil {
			s.Log.Warn("the first batch of a run was cut short", "run", own.Run, "err", err)
		}
	}()
}

// claim leases the batch of a hint; without a lease and an error there is nothing to do.
func (s *Sender) claim(ctx context.Context, h queue.Hint) (*campaign.Lease, error) {
	if s.stopping.Load() {
		return nil, nil
	}
	lease, err := s.Ledger.Claim(ctx, h.Run, h.Batch, s.Holder)
	if errors.Is(err, campaign.ErrNotLeased) {
		return nil, nil
	}
	return lease, err
}

// release gives the batch back, hands the run's next hints out, and answers the one that this handler keeps
// for itself, if its turn is not over.
func (s *Sender) release(ctx context.Context, lease *campaign.Lease, rest time.Duration, worked error, until time.Time) (*queue.Hint, error) {
	if err := s.Ledger.Release(ctx, lease, rest); err != nil {
		return nil, errors.Join(worked, err) // it comes back when the lease runs out
	}
	switch {
	case s.stopping.Load(), s.isMessage(ctx, lease.Run): // the sweeper looks after messages together
		return nil, worked
	case worked != nil || !time.Now().Before(until):
		return nil, errors.Join(worked, s.Hinter.Hint(ctx, lease.Run))
	}
	next, err := s.Hinter.HintAllButOne(ctx, lease.Run)
	if next == nil && err == nil {
		select {
		case s.Moved <- struct{}{}:
		default: // it was told already
		}
	}
	return next, err
}

func (s *Sender) workLeased(ctx context.Context, lease *campaign.Lease, until time.Time) (rest time.Duration, err error) {
	job, err := s.Runs.get(ctx, lease.Run)
	if err != nil {
		return idleRest, err
	}
	route := s.Routes[job.run.Route]
	if route == nil {
		return idleRest, fmt.Errorf("run %d goes by route %q, which this process does not have: add it to the configuration or cancel the campaign", lease.Run, job.run.Route)
	}
	if job.isMessage() && !canSend(route) {
		return awayRest, nil
	}
	return newShift(s, newPostmaster(job.run, job.template, route), lease, job.window).work(ctx, until)
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
