package worker

import (
	"math"
	"time"

	"golang.org/x/sync/semaphore"

	"pukar/internal/config"
	"pukar/internal/throttle"
	"pukar/smpp"
	"pukar/smpp/coding"
)

// Route is a way out with what bounds it.
type Route struct {
	Config config.Route
	SMPP   *smpp.Route

	ahead  *semaphore.Weighted // parts written ahead and not recorded
	limit  int                 // its size
	limits []throttle.Limit    // of the route
	rates  map[string]float64  // of each bind
}

// NewRoute puts the bounds of DESIGN 4.4 on a route: parts in flight stay under two windows and half a
// second of the rate, whatever number of batches is on it.
func NewRoute(c config.Route, route *smpp.Route) *Route {
	windows := 0
	rates := make(map[string]float64, len(c.Binds))
	for _, b := range c.Binds {
		if b.Type != smpp.TypeReceiver {
			windows += b.Window
		}
		rates[b.Name] = b.PartsPerSecond
	}
	limit := 2 * windows
	if c.PartsPerSecond > 0 {
		limit = min(limit, int(c.PartsPerSecond/2))
	}
	limit = max(limit, coding.MaxParts) // one message must always fit
	return &Route{
		Config: c, SMPP: route, ahead: semaphore.NewWeighted(int64(limit)), limit: limit,
		limits: []throttle.Limit{{Name: "route", PartsPerSecond: c.PartsPerSecond}},
		rates:  rates,
	}
}

// throttles are the limits that a stride of a campaign on a bind must keep, and the slowest of them in
// parts a second, 0 for none.
func (r *Route) throttles(bind, campaign string, campaignRate float64) (limits []throttle.Limit, slowest float64) {
	limits = append(limits, r.limits...)
	limits = append(limits,
		throttle.Limit{Name: "bind:" + bind, PartsPerSecond: r.rates[bind]},
		throttle.Limit{Name: "campaign:" + campaign, PartsPerSecond: campaignRate})
	slowest = math.Inf(1)
	for _, l := range limits {
		if l.PartsPerSecond > 0 {
			slowest = min(slowest, l.PartsPerSecond)
		}
	}
	if math.IsInf(slowest, 1) {
		return limits, 0
	}
	return limits, slowest
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
