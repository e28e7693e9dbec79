package smsc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pukar/smpp/pdu"
)

const (
	readSize      = 64 << 10
	writeSize     = 64 << 10   // a write is sent off when it is this long
	backlog       = 1 << 20    // octets that may wait to be written before the reader waits
	firstSequence = 0x40000000 // of deliver_sm
	writeTimeout  = time.Minute
)

// session is one connection.
type session struct {
	centre *Centre
	conn   net.Conn
	r      *bufio.Reader

	// The reader's own.
	submit   pdu.SubmitSM
	ident    []byte
	buf      []byte
	answers  []byte     // submit_sm_resp of this batch
	answered int        // how many there are
	urgent   []byte     // other responses of this batch, which no ResponseDelay holds back
	fresh    []delivery // deliveries that this batch brought about
	now      time.Duration
	wall     time.Time

	// Guarded by Centre.mu.
	account     *account // nil until bound
	command     pdu.ID   // of the bind
	flights     []flight
	free        []int32
	bySequence  map[uint32]int32
	sequence    uint32
	lastSubmits []uint32 // sequence numbers for Options.CollidingSequence, the newest last
	enquired    int      // enquire_link sent since the last octet came
	leaving     bool

	heard      atomic.Int64 // when the last unit came, since the centre's start
	unanswered atomic.Int64 // submits whose response waits to be written
	wake       chan struct{}
	gone       chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	room    sync.Cond // of mu: the writer took something
	out     []byte    // to be written now
	held    []segment // to be written later, in order
	waiting int       // octets in out and held
	ending  bool      // write what is in out, then close
	broken  bool      // the writer has ended
}

// segment is a batch of responses that is held back.
type segment struct {
	due     time.Duration
	octets  []byte
	submits int
}

func newSession(c *Centre, conn net.Conn) *session {
	s := &session{
		centre: c, conn: conn, r: bufio.NewReaderSize(conn, readSize), sequence: firstSequence,
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	s.room.L = &s.mu
	s.heard.Store(int64(c.since()))
	return s
}

// receives says whether deliver_sm may be sent. Centre.mu is held.
func (s *session) receives() bool {
	return !s.leaving && (s.command == pdu.BindReceiverID || s.command == pdu.BindTransceiverID)
}

// signal has the writer look for work; it never blocks.
func (s *session) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// read serves the connection until it ends.
func (s *session) read() error {
	c := s.centre
	defer close(s.gone)
	locked := false
	defer func() {
		if locked {
			c.mu.Unlock()
		}
	}()
	for {
		if locked && (!s.whole() || len(s.answers) > writeSize) {
			locked = false
			s.endBatch(false)
		}
		h, body, buf, err := pdu.ReadPDU(s.r, s.buf)
		s.buf = buf
		if errors.Is(err, pdu.ErrLength) {
			s.urgent = pdu.AppendHeaderOnly(s.urgent, pdu.GenericNackID, pdu.StatusInvalidCommandLength, h.Sequence)
		} else if err != nil {
			return err
		}
		if !locked {
			c.mu.Lock()
			locked = true
			s.now = c.since()
			s.wall = c.start.Add(s.now)
			s.heard.Store(int64(s.now))
			s.enquired = 0
		}
		if err != nil {
			c.stats.ProtocolErrors++
		}
		if err != nil || !s.handle(h, body) {
			locked = false
			s.endBatch(true)
			return err
		}
	}
}

// whole says whether the next unit can be read without waiting.
func (s *session) whole() bool {
	n := s.r.Buffered()
	if n < pdu.HeaderLength {
		return false
	}
	head, err := s.r.Peek(4)
	return err == nil && uint32(n) >= binary.BigEndian.Uint32(head)
}

// endBatch unlocks Centre.mu, hands the responses to the writer, and then queues the deliveries: no receipt overtakes its
// response unless it is meant to.
func (s *session) endBatch(ending bool) {
	c := s.centre
	now := s.now
	c.mu.Unlock()
	s.handOver(ending)
	if len(s.fresh) == 0 {
		return
	}
	c.mu.Lock()
	a := s.account
	ready := 0
	for i := range s.fresh {
		if a.schedule(&s.fresh[i], now) {
			ready++
		}
	}
	if ready > 0 {
		a.wake()
	}
	c.mu.Unlock()
	if ready < len(s.fresh) {
		c.hurry()
	}
	s.fresh = s.fresh[:0]
}

func (s *session) handOver(ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.waiting > backlog && !s.broken {
		s.room.Wait()
	}
	s.waiting += len(s.urgent) + len(s.answers)
	s.out = append(s.out, s.urgent...)
	switch delay := s.centre.opts.ResponseDelay; {
	case len(s.answers) == 0:
	case delay > 0 && !ending:
		s.held = append(s.held, segment{s.now + delay, append([]byte(nil), s.answers...), s.answered})
		s.unanswered.Add(int64(s.answered))
	default:
		s.out = append(s.out, s.answers...)
	}
	s.urgent, s.answers, s.answered = s.urgent[:0], s.answers[:0], 0
	s.ending = s.ending || ending
	s.signal()
}

// write sends responses and deliveries until the connection ends, and closes it.
func (s *session) write() {
	c := s.centre
	defer func() {
		s.conn.Close()
		s.mu.Lock()
		s.broken = true
		s.room.Broadcast()
		s.mu.Unlock()
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var out, deliveries []byte
	for {
		// Deliveries are taken first and written last: the response to any of their submits was handed over before.
		now := c.since()
		c.mu.Lock()
		deliveries = c.take(s, deliveries[:0], now)
		c.mu.Unlock()
		var next time.Duration
		var ending bool
		out, next, ending = s.due(out[:0], now)
		if c.opts.CollidingSequence {
			out, deliveries = append(deliveries, out...), out
		} else {
			out = append(out, deliveries...)
		}
		if len(out) > 0 {
			if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
				return
			}
			if _, err := s.conn.Write(out); err != nil {
				return
			}
		}
		if ending {
			return
		}
		if len(out) > 0 {
			continue
		}
		timer.Reset(next)
		select {
		case <-s.wake:
		case <-timer.C:
		case <-s.gone:
			// What was handed over last is still written, if the peer lets it.
			s.mu.Lock()
			s.ending = true
			s.mu.Unlock()
		}
	}
}

// due appends what is to be written now and says in how long there is more.
func (s *session) due(dst []byte, now time.Duration) (out []byte, next time.Duration, ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dst = append(dst, s.out...)
	s.waiting -= len(s.out)
	s.out = s.out[:0]
	next = time.Hour
	for len(s.held) > 0 {
		first := &s.held[0]
		if first.due > now {
			next = first.due - now
			break
		}
		dst = append(dst, first.octets...)
		s.waiting -= len(first.octets)
		s.unanswered.Add(-int64(first.submits))
		*first = segment{}
		s.held = s.held[1:]
	}
	s.room.Signal()
	return dst, next, s.ending
}
