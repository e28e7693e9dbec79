package smsc

import "time"

// rateMeter counts parts over the last second, by the millisecond, and keeps the highest such count.
type rateMeter struct {
	buckets [1000]uint32
	last    int64 // the millisecond that was counted last
	sum     int64 // of the last 1,000 milliseconds
	highest int64
}

func (m *rateMeter) advance(at time.Duration) {
	ms := at.Milliseconds()
	for step := int64(0); m.last < ms && step < int64(len(m.buckets)); step++ {
		m.last++
		b := &m.buckets[m.last%int64(len(m.buckets))]
		m.sum -= int64(*b)
		*b = 0
	}
	m.last = max(m.last, ms)
}

func (m *rateMeter) count(at time.Duration) {
	m.advance(at)
	m.buckets[m.last%int64(len(m.buckets))]++
	m.sum++
	m.highest = max(m.highest, m.sum)
}

// limiter is the generic cell rate algorithm: next is when the next part would be on time.
type limiter struct {
	next time.Duration
}

func (l *limiter) allow(at time.Duration, perSecond float64) bool {
	const grace = time.Second / 10
	l.next = max(l.next, at)
	if l.next-at > grace {
		return false
	}
	l.next += time.Duration(float64(time.Second) / perSecond)
	return true
}
