package worker

import (
	"context"
	"strings"
	"time"

	"pukar/internal/throttle"
	"pukar/smpp"
)

const (
	// strideTime is how long the parts of a stride take at the rate that spaces them, unless one message alone takes longer: what is
	// more pressing does not wait behind a long one.
	strideTime = 125 * time.Millisecond
	// openAhead is how long before its first slot a stride is opened at most: it must be written within a second.
	openAhead = 300 * time.Millisecond
	// lateWrite is how much later than its slot a part may be written where the machine is busy.
	lateWrite = 500 * time.Millisecond
	// pickAgain is how long a bind is waited for that has used up its rate, before another is looked for.
	pickAgain = 50 * time.Millisecond
)

// place is what a stride has of its route until it is recorded: a bind, slots, and room for as many parts.
type place struct {
	throttle.Slots
	closing
	bind  *smpp.Bind
	pace  time.Duration
	turn  *turn // nil where there are no parts
	lanes *lanes
}

// closing is when a window closes.
type closing struct {
	submissions time.Time // no byte may be written later
	handsets    time.Time // no message may arrive later
}

// closing looks whether the window is open for submissions, by what the route's drain time is now, and when it closes. For a
// message it closes for good when that expires, although a hint given before may come out of the queue long after.
func (w *shift) closing(now time.Time) (closing, bool) {
	window := w.window.Draining(w.Runs.Drains.Of(w.post.route.Config.Name))
	closes, open := window.Open(now)
	c := closing{submissions: closes, handsets: closes.Add(window.Drain())}
	if expires := w.post.run.ExpiresAt; !expires.IsZero() {
		if c.submissions.After(expires) {
			c.submissions = expires
		}
		open = open && now.Before(expires)
	}
	return c, open
}

// endsAfter says whether the last part could still be unwritten at the given time: the window's end would cut a message
// between two of its parts, which nobody sends later.
func (p *place) endsAfter(now, end time.Time) bool {
	if p.Granted == 0 {
		return false
	}
	last := p.At(p.Granted - 1)
	if last.Before(now) {
		last = now
	}
	return last.Add(p.pace + lateWrite).After(end)
}

// release gives the room back.
func (p *place) release() {
	if p.turn != nil {
		p.lanes.release(p.turn)
	}
}

// mostParts bounds a stride: so that two fit on the route, and one can be written while the other waits for its responses; by what its
// rate gives in a short time, and by what a bind that its centre holds back lets through in half a second.
func (w *shift) mostParts(bind *smpp.Bind) int {
	route := w.post.route
	most := min(strideParts, route.most)
	if _, spacing := route.throttles(bind.Name(), w.post.run.Campaign, w.post.run.Spec.Rate, 1); spacing.PartsPerSecond > 0 {
		most = min(most, int(spacing.PartsPerSecond*strideTime.Seconds()))
	}
	if held := bind.Status().RateLimit; held > 0 {
		most = min(most, int(held/2))
	}
	if w.afford > 0 {
		most = min(most, w.afford)
	}
	return max(1, most)
}

// pick answers a bind that can send now. It waits a little for one.
func (w *shift) pick(ctx context.Context) (*smpp.Bind, error) {
	for until := time.Now().Add(tokenWait); time.Now().Before(until); {
		if bind, ok := w.post.route.SMPP.Pick(); ok {
			return bind, nil
		}
		if !pause(ctx, 100*time.Millisecond) {
			return nil, context.Cause(ctx)
		}
	}
	return nil, errIdle
}

// place finds a bind with slots and room for the messages, whose parts sizes tells; at least for the first that has any. Fewer may be
// granted than were asked for, but whole messages. Room is only held by who has slots, so that a slow campaign is in nobody's way.
func (w *shift) place(ctx context.Context, pick func(context.Context) (*smpp.Bind, error), sizes func(*smpp.Bind) []byte) (*place, error) {
	// The cause of the wait's end is errIdle, or that of ctx.
	wait, cancel := context.WithTimeoutCause(ctx, tokenWait, errIdle)
	defer cancel()
	route, began := w.post.route, time.Now()
	defer func() { w.Metrics.Waited(route.Config.Name, time.Since(began)) }()
	for {
		bind, err := pick(ctx)
		if err != nil {
			return nil, err
		}
		p := &place{bind: bind, lanes: route.lanes}
		a := ask{lane: laneOf(w.post.run.Priority), run: w.lease.Run, sizes: sizes(bind)}
		a.limits, a.spacing = route.throttles(bind.Name(), w.post.run.Campaign, w.post.run.Spec.Rate, a.least())
		if a.parts() > 0 {
			if p.turn, p.Slots, err = route.take(ctx, wait, w.Throttle, a); err != nil {
				return nil, err
			}
			if p.turn == nil {
				// The campaign or the bind has used up its rate. Another bind may have some left.
				retry := max(p.RetryIn, retryLeast)
				if strings.HasPrefix(p.Held, bindLimit) {
					retry = min(retry, pickAgain)
				}
				if deadline, _ := wait.Deadline(); time.Until(deadline) < retry {
					return nil, errIdle
				}
				if !pause(wait, retry) {
					return nil, context.Cause(wait)
				}
				continue
			}
			if early := time.Until(p.First) - openAhead; early > 0 && !pause(ctx, early) {
				p.release()
				return nil, context.Cause(ctx)
			}
			p.pace = beyond(p.Slots, route.interval(bind.Name()))
		}
		now := time.Now()
		var open bool
		if p.closing, open = w.closing(now); !open || p.endsAfter(now, p.submissions) {
			p.release()
			return nil, errIdle
		}
		return p, nil
	}
}

// beyond is by how much the last part will be written later than a stride may usually take: only where one message alone takes that long
// at the rate that spaces it, or at its bind's own.
func beyond(slots throttle.Slots, ofBind time.Duration) time.Duration {
	slots.Interval = max(slots.Interval, ofBind)
	return max(0, time.Until(slots.At(slots.Granted-1))-700*time.Millisecond)
}

// ask is what a stride wants of its route.
type ask struct {
	lane    lane
	run     int32
	limits  []throttle.Limit
	spacing throttle.Limit // the first of them that is set, or none
	sizes   []byte         // the parts of each message, in order
}

func (a *ask) parts() (parts int) {
	for _, size := range a.sizes {
		parts += int(size)
	}
	return parts
}

// least are the parts of the first message that has any.
func (a *ask) least() int {
	for _, size := range a.sizes {
		if size > 0 {
			return int(size)
		}
	}
	return 0
}

// worthwhile are the parts that a stride waits for: half of what it could use, so that a saturated route is not given away by the part,
// and no more than the other limits can give at a time.
func (a *ask) worthwhile(sizes []byte) int {
	half := 0
	for _, size := range sizes {
		half += int(size)
	}
	half /= 2
	for _, limit := range a.limits {
		if limit.PartsPerSecond > 0 && limit.Name != a.spacing.Name {
			half = min(half, limit.Burst/2)
		}
	}
	parts := a.least()
	for counted, i := 0, 0; i < len(sizes); i++ {
		if counted += int(sizes[i]); counted > half {
			break
		}
		parts = max(parts, counted)
	}
	return parts
}

// take waits for the turn of a, then takes room and slots. Without a turn the limit that the slots name has none for it; it is for the
// caller to ask again, of another bind where it is a bind's. It waits no longer than wait lasts; what is under way then is ended by ctx
// only, because an answer that is not waited for is slots lost.
func (r *Route) take(ctx, wait context.Context, throttles *throttle.Throttle, a ask) (*turn, throttle.Slots, error) {
	for {
		t := &turn{lane: a.lane, run: a.run, least: a.least(), parts: a.parts(), spaced: a.spacing.Name}
		if err := r.lanes.wait(wait, t); err != nil {
			return nil, throttle.Slots{}, err
		}
		sizes := a.sizes
		if t.given < t.parts {
			sizes = fitting(sizes, t.given)
		}
		horizon := t.reached
		if rate := a.spacing.PartsPerSecond; rate > 0 {
			horizon += time.Duration(float64(t.least) / rate * float64(time.Second))
		}
		slots, err := throttles.ReserveMessages(ctx, r.Config.Name, a.limits, sizes, a.worthwhile(sizes), horizon)
		switch {
		case err != nil || slots.Granted > 0:
			r.lanes.done(t, slots.Granted)
			return t, slots, err
		case slots.Held != a.spacing.Name:
			r.lanes.done(t, 0)
			return nil, slots, nil
		}
		r.lanes.refuse(t, slots.RetryIn)
		if deadline, ok := wait.Deadline(); ok && time.Until(deadline) < slots.RetryIn/2 {
			return nil, slots, errIdle
		}
		if len(r.binds) > 1 && strings.HasPrefix(slots.Held, bindLimit) {
			return nil, slots, nil
		}
	}
}

// fitting are the messages from the front that have at most so many parts together.
func fitting(sizes []byte, most int) []byte {
	parts := 0
	for i, size := range sizes {
		if parts += int(size); parts > most {
			return sizes[:i]
		}
	}
	return sizes
}
