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

func newPace(partsPerSecond float64) pace {
	if partsPerSecond <= 0 {
		return pace{}
	}
	return pace{interval: time.Duration(float64(time.Second+paceSlack) / partsPerSecond)}
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
