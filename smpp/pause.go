package smpp

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	pauseFirst = time.Second
	pauseLimit = time.Minute
)

// pause keeps a bind from submitting after the centre throttled it: one second, doubling up to a minute while throttles keep coming
// with nothing accepted in between. It outlives the session, since a new connection does not make the centre less busy.
type pause struct {
	active atomic.Bool // whether step is not zero, for a look without the lock

	mu    sync.Mutex
	step  time.Duration // the last pause's length; zero when all is well
	began time.Time
	until time.Time
}

// throttled starts a pause for a throttled part that was written at the given time. A part written before the running or last
// pause began says nothing new: a whole window of them comes back at once.
func (p *pause) throttled(written, now time.Time) (step time.Duration, started bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step > 0 && !written.After(p.began) {
		return p.step, false
	}
	switch {
	case p.step == 0:
		p.step = pauseFirst
	default:
		p.step = min(2*p.step, pauseLimit)
	}
	p.began, p.until = now, now.Add(p.step)
	p.active.Store(true)
	return p.step, true
}

// accepted ends the doubling when a part written after the pause was accepted.
func (p *pause) accepted(written time.Time) {
	if !p.active.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step > 0 && written.After(p.began) {
		p.step = 0
		p.active.Store(false)
	}
}

// end is when the running pause ends; the zero time when there is none.
func (p *pause) end(now time.Time) time.Time {
	if !p.active.Load() {
		return time.Time{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.until.After(now) {
		return time.Time{}
	}
	return p.until
}
