package smsc

import (
	"slices"
	"time"

	"pukar/smpp/pdu"
)

// account is what the centre keeps for a system id across its connections. All of it is guarded by Centre.mu.
type account struct {
	systemID string
	sessions []*session // bound now
	wheel    wheel      // deliveries that are not due yet
	ready    queue      // deliveries that wait for a receiver with room
	limit    limiter    // Options.ThrottleAbove
}

func (c *Centre) account(systemID string) *account {
	a, ok := c.accounts[systemID]
	if !ok {
		a = &account{systemID: systemID}
		a.wheel.chunks, a.ready.chunks = &c.chunks, &c.chunks
		a.wheel.at = int64(c.since() / tick)
		c.accounts[systemID] = a
		c.order = append(c.order, a)
	}
	return a
}

func (a *account) receives() bool {
	return slices.ContainsFunc(a.sessions, (*session).receives)
}

// wake has every receiver look at the queue.
func (a *account) wake() {
	for _, s := range a.sessions {
		if s.receives() {
			s.signal()
		}
	}
}

// schedule queues a delivery for its time and reports whether that is now.
func (a *account) schedule(d *delivery, now time.Duration) bool {
	if d.due <= now {
		a.ready.push(d)
		return true
	}
	a.wheel.add(d)
	return false
}

// remove forgets a connection and puts back what it had not acknowledged.
func (a *account) remove(s *session) {
	i := slices.Index(a.sessions, s)
	if i < 0 {
		return
	}
	a.sessions = slices.Delete(a.sessions, i, i+1)
	for i := range s.flights {
		if f := &s.flights[i]; f.used {
			a.ready.push(&f.delivery)
		}
	}
	s.leaving = true
	s.flights, s.free, s.bySequence = nil, nil, nil
	a.wake()
}

// flight is a deliver_sm that was sent and not answered.
type flight struct {
	delivery
	sequence uint32
	sent     time.Duration
	used     bool
}

// take appends deliver_sm units for a receiver, as many as its window and the size of one write allow. Centre.mu is held.
func (c *Centre) take(s *session, dst []byte, now time.Duration) []byte {
	a := s.account
	if a == nil || !s.receives() || a.ready.n == 0 {
		return dst
	}
	wall := c.start.Add(now)
	for len(dst) < writeSize && (len(s.free) > 0 || len(s.flights) < c.opts.ReceiptWindow) {
		var d delivery
		if !a.ready.pop(&d) {
			break
		}
		sequence := s.nextSequence(c.opts.CollidingSequence)
		var err error
		if d.inbound != 0 {
			dst, err = c.inbound[d.inbound].append(dst, sequence)
			c.stats.InboundSent++
		} else {
			dst, err = c.receipts.append(dst, &d, sequence, wall)
			c.stats.ReceiptsSent++
		}
		if err != nil {
			// Every field was checked or cut before it was queued.
			c.log.Error("deliver_sm cannot be written", "err", err)
			continue
		}
		if d.tries > 0 {
			c.stats.Redelivered++
		}
		d.tries++
		i := len(s.flights)
		if n := len(s.free); n > 0 {
			i, s.free = int(s.free[n-1]), s.free[:n-1]
		} else {
			s.flights = append(s.flights, flight{})
		}
		s.flights[i] = flight{delivery: d, sequence: sequence, sent: now, used: true}
		s.bySequence[sequence] = int32(i)
	}
	return dst
}

// nextSequence numbers a deliver_sm. Colliding, it takes the number of the submit that was read last and is unanswered.
func (s *session) nextSequence(colliding bool) uint32 {
	for n := len(s.lastSubmits); colliding && n > 0; n = len(s.lastSubmits) {
		sequence := s.lastSubmits[n-1]
		s.lastSubmits = s.lastSubmits[:n-1]
		if _, taken := s.bySequence[sequence]; !taken {
			return sequence
		}
	}
	for {
		s.sequence++
		if s.sequence > pdu.MaxSequence {
			s.sequence = firstSequence
		}
		if _, taken := s.bySequence[s.sequence]; !taken {
			return s.sequence
		}
	}
}

// answered settles a deliver_sm that the client answered. Centre.mu is held.
func (c *Centre) answered(s *session, sequence uint32, status pdu.Status, now time.Duration) {
	i, ok := s.bySequence[sequence]
	if !ok {
		c.stats.StrayAcks++
		return
	}
	f := &s.flights[i]
	d := &f.delivery
	switch status {
	case pdu.StatusOK:
		if d.inbound != 0 {
			c.stats.InboundAcked++
			c.settleInbound(d.inbound, status)
		} else {
			c.stats.ReceiptsAcked++
		}
	case pdu.StatusReceiverPermanent, pdu.StatusReceiverReject:
		c.stats.Nacked++
		c.stats.Discarded++
		if d.inbound != 0 {
			c.settleInbound(d.inbound, status)
		}
	default:
		c.stats.Nacked++
		d.due = now + c.opts.RetryAfter
		s.account.schedule(d, now)
	}
	s.land(i)
	if s.account.ready.n > 0 {
		s.signal()
	}
}

// land frees the place of a flight.
func (s *session) land(i int32) {
	delete(s.bySequence, s.flights[i].sequence)
	s.flights[i].used = false
	s.free = append(s.free, i)
}

func (c *Centre) settleInbound(key uint32, status pdu.Status) {
	m := c.inbound[key]
	delete(c.inbound, key)
	m.refused = status
	if m.stop && status == pdu.StatusOK {
		c.stats.StopsAcked++
		c.stopped.add(hashBytes(0, m.from))
	}
	if m.done != nil {
		close(m.done)
	}
}

// overdue puts back what was sent too long ago without an answer.
func (c *Centre) overdue(s *session, now time.Duration) {
	for i := range s.flights {
		if f := &s.flights[i]; f.used && now-f.sent >= c.opts.RedeliverAfter {
			s.account.ready.push(&f.delivery)
			s.land(int32(i))
		}
	}
}
