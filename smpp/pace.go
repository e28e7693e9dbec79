package smpp

import "time"

// paceSlack is how far a part may run ahead of its time to make up for a timer that fired late. The interval is stretched by the
// same share, so that no second holds more than the rate all the same.
const paceSlack = 2 * time.Millisecond

// pace spreads a bind's parts evenly over each second. The writer alone uses it.
type pace struct {
	interval time.Duration // zero: no limit
	next     time.Time
}

// set changes the rate; zero is no limit.
func (p *pace) set(partsPerSecond float64) {
	p.interval = 0
	if partsPerSecond > 0 {
		p.interval = time.Duration(float64(time.Second+paceSlack) / partsPerSecond)
	}
}

// wait is when the next part may go; the zero time means now.
func (p *pace) wait(now time.Time) time.Time {
	if p.interval == 0 || !p.next.After(now) {
		return time.Time{}
	}
	return p.next
}

// take uses a slot up.
func (p *pace) take(now time.Time) {
	if p.interval == 0 {
		return
	}
	if behind := now.Add(-paceSlack); p.next.Before(behind) {
		p.next = behind
	}
	p.next = p.next.Add(p.interval)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
