package throttle

import (
	"sync"
	"time"
)

// clock translates Redis' time into this process's monotonic time.
//
// One exchange with Redis bounds the difference from both sides: Redis read its clock after the question left and before the answer came.
// The estimate is moved only as far as the newest bounds demand. A fresh estimate per call would shift each reservation by its own round
// trip, and the parts of two neighbouring ones would overlap.
type clock struct {
	mu    sync.Mutex
	seen  int       // exchanges observed
	local time.Time // carries the monotonic reading
	redis int64     // what Redis' clock shows at local, in microseconds since 1970
}

// warmups is how many exchanges make a usable estimate.
const warmups = 3

// ready says whether enough was observed.
func (c *clock) ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen >= warmups
}

// observe takes one exchange and returns the local time of Redis' now (microseconds since 1970).
func (c *clock) observe(asked, answered time.Time, now int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen++
	if c.seen == 1 {
		c.local, c.redis = answered, now
		return answered
	}
	at := c.local.Add(time.Duration(now-c.redis) * time.Microsecond)
	if at.Before(asked) {
		at = asked
	}
	if at.After(answered) {
		at = answered
	}
	c.local, c.redis = at, now
	return at
}
