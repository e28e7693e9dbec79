package smpp

import (
	"sync/atomic"
	"time"
)

// Route is a way out: one transceiver or more, or transmitters with receivers beside them.
type Route struct {
	name  string
	binds []*Bind
	turn  atomic.Uint32
}

// NewRoute makes a route of binds, which the caller runs.
func NewRoute(name string, binds ...*Bind) *Route {
	return &Route{name: name, binds: binds}
}

// Name is the route's name in the configuration.
func (r *Route) Name() string { return r.name }

// Binds are all binds of the route in the order of the configuration.
func (r *Route) Binds() []*Bind { return r.binds }

// Bind returns the bind of the given name.
func (r *Route) Bind(name string) (*Bind, bool) {
	for _, b := range r.binds {
		if b.cfg.Name == name {
			return b, true
		}
	}
	return nil, false
}

// Pick chooses the bind for a batch: of those that are bound, can submit and do not pause after throttling, the one with the
// smallest share of its window taken or waited for, and where several have the same, each in turn. It reports false when there
// is none. Parts of one message belong into one batch.
func (r *Route) Pick() (*Bind, bool) {
	if len(r.binds) == 0 {
		return nil, false
	}
	now := time.Now()
	first := int(r.turn.Add(1) % uint32(len(r.binds)))
	var best *Bind
	var least float64
	for i := range r.binds {
		b := r.binds[(first+i)%len(r.binds)]
		if load, ok := b.ready(now); ok && (best == nil || load < least) {
			best, least = b, load
		}
	}
	return best, best != nil
}
