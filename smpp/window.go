package smpp

import "pukar/smpp/pdu"

// pending is a part whose response is awaited. Its sequence number is zero where the slot is free.
type pending struct {
	send     *sending
	written  int64 // when it was claimed for writing, in nanoseconds since the session began
	sequence uint32
	part     int32
}

// correlation holds the parts that await a response, in a ring by the low bits of their sequence numbers. The session's mutex
// guards it.
type correlation struct {
	ring []pending
	mask uint32
	last uint32 // the sequence number given out last
	n    int
	late lateParts
}

// newCorrelation makes room for a window; the ring is four times as large, so that a number whose place is taken by a part
// that waits long is skipped for one of the next.
func newCorrelation(window, late int) correlation {
	size := 64
	for size < 4*window {
		size *= 2
	}
	return correlation{ring: make([]pending, size), mask: uint32(size - 1), late: newLateParts(late)}
}

// next gives out a sequence number in 1..0x7FFFFFFF (SMPP 3.4, section 5.1.4) which no awaited or late part bears.
func (c *correlation) next() uint32 {
	for {
		if c.last++; c.last > pdu.MaxSequence {
			c.last = 1
		}
		if c.ring[c.last&c.mask].sequence == 0 && !c.late.has(c.last) {
			return c.last
		}
	}
}

// register gives a part its sequence number and remembers it.
func (c *correlation) register(send *sending, part int, now int64) uint32 {
	sequence := c.next()
	c.ring[sequence&c.mask] = pending{send: send, written: now, sequence: sequence, part: int32(part)}
	c.n++
	return sequence
}

// take removes and returns the part with the given sequence number.
func (c *correlation) take(sequence uint32) (pending, bool) {
	at := &c.ring[sequence&c.mask]
	if sequence == 0 || at.sequence != sequence {
		return pending{}, false
	}
	p := *at
	*at = pending{}
	c.n--
	return p, true
}

// expire removes every part written at or before the given time and remembers it for a late response; oldest is the time of the
// oldest part that stays, or now where none does.
func (c *correlation) expire(until, now int64, each func(pending)) (oldest int64) {
	oldest = now
	c.late.age(now)
	if c.n == 0 {
		return oldest
	}
	for i := range c.ring {
		at := &c.ring[i]
		switch {
		case at.sequence == 0:
		case at.written <= until:
			p := *at
			*at = pending{}
			c.n--
			c.late.add(p, now)
			each(p)
		case at.written < oldest:
			oldest = at.written
		}
	}
	return oldest
}

// clear removes every part.
func (c *correlation) clear(each func(pending)) {
	for i := range c.ring {
		if p := c.ring[i]; p.sequence != 0 {
			c.ring[i] = pending{}
			each(p)
		}
	}
	c.n = 0
}

// latePart is a part that was given up as Unknown. It keeps of its batch no more than whom to call.
type latePart struct {
	late    func(i int, r Result)
	written int64
	part    int32
}

// lateParts remembers the parts given up last, in two generations: the older one is dropped when the younger one is old or full.
type lateParts struct {
	young, old map[uint32]latePart
	turned     int64 // when the generations changed last, in nanoseconds since the session began
	limit      int   // of a generation
}

func newLateParts(limit int) lateParts {
	return lateParts{young: make(map[uint32]latePart), limit: limit}
}

func (l *lateParts) has(sequence uint32) bool {
	if len(l.young)+len(l.old) == 0 {
		return false
	}
	_, young := l.young[sequence]
	_, old := l.old[sequence]
	return young || old
}

func (l *lateParts) add(p pending, now int64) {
	if p.send.batch.Late == nil {
		return
	}
	if len(l.young) >= l.limit {
		l.turn(now)
	}
	l.young[p.sequence] = latePart{late: p.send.batch.Late, written: p.written, part: p.part}
}

// age drops what nobody will answer any more.
func (l *lateParts) age(now int64) {
	if now-l.turned >= int64(lateFor) {
		l.turn(now)
	}
}

func (l *lateParts) turn(now int64) {
	l.old, l.young, l.turned = l.young, make(map[uint32]latePart), now
}

func (l *lateParts) take(sequence uint32) (p latePart, ok bool) {
	if p, ok = l.young[sequence]; ok {
		delete(l.young, sequence)
	} else if p, ok = l.old[sequence]; ok {
		delete(l.old, sequence)
	}
	return p, ok
}
