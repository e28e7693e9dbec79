package smpp

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pauseFirst = time.Second
	pauseLimit = time.Minute
	// cutTo is what is left of the rate after a throttle, and growth what each second without one adds to it, as a share.
	cutTo  = 0.7
	growth = 0.05
	// floorRate is the least parts a second; the pauses take over from there.
	floorRate = 1
	// forgetAt is how many times the rate that it was cut to a rate has to reach for the limit to be lifted, and openRate
	// where nothing was ever accepted.
	forgetAt = 2.5
	openRate = 1000
	// measureFor is the least time over which a rate is measured.
	measureFor = 200 * time.Millisecond
)

// congestion holds a bind back after its centre throttled it. Submitting stops for a second, twice as long each time up to a minute
// while nothing is accepted in between; then it goes on at a cut rate, which doubles each second up to the point of the last
// cut and grows by small steps from there. All that outlives the session, since a new connection does not make the centre less busy.
type congestion struct {
	active atomic.Bool // whether there is anything to hold back, for a look without the lock

	mu     sync.Mutex
	step   time.Duration // the last pause's length; zero once something was accepted after it
	began  time.Time     // of the last pause
	until  time.Time
	rate   float64   // parts a second; zero is no limit
	knee   float64   // the rate of the last cut; zero where none is known
	grown  time.Time // when the rate grew last
	second time.Time // when the running count began
	count  int       // accepted in the running second
	before int       // and in the one before
}

// accepted counts accepted parts, the last of which was written at the given time.
func (c *congestion) accepted(n int, written, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick(now)
	c.count += n
	if c.step > 0 && written.After(c.began) {
		c.step = 0
		c.grown = now
	}
}

func (c *congestion) tick(now time.Time) {
	switch age := now.Sub(c.second); {
	case age >= 2*time.Second:
		c.second, c.before, c.count = now, 0, 0
	case age >= time.Second:
		c.second, c.before, c.count = now, c.count, 0
	}
}

// throttled starts a pause for a throttled part that was written at the given time, and cuts the rate. A part written before the
// running or last pause began says nothing new: a whole window of them comes back at once.
func (c *congestion) throttled(written, now time.Time) (pause time.Duration, started bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active.Load() && !written.After(c.began) {
		return 0, false
	}
	c.step = max(pauseFirst, min(2*c.step, pauseLimit))
	c.began, c.until = now, now.Add(c.step)
	switch reached, known := c.reached(now); {
	case known:
		c.knee = cutTo * reached
		c.rate = max(c.knee, floorRate)
	case c.count > 0:
		// A burst tells how much the centre takes at once, which is less than it takes in a second.
		c.knee = 0
		c.rate = max(cutTo*float64(c.count), floorRate)
	default:
		c.knee /= 2
		c.rate = floorRate
	}
	c.count, c.before = 0, 0
	c.active.Store(true)
	return c.step, true
}

// reached is the rate at which the centre accepted up to now, if that was measured for long enough.
func (c *congestion) reached(now time.Time) (rate float64, known bool) {
	c.tick(now)
	rate = float64(c.before)
	if elapsed := now.Sub(c.second); elapsed >= measureFor {
		rate = max(rate, float64(c.count)/elapsed.Seconds())
	}
	return rate, rate > 0
}

// limit is what holds parts back now: the end of the running pause, or zero, and the rate, or zero.
func (c *congestion) limit(now time.Time) (until time.Time, rate float64) {
	if !c.active.Load() {
		return time.Time{}, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.After(now) {
		return c.until, c.rate
	}
	for c.step == 0 && c.rate > 0 && now.Sub(c.grown) >= time.Second {
		c.grow()
	}
	return time.Time{}, c.rate
}

// grow is one second without a throttle.
func (c *congestion) grow() {
	c.grown = c.grown.Add(time.Second)
	ceiling := float64(openRate)
	switch {
	case c.knee == 0:
		c.rate *= 2
	case c.rate < c.knee:
		c.rate = math.Min(2*c.rate, c.knee)
	default:
		c.rate += max(1, growth*c.knee)
	}
	if c.knee > 0 {
		ceiling = forgetAt * c.knee
	}
	if c.rate >= ceiling {
		c.rate, c.knee = 0, 0
		c.active.Store(false)
	}
}
