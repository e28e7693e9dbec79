package smsc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"pukar/smpp/pdu"
)

// Centre is a message centre. Use New, then Run, or Start and Close.
type Centre struct {
	opts       Options
	log        *slog.Logger
	responseID func([]byte, uint64) []byte
	start      time.Time
	listener   net.Listener
	wg         sync.WaitGroup
	closed     chan struct{}
	kick       chan struct{} // something was queued for later

	mu          sync.Mutex
	state       lifeState
	sessions    map[*session]struct{}
	accounts    map[string]*account
	order       []*account
	turn        int
	chunks      chunks
	receipts    receiptWriter
	minute      minuteText
	journal     *journal
	nextID      uint64
	inbound     map[uint32]*inbound
	lastInbound uint32
	seen        *bigSet // payloads by destination; nil: not counted
	stopped     hashSet // numbers whose STOP was acknowledged
	rate        rateMeter
	stats       Stats
	statuses    map[pdu.Status]int64
}

// closeTimeout is how long Close lets clients read what is left.
const closeTimeout = 3 * time.Second

type lifeState uint8

const (
	lifeNew lifeState = iota
	lifeRunning
	lifeClosed
)

// New makes a centre; what is wrong with the options is reported by Start.
func New(opts Options, log *slog.Logger) *Centre {
	return &Centre{
		opts: opts.withDefaults(), log: log.With("component", "smsc"), start: time.Now(),
		closed: make(chan struct{}), kick: make(chan struct{}, 1),
		sessions: make(map[*session]struct{}), accounts: make(map[string]*account), inbound: make(map[uint32]*inbound),
		statuses: make(map[pdu.Status]int64),
	}
}

// since is the time since the centre was made, which does not jump with the wall clock.
func (c *Centre) since() time.Duration { return time.Since(c.start) }

// Start listens and serves until Close. It may be called once.
func (c *Centre) Start() error {
	if err := c.opts.validate(); err != nil {
		return fmt.Errorf("simulated message centre: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != lifeNew {
		return errors.New("simulated message centre: started twice")
	}
	c.listener = c.opts.Listener
	if c.listener == nil {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", c.opts.Addr)
		if err != nil {
			return fmt.Errorf("simulated message centre: %w", err)
		}
		c.listener = l
	}
	c.state = lifeRunning
	form := idForms[c.opts.IDForm]
	c.responseID = form.response
	c.receipts.form, c.receipts.id = c.opts.ReceiptForm, form.receipt
	c.nextID = c.opts.FirstID - 1
	c.stopped.limit = 1 << 26
	if c.opts.DuplicateLimit > 0 {
		c.seen = newBigSet(c.opts.DuplicateLimit)
	}
	if c.opts.Record != nil {
		c.journal = newJournal(c.opts.Record)
	}
	c.wg.Go(c.accept)
	c.wg.Go(c.clock)
	c.log.Info("listening", "addr", c.listener.Addr().String())
	return nil
}

// Addr is where the centre listens, such as "127.0.0.1:40123"; it is empty before Start.
func (c *Centre) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener == nil {
		return ""
	}
	return c.listener.Addr().String()
}

// Run starts the centre, serves until ctx is done, and closes it.
func (c *Centre) Run(ctx context.Context) error {
	if err := c.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return c.Close()
}

// Close unbinds every client, closes their connections, waits for all goroutines and flushes the record. The error is the
// record's. A second Close does nothing.
func (c *Centre) Close() error {
	c.mu.Lock()
	if c.state != lifeRunning {
		c.state = lifeClosed
		c.mu.Unlock()
		return nil
	}
	c.state = lifeClosed
	close(c.closed)
	err := c.listener.Close()
	for s := range c.sessions {
		s.leaving = true
		s.end()
	}
	c.mu.Unlock()
	// A client that does not read must not hold up the end.
	impatience := time.AfterFunc(closeTimeout, c.DropAll)
	c.wg.Wait()
	impatience.Stop()
	return errors.Join(err, c.Flush())
}

// Flush writes out what Options.Record has been spared so far.
func (c *Centre) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil {
		return nil
	}
	if err := c.journal.flush(); err != nil {
		return fmt.Errorf("record of submits: %w", err)
	}
	return nil
}

// DropAll cuts every connection without a word, as a failing link does. What was not acknowledged is kept.
func (c *Centre) DropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sessions {
		s.conn.Close()
	}
}

func (c *Centre) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			select {
			case <-c.closed:
				return
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			c.log.Warn("accept", "err", err)
			// Out of descriptors, most likely: others must close first.
			timer := time.NewTimer(100 * time.Millisecond)
			select {
			case <-timer.C:
				continue
			case <-c.closed:
				timer.Stop()
				return
			}
		}
		c.Serve(conn)
	}
}

// Serve takes over a connection that was made elsewhere, such as an end of net.Pipe. It returns at once; a centre that is not
// running closes the connection.
func (c *Centre) Serve(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != lifeRunning {
		conn.Close()
		return
	}
	s := newSession(c, conn)
	c.sessions[s] = struct{}{}
	c.wg.Go(func() {
		var both sync.WaitGroup
		both.Go(s.write)
		err := s.read()
		c.mu.Lock()
		delete(c.sessions, s)
		if s.account != nil {
			c.log.Info("unbound", "system_id", s.account.systemID, "cause", cause(err))
			s.account.remove(s)
		}
		c.mu.Unlock()
		both.Wait()
	})
}

func cause(err error) string {
	if err == nil {
		return "closed by the centre or by unbind"
	}
	return err.Error()
}

// end asks the client to unbind, and closes the connection when that is written.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = pdu.AppendHeaderOnly(s.out, pdu.UnbindID, pdu.StatusOK, firstSequence-1)
	s.ending = true
	s.signal()
}

// hurry has the clock tick soon. It never blocks.
func (c *Centre) hurry() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// clock moves deliveries along when they are due, and once a second looks after what is late.
func (c *Centre) clock() {
	const idle = 250 * time.Millisecond
	timer := time.NewTimer(idle)
	defer timer.Stop()
	care := c.since()
	for pending := false; ; {
		kick := c.kick
		if pending {
			kick = nil // the clock ticks as it is
		}
		select {
		case <-c.closed:
			return
		case <-kick:
		case <-timer.C:
		}
		now := c.since()
		pending = c.advance(now)
		if now-care >= time.Second || now-care >= c.opts.RedeliverAfter {
			care = now
			c.care(now)
		}
		if pending {
			timer.Reset(tick)
		} else {
			timer.Reset(idle)
		}
	}
}

// advance queues what is due by now and says whether there is more to come.
func (c *Centre) advance(now time.Duration) (pending bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.order {
		if a.wheel.advance(now, &a.ready) {
			a.wake()
		}
		pending = pending || a.wheel.n > 0
	}
	return pending
}

// care repeats what was not acknowledged, enquires after silent clients, drops dead ones, and flushes the record.
func (c *Centre) care(now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sessions {
		if s.account != nil {
			c.overdue(s, now)
			if s.account.ready.n > 0 {
				s.signal()
			}
		}
		interval := c.opts.EnquireInterval
		silence := now - time.Duration(s.heard.Load())
		switch {
		case interval < 0:
		case silence > 3*interval:
			s.conn.Close()
		case silence > interval*time.Duration(s.enquired+1) && s.account != nil:
			s.enquired++
			s.enquire()
		}
	}
	if c.journal != nil {
		if before := c.journal.err; c.journal.flush() != nil && before == nil {
			c.log.Error("record of submits", "err", c.journal.err)
		}
	}
}

func (s *session) enquire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = pdu.AppendHeaderOnly(s.out, pdu.EnquireLinkID, pdu.StatusOK, firstSequence-1)
	s.signal()
}
