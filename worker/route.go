package worker

import (
	"time"

	"pukar/internal/config"
	"pukar/internal/throttle"
	"pukar/smpp"
	"pukar/smpp/coding"
)

// Route is a way out with what bounds it.
type Route struct {
	Config config.Route
	SMPP   *smpp.Route

	limit int    // parts that may be written ahead and not recorded
	lanes *lanes // who may write them
	most  int    // parts of a stride
	binds map[string]config.Bind
}

// NewRoute puts the bounds of DESIGN 4.4 on a route: parts in flight stay under two windows and half a
// second of the rate, whatever number of batches is on it.
func NewRoute(c config.Route, route *smpp.Route) *Route {
	windows := 0
	binds := make(map[string]config.Bind, len(c.Binds))
	for _, b := range c.Binds {
		if b.Type != smpp.TypeReceiver {
			windows += b.Window
		}
		binds[b.Name] = b
	}
	limit := 2 * windows
	if c.PartsPerSecond > 0 {
		limit = min(limit, int(c.PartsPerSecond/2))
	}
	limit = max(limit, coding.MaxParts) // one message must always fit
	lanes := newLanes(limit)
	return &Route{Config: c, SMPP: route, limit: limit, lanes: lanes, most: lanes.room / 2, binds: binds}
}

// bindLimit begins the names of the binds' limits.
const bindLimit = "bind:"

// throttles are the limits that a stride of a campaign on a bind must keep, and the one among them that spaces its parts: the route's,
// the bind's where the route has none, or the campaign's where neither has. The others may be early by a window or a tenth of a second
// of their rate, whichever is less, which is one in a hundred over ten seconds; so nobody holds the route for as long as her own parts take.
// The longest message that is asked for, of so many parts, and one part more may always be early: the next is asked for in time then.
func (r *Route) throttles(bind, campaign string, campaignRate float64, message int) (limits []throttle.Limit, spacing throttle.Limit) {
	b := r.binds[bind]
	burst := func(rate float64) int { return max(message+1, min(b.Window, int(rate/10))) }
	limits = []throttle.Limit{
		{Name: "route", PartsPerSecond: r.Config.PartsPerSecond},
		{Name: bindLimit + bind, PartsPerSecond: b.PartsPerSecond, Burst: burst(b.PartsPerSecond)},
		{Name: "campaign:" + campaign, PartsPerSecond: campaignRate, Burst: burst(campaignRate)},
	}
	for _, l := range limits {
		if l.PartsPerSecond > 0 {
			return limits, l
		}
	}
	return limits, throttle.Limit{}
}

// interval is the time between two parts at a bind's own rate, 0 for none.
func (r *Route) interval(bind string) time.Duration {
	if rate := r.binds[bind].PartsPerSecond; rate > 0 {
		return time.Duration(float64(time.Second) / rate)
	}
	return 0
}

// usable reports whether a bind can send now.
func usable(b *smpp.Bind) bool {
	status := b.Status()
	return status.State == smpp.Bound && status.Type != smpp.TypeReceiver && !time.Now().Before(status.PausedUntil)
}

// away lists the binds of the route that cannot send now.
func (r *Route) away() []string {
	var names []string
	for _, bind := range r.SMPP.Binds() {
		if !usable(bind) {
			names = append(names, bind.Name())
		}
	}
	return names
}
