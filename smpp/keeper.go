package smpp

import (
	"time"

	"pukar/smpp/pdu"
)

// keep watches the deadlines of the session: responses, enquire_link, and the end after the peer's unbind. One timer serves them all.
func (s *session) keep() error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.wakeKeeper:
		case <-s.dead:
			return nil
		}
		now := time.Now()
		next, err := s.deadlines(now)
		if err != nil {
			return err
		}
		timer.Reset(next.Sub(now))
	}
}

// deadlines does what is due and returns when to look again; an error ends the session.
func (s *session) deadlines(now time.Time) (next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closeBy.IsZero() {
		if !now.Before(s.closeBy) {
			return next, ErrPeerUnbound
		}
	}
	next = s.expire(now)
	enquire, err := s.enquire(now)
	if enquire.Before(next) {
		next = enquire
	}
	if !s.closeBy.IsZero() && s.closeBy.Before(next) {
		next = s.closeBy
	}
	return next, err
}

// expire gives up the parts whose response is overdue. All have the same patience, so the oldest says when to look again.
func (s *session) expire(now time.Time) (next time.Time) {
	timeout := s.cfg.ResponseTimeout
	r := Result{Outcome: Unknown, At: now, Err: ErrNoResponse}
	oldest := s.await.expire(s.since(now.Add(-timeout)), s.since(now), func(p pending) {
		s.settled = append(s.settled, settled{send: p.send, part: p.part, result: r})
	})
	if len(s.settled) > 0 {
		signal(s.wakeSettler)
	}
	return s.start.Add(time.Duration(oldest)).Add(timeout)
}

// enquire asks a silent peer whether it lives, and finds it dead when it leaves that unanswered. Anything that comes is an answer: a
// centre busy with receipts may be late with this one.
func (s *session) enquire(now time.Time) (next time.Time, err error) {
	if !s.enquired.IsZero() && !s.heard.Before(s.enquired) {
		s.enquired = time.Time{}
	}
	if !s.enquired.IsZero() {
		if until := s.enquired.Add(s.cfg.ResponseTimeout); now.Before(until) {
			return until, nil
		}
		return now, ErrPeerSilent
	}
	if idle := s.heard.Add(s.cfg.EnquireInterval); now.Before(idle) {
		return idle, nil
	}
	s.enquired = now
	sequence := s.await.next()
	s.owe(func(c []byte) []byte { return pdu.AppendHeaderOnly(c, pdu.EnquireLinkID, pdu.StatusOK, sequence) })
	return now.Add(s.cfg.ResponseTimeout), nil
}
