package worker

import (
	"context"
	"time"

	"pukar/internal/throttle"
	"pukar/smpp"
)

// mostParts bounds a stride, so that two fit on the route and one can be written while the other waits
// for its responses; on a bind that its centre holds back, by what it lets through in half a second.
func (w *shift) mostParts(bind *smpp.Bind) int {
	most := min(strideParts, w.post.route.limit/2)
	if held := bind.Status().RateLimit; held > 0 {
		most = min(most, int(held/2))
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

// slots takes time slots from the throttles and room on the route for the parts, at least for the first
// message, and answers when the window closes. As many parts as were granted have room. Room is only held
// by who has slots, so that a slow campaign is in nobody's way.
func (w *shift) slots(ctx context.Context, bind *smpp.Bind, parts, atLeast int) (slots throttle.Slots, closes time.Time, err error) {
	if parts > 0 {
		began := time.Now()
		slots, err = w.reserve(ctx, bind, parts, atLeast)
		w.Metrics.Waited(w.post.route.Config.Name, time.Since(began))
		if err != nil {
			return slots, closes, err
		}
	}
	closes, open := w.window.Open(time.Now())
	if !open {
		w.post.route.ahead.Release(int64(slots.Granted))
		return slots, closes, errIdle
	}
	return slots, closes, nil
}

// reserve asks for slots while it holds room for them, and gives the room back whenever it has to wait.
func (w *shift) reserve(ctx context.Context, bind *smpp.Bind, parts, atLeast int) (throttle.Slots, error) {
	route := w.post.route
	limits, slowest := route.throttles(bind.Name(), w.post.run.Campaign, w.post.run.Spec.Rate)
	atLeast = max(1, atLeast)
	horizon := slotHorizon
	if slowest > 0 {
		horizon = max(horizon, time.Duration(float64(atLeast+1)/slowest*float64(time.Second)))
		parts = min(parts, max(atLeast, int(slowest*slotHorizon.Seconds())))
	}
	for until := time.Now().Add(tokenWait); ; {
		if err := w.room(ctx, parts); err != nil {
			return throttle.Slots{}, err
		}
		slots, err := w.Throttle.ReserveAtLeast(ctx, route.Config.Name, limits, atLeast, parts, horizon)
		route.ahead.Release(int64(parts - slots.Granted))
		if err != nil {
			return slots, err
		}
		wait := max(slots.RetryIn, 10*time.Millisecond)
		if slots.Granted > 0 {
			// A stride must be written within a second, so it is opened only when its first slot is near.
			if wait = time.Until(slots.First) - 100*time.Millisecond; wait <= 0 || pause(ctx, wait) {
				return slots, nil
			}
			route.ahead.Release(int64(slots.Granted))
			return throttle.Slots{}, context.Cause(ctx)
		}
		if time.Now().Add(wait).After(until) {
			return slots, errIdle
		}
		if !pause(ctx, wait) {
			return slots, context.Cause(ctx)
		}
	}
}

// room takes room on the route for parts that will be written ahead.
func (w *shift) room(ctx context.Context, parts int) error {
	wait, cancel := context.WithTimeout(ctx, tokenWait)
	defer cancel()
	if err := w.post.route.ahead.Acquire(wait, int64(parts)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errIdle
	}
	return nil
}

// slotHorizon is how far ahead slots are taken, which bounds a stride to half a second of its rate.
const slotHorizon = 500 * time.Millisecond

// beyond is by how much the last part's slot lies later than a stride may usually take: only where one
// message alone takes that long at its rate.
func beyond(slots throttle.Slots, parts int) time.Duration {
	if parts == 0 {
		return 0
	}
	return max(0, time.Until(slots.At(parts-1))-slotHorizon-200*time.Millisecond)
}
