package smpp

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// State is what a bind is doing.
type State string

// The states of a bind.
const (
	Connecting State = "connecting" // dialing, or waiting for the answer to the bind
	Bound      State = "bound"
	Waiting    State = "waiting" // until the next attempt
	Closed     State = "closed"  // not started, stopped or drained
)

// BindStatus is a bind at one moment.
type BindStatus struct {
	Name   string
	Type   string
	State  State
	Since  time.Time // when the state began
	Reason string    // why it is not bound, or why the last session ended; empty when all is well
	// Outstanding is how many submits hold a window slot, Queued how many parts wait for one.
	Outstanding, Queued, Window int
	// PausedUntil is when submitting goes on after the centre throttled; zero when it does not pause. RateLimit is the parts a
	// second that it is held down to since; zero when it is not.
	PausedUntil time.Time
	RateLimit   float64
	// RetryAt is when the next attempt to connect comes, while the state is Waiting.
	RetryAt time.Time
	// Refused is set while the centre refuses our credentials: a person has to mend that.
	Refused bool
}

// Bind is one connection to a message centre, kept up by Run. Its methods may be called from any goroutine.
type Bind struct {
	cfg        BindConfig
	deliver    func(*Delivery)
	log        *slog.Logger
	busy       congestion
	deliveries chan *Delivery // one place for each delivery that may be unanswered
	stopping   chan struct{}  // closed by Drain
	ended      chan struct{}  // closed when Run has returned

	mu      sync.Mutex
	status  BindStatus
	session *session           // nil unless bound
	hangUp  context.CancelFunc // breaks off an attempt to connect; nil when there is none
	running bool
	stopped bool
}

// NewBind makes a bind that Run will keep up. deliver is called for each delivery on a goroutine of the bind, one at a time; it
// passes the delivery on and returns, and someone calls Ack later. With nil every delivery is refused for the time being.
// A configuration that makes no sense is reported by Run.
func NewBind(cfg BindConfig, deliver func(*Delivery), log *slog.Logger) *Bind {
	cfg = cfg.withDefaults()
	return &Bind{
		cfg:        cfg,
		deliver:    deliver,
		log:        log.With("bind", cfg.Name),
		deliveries: make(chan *Delivery, max(cfg.DeliveryLimit, 0)),
		stopping:   make(chan struct{}),
		ended:      make(chan struct{}),
		status:     BindStatus{Name: cfg.Name, Type: cfg.Type, State: Closed, Since: time.Now(), Reason: "not started", Window: cfg.Window},
	}
}

// Name is the bind's name in the configuration.
func (b *Bind) Name() string { return b.cfg.Name }

// Run keeps the bind up until ctx is done or Drain has finished; both end it with nil. A cancelled ctx cuts the connection: what
// awaits a response is Unknown then, so call Drain first. It can run once; an error means that the configuration is wrong.
func (b *Bind) Run(ctx context.Context) error {
	if err := b.cfg.validate(); err != nil {
		return err
	}
	b.mu.Lock()
	if b.running {
		b.mu.Unlock()
		return errors.New("bind " + b.cfg.Name + " was run before")
	}
	b.running = true
	b.mu.Unlock()

	finished := make(chan struct{})
	var deliverer sync.WaitGroup
	deliverer.Go(func() { b.passOn(finished) })
	b.keepUp(ctx)
	close(finished)
	deliverer.Wait()
	b.set(Closed, nil, time.Time{})
	close(b.ended)
	return nil
}

// keepUp connects again and again.
func (b *Bind) keepUp(ctx context.Context) {
	wait := backoff{first: b.cfg.ReconnectFirst, limit: b.cfg.ReconnectLimit}
	for {
		held, err := b.runOnce(ctx)
		if ctx.Err() != nil || b.isStopped() {
			return
		}
		pause := wait.next(err, held)
		b.set(Waiting, err, time.Now().Add(pause))
		if bindFatal(err) {
			b.log.Error("centre refuses the bind", "err", err, "retry_in", pause)
		} else {
			b.log.Warn("bind is down", "err", err, "retry_in", pause)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-b.stopping:
		}
		timer.Stop()
		if ctx.Err() != nil || b.isStopped() {
			return
		}
	}
}

// runOnce is one connection, from dialing to its end; it returns how long it was bound and why it ended.
func (b *Bind) runOnce(ctx context.Context) (held time.Duration, err error) {
	attempt, hangUp := context.WithCancel(ctx)
	defer hangUp()
	if !b.begin(hangUp) {
		return 0, ErrDraining
	}
	s, err := b.connect(attempt)
	if err != nil {
		return 0, err
	}
	if !b.adopt(s) {
		// Drain came in between; nobody has used the session yet.
		_ = s.conn.Close()
		return 0, ErrDraining
	}
	b.log.Info("bound", "window", b.cfg.Window)
	began := time.Now()
	err = s.run(ctx)
	b.release()
	return time.Since(began), err
}

func (b *Bind) begin(hangUp context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	b.hangUp = hangUp
	b.change(Connecting)
	return true
}

func (b *Bind) adopt(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hangUp = nil
	if b.stopped {
		return false
	}
	b.session = s
	b.status.Reason, b.status.Refused = "", false
	b.change(Bound)
	return true
}

func (b *Bind) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.session = nil
}

func (b *Bind) change(state State) {
	b.status.State, b.status.Since, b.status.RetryAt = state, time.Now(), time.Time{}
}

func (b *Bind) set(state State, why error, retryAt time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.change(state)
	b.status.RetryAt = retryAt
	b.status.Refused = bindFatal(why)
	b.status.Reason = ""
	if why != nil {
		b.status.Reason = why.Error()
	}
}

func (b *Bind) isStopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

func (b *Bind) current() *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.session
}

// Send hands the parts over in their order, each when its slot has come and the window has room, and returns when every part is
// written or given up; what was handed over before ctx ended or SendBy passed stays on its way. The outcomes come through Done,
// for parts that are given up from Send itself. Any number of callers may send at once: they take turns, part by part.
func (b *Bind) Send(ctx context.Context, batch *Batch) {
	if len(batch.Parts) == 0 {
		return
	}
	if ctx.Err() != nil {
		giveUp(batch, 0, context.Cause(ctx))
		return
	}
	s := b.current()
	if s == nil {
		giveUp(batch, 0, ErrNotBound)
		return
	}
	s.send(ctx, batch)
}

// Drain takes no new parts, waits for the responses of those that are out while deliveries go on, waits for the answers to the
// deliveries, unbinds and ends Run. When ctx ends first, the connection is cut, what was still awaited is Unknown, and the error says
// what was waited for. Without a connection it just stops.
func (b *Bind) Drain(ctx context.Context) error {
	b.mu.Lock()
	if !b.stopped {
		b.stopped = true
		close(b.stopping)
	}
	s, hangUp, running := b.session, b.hangUp, b.running
	b.mu.Unlock()
	var err error
	switch {
	case s != nil:
		err = s.drain(ctx)
	case hangUp != nil:
		hangUp()
	}
	if running {
		select {
		case <-b.ended:
		case <-ctx.Done():
			err = errors.Join(err, context.Cause(ctx))
		}
	}
	return err
}

// Bound reports whether the bind has a session.
func (b *Bind) Bound() bool { return b.current() != nil }

// Status is a copy of the bind's state.
func (b *Bind) Status() BindStatus {
	b.mu.Lock()
	status, s := b.status, b.session
	b.mu.Unlock()
	if s != nil {
		status.Outstanding, status.Queued, _ = s.load()
	}
	status.PausedUntil, status.RateLimit = b.busy.limit(time.Now())
	return status
}

// ready reports whether the bind can submit now, and the share of its window that is taken or waited for.
func (b *Bind) ready(now time.Time) (load float64, ok bool) {
	s := b.current()
	if s == nil {
		return 0, false
	}
	if until, _ := b.busy.limit(now); !until.IsZero() {
		return 0, false
	}
	outstanding, queued, open := s.load()
	if !open {
		return 0, false
	}
	return float64(outstanding+queued) / float64(b.cfg.Window), true
}

// passOn calls deliver. What came with a session that is gone is left out: its centre brings it again.
func (b *Bind) passOn(finished <-chan struct{}) {
	for {
		select {
		case d := <-b.deliveries:
			if d.session.alive() {
				b.deliver(d)
			}
		case <-finished:
			return
		}
	}
}
