package smpp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"pukar/smpp/pdu"
)

const (
	readBuffer = 64 << 10
	// controlLimit bounds what is owed to a peer that does not read. Beyond it the connection is as good as broken.
	controlLimit = 1 << 20
	// lateLimit is how many parts are remembered at least for a late response, unless lateFor is over; twice as many of both at most.
	lateLimit = 2048
	lateFor   = time.Minute
	// unbindGrace is how long a peer that sent an unbind may still answer what it was sent before.
	unbindGrace = 2 * time.Second
)

// session serves one bound connection until it ends.
type session struct {
	cfg   *BindConfig
	bind  *Bind
	conn  net.Conn
	in    *bufio.Reader
	log   *slog.Logger
	start time.Time

	mu        sync.Mutex
	control   []byte // encoded units that the peer is owed; the writer takes them before any part
	queue     sendQueue
	await     correlation
	slots     int       // window slots taken: from the claim of a part until Done has returned
	settled   []settled // results on their way to the settler
	unacked   int       // deliveries that nobody answered yet
	deaf      bool      // new deliveries are refused: the unbind is near
	refusal   error     // why no part is taken any more
	cause     error     // why the session ended
	heard     time.Time // when the peer last sent anything
	enquired  time.Time // when an enquire_link without an answer was sent; zero where there is none
	unbinding bool      // our unbind is on its way
	closeBy   time.Time // when a session that the peer unbound ends at the latest

	refused chan struct{} // closed when refusal is set
	dead    chan struct{} // closed when the session has ended

	// Each holds at most one signal, which says "look again"; it is kept when nobody waits yet.
	wakeWriter, wakeKeeper, wakeSettler, quiet chan struct{}

	writer writer
}

func newSession(b *Bind, conn net.Conn, in *bufio.Reader, lastSequence uint32) *session {
	now := time.Now()
	s := &session{
		cfg: &b.cfg, bind: b, conn: conn, in: in, log: b.log, start: now, heard: now,
		await:       newCorrelation(b.cfg.Window, lateLimit),
		refused:     make(chan struct{}),
		dead:        make(chan struct{}),
		wakeWriter:  make(chan struct{}, 1),
		wakeKeeper:  make(chan struct{}, 1),
		wakeSettler: make(chan struct{}, 1),
		quiet:       make(chan struct{}, 1),
	}
	s.writer.pace.set(b.cfg.PartsPerSecond)
	s.await.last = lastSequence
	if b.cfg.Type == TypeReceiver {
		s.refuse(ErrNotBound)
	}
	return s
}

// run serves the connection until it breaks, either side unbinds, or ctx is done, and returns why. All goroutines of the
// session have ended by then, and every part has its result.
func (s *session) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })
	defer stop()
	var line, results sync.WaitGroup
	finished := make(chan struct{})
	results.Go(func() { s.settle(finished) })
	line.Go(func() { s.end(s.read()) })
	line.Go(func() { s.end(s.write()) })
	line.Go(func() { s.end(s.keep()) })
	line.Wait()
	s.abandon()
	close(finished)
	results.Wait()
	return s.cause
}

// end breaks the session off; the first cause counts.
func (s *session) end(cause error) {
	s.mu.Lock()
	if s.cause != nil {
		s.mu.Unlock()
		return
	}
	if cause == nil {
		cause = ErrLine
	}
	s.cause = cause
	s.unacked = 0
	s.mu.Unlock()
	s.refuse(fmt.Errorf("%w: %w", ErrNotBound, cause))
	close(s.dead)
	// What the socket says on closing is of no more interest: the cause is known.
	_ = s.conn.Close()
}

// refuse stops the intake of parts. Each waiting Send gives its own rest up.
func (s *session) refuse(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal == nil {
		s.refusal = why
		close(s.refused)
	}
}

// abandon settles what still awaits a response after the connection is gone.
func (s *session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Result{Outcome: Unknown, At: time.Now(), Err: ErrLine}
	if !errors.Is(s.cause, ErrLine) {
		r.Err = fmt.Errorf("%w: %w", ErrLine, s.cause)
	}
	s.await.clear(func(p pending) { s.settled = append(s.settled, settled{send: p.send, part: p.part, result: r}) })
}

// send is Bind.Send on this session.
func (s *session) send(ctx context.Context, batch *Batch) {
	send := &sending{batch: batch, done: make(chan struct{})}
	s.mu.Lock()
	refusal := s.refusal
	if refusal == nil {
		s.queue.push(send)
	}
	s.mu.Unlock()
	if refusal != nil {
		giveUp(batch, 0, refusal)
		return
	}
	signal(s.wakeWriter)
	var late <-chan time.Time
	if !batch.SendBy.IsZero() {
		timer := time.NewTimer(time.Until(batch.SendBy))
		defer timer.Stop()
		late = timer.C
	}
	var why error
	select {
	case <-send.done:
		return
	case <-ctx.Done():
		why = context.Cause(ctx)
	case <-late:
		why = ErrSendBy
	case <-s.refused:
		s.mu.Lock()
		why = s.refusal
		s.mu.Unlock()
	}
	s.mu.Lock()
	first := s.queue.giveUp(send)
	s.mu.Unlock()
	giveUp(batch, first, why)
}

// giveUp reports every part from the first given on as not sent.
func giveUp(batch *Batch, first int, why error) {
	now := time.Now()
	for i := first; i < len(batch.Parts); i++ {
		batch.Done(i, Result{Outcome: NotSent, At: now, Err: why})
	}
}

// owe queues an encoded answer for the writer, past the window. The caller holds the mutex.
func (s *session) owe(unit func(control []byte) []byte) {
	if s.cause != nil {
		return
	}
	s.control = unit(s.control)
	signal(s.wakeWriter)
}

// acknowledge answers a delivery.
func (s *session) acknowledge(response pdu.ID, status pdu.Status, sequence uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return
	}
	s.unacked--
	s.control = appendAck(s.control, response, status, sequence)
	signal(s.wakeWriter)
	if s.unacked == 0 {
		signal(s.quiet)
	}
}

func appendAck(dst []byte, response pdu.ID, status pdu.Status, sequence uint32) []byte {
	if response == pdu.DataSMRespID {
		return (&pdu.DataSMResp{}).Append(dst, status, sequence)
	}
	return (&pdu.DeliverSMResp{}).Append(dst, status, sequence)
}

// drain lets the session finish: no new parts, a result for every part that is out, an answer to every delivery, then unbind.
func (s *session) drain(ctx context.Context) error {
	s.refuse(ErrDraining)
	defer s.end(ErrDraining)
	if err := s.until(ctx, func() bool { return s.slots == 0 }); err != nil {
		return fmt.Errorf("wait for responses: %w", err)
	}
	s.mu.Lock()
	s.deaf = true
	s.mu.Unlock()
	// An application that does not answer must not keep the line: the centre brings the message again.
	patience, cancel := context.WithTimeout(ctx, s.cfg.ResponseTimeout)
	defer cancel()
	if err := s.until(patience, func() bool { return s.unacked == 0 }); err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for acknowledgements: %w", err)
	}
	s.mu.Lock()
	s.unbinding = true
	sequence := s.await.next()
	s.owe(func(c []byte) []byte { return pdu.AppendHeaderOnly(c, pdu.UnbindID, pdu.StatusOK, sequence) })
	s.mu.Unlock()
	answer, cancelAnswer := context.WithTimeout(ctx, s.cfg.ResponseTimeout)
	defer cancelAnswer()
	select {
	case <-s.dead:
	case <-answer.Done():
		if ctx.Err() != nil {
			return fmt.Errorf("wait for unbind_resp: %w", context.Cause(ctx))
		}
	}
	return nil
}

// until waits for a condition over what the mutex guards; the end of the session fulfils any.
func (s *session) until(ctx context.Context, met func() bool) error {
	for {
		s.mu.Lock()
		ok := met() || s.cause != nil
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-s.quiet:
		case <-s.dead:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// load is how many parts are out or wait for their turn, and whether more are taken.
func (s *session) load() (outstanding, waiting int, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slots, s.queue.parts, s.refusal == nil
}

// since is a time as the correlation keeps it.
func (s *session) since(t time.Time) int64 { return int64(t.Sub(s.start)) }

// signal leaves a "look again" where there is none yet.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *session) alive() bool {
	select {
	case <-s.dead:
		return false
	default:
		return true
	}
}
