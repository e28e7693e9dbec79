package smpp

import (
	"fmt"
	"time"

	"pukar/smpp/pdu"
)

const (
	// claimLimit is how many parts are registered under one lock.
	claimLimit = 256
	// flushSize is when the buffer is written even though more parts could join it, in octets.
	flushSize = 64 << 10
)

// writer is the state of the writing goroutine, and nobody else's.
type writer struct {
	out      []byte
	claims   []claim
	finished []*sending // callers whose last part is among the claims
	pace     pace       // the bind's own rate
	held     pace       // the rate that throttling left
}

// claim is a part that holds a window slot and a sequence number, and is about to be written.
type claim struct {
	send     *sending
	part     int
	sequence uint32 // zero once the part was given up
	start    int    // where its first byte lies in out
}

// write sends what the peer is owed and the parts that are due, as many as there are in one write, until the session ends.
func (s *session) write() error {
	w := &s.writer
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, more := s.claim(time.Now())
		err := s.emit()
		for _, send := range w.finished {
			close(send.done)
		}
		clear(w.finished)
		w.finished = w.finished[:0]
		if err != nil {
			return err
		}
		if s.unbound() {
			return ErrPeerUnbound
		}
		if more {
			continue
		}
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-s.wakeWriter:
		case <-due:
		case <-s.dead:
			return nil
		}
	}
}

// claim takes what is owed into the buffer, and gives a slot and a number to every part that may go now. It returns when the next
// one may, or zero where only a signal can tell, and whether more could have been claimed at once.
func (s *session) claim(now time.Time) (next time.Time, more bool) {
	w := &s.writer
	s.mu.Lock()
	defer s.mu.Unlock()
	w.out, s.control = append(w.out[:0], s.control...), s.control[:0]
	w.claims = w.claims[:0]
	if s.refusal != nil || len(s.queue.list) == 0 {
		return time.Time{}, false
	}
	until, rate := s.bind.busy.limit(now)
	if !until.IsZero() {
		return until, false
	}
	w.held.set(rate)
	written := s.since(now)
	for len(w.claims) < claimLimit {
		if s.slots >= s.cfg.Window {
			return time.Time{}, false
		}
		if at := later(w.pace.wait(now), w.held.wait(now)); !at.IsZero() {
			return at, false
		}
		send, slot := s.queue.due(now)
		if send == nil {
			return slot, false
		}
		part, last := s.queue.advance()
		if last {
			w.finished = append(w.finished, send)
		}
		s.slots++
		w.pace.take(now)
		w.held.take(now)
		w.claims = append(w.claims, claim{send: send, part: part, sequence: s.await.register(send, part, written)})
	}
	return time.Time{}, true
}

// emit encodes and writes what was claimed. When a write fails, every part of which no byte was taken is given back.
func (s *session) emit() error {
	w := &s.writer
	from := 0
	for i := range w.claims {
		c := &w.claims[i]
		batch := c.send.batch
		if !batch.SendBy.IsZero() && !time.Now().Before(batch.SendBy) {
			s.giveBack(c, Result{Outcome: NotSent, Err: ErrSendBy})
			continue
		}
		if batch.Allow != nil && !batch.Allow(c.part) {
			s.giveBack(c, Result{Outcome: NotSent, Err: ErrNotAllowed})
			continue
		}
		c.start = len(w.out)
		var err error
		if w.out, err = batch.Parts[c.part].Message.Append(w.out, c.sequence); err != nil {
			s.giveBack(c, Result{Outcome: Refused, Status: pdu.StatusInvalidMessageLength, Err: fmt.Errorf("%w: %w", ErrCannotEncode, err)})
			continue
		}
		if len(w.out) >= flushSize {
			if err := s.flush(from, i+1); err != nil {
				return err
			}
			from = i + 1
		}
	}
	return s.flush(from, len(w.claims))
}

// flush writes the buffer, which holds the claims from..to. On an error, the parts that start behind the last byte that the
// connection took, and all later claims, are certainly not sent; the others stay registered and end as Unknown.
func (s *session) flush(from, to int) error {
	w := &s.writer
	if len(w.out) == 0 {
		return nil
	}
	var n int
	err := s.conn.SetWriteDeadline(time.Now().Add(s.cfg.WriteTimeout))
	if err == nil {
		n, err = s.conn.Write(w.out)
	}
	w.out = w.out[:0]
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: write: %w", ErrLine, err)
	for i := from; i < len(w.claims); i++ {
		if c := &w.claims[i]; c.sequence != 0 && (i >= to || c.start >= n) {
			s.giveBack(c, Result{Outcome: NotSent, Err: err})
		}
	}
	return err
}

// giveBack settles a claimed part that was not written.
func (s *session) giveBack(c *claim, r Result) {
	r.At = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.await.take(c.sequence); ok {
		s.settled = append(s.settled, settled{send: p.send, part: p.part, result: r})
		signal(s.wakeSettler)
	}
	c.sequence = 0
}

// unbound reports whether the peer unbound and owes us nothing any more.
func (s *session) unbound() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closeBy.IsZero() && s.await.n == 0 && len(s.control) == 0
}
