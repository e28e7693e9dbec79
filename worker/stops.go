package worker

import (
	"sync"
	"time"
)

// stopsKept is how long a process holds a stop by itself. Strides opened after the stop was committed
// see it in the database; only what was written ahead before needs this.
const stopsKept = time.Minute

// Stops are the numbers that said stop a moment ago, asked immediately before each write to the wire.
type Stops struct {
	mu      sync.RWMutex
	fresh   map[int64]struct{}
	aging   map[int64]struct{}
	rotated time.Time
}

// NewStops returns an empty set.
func NewStops() *Stops {
	return &Stops{fresh: make(map[int64]struct{}), rotated: time.Now()}
}

// Add holds the number with this key back from now on.
func (s *Stops) Add(key int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.rotated) > stopsKept {
		s.aging, s.fresh, s.rotated = s.fresh, make(map[int64]struct{}), now
	}
	s.fresh[key] = struct{}{}
}

// Remove lets a number pass again.
func (s *Stops) Remove(key int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fresh, key)
	delete(s.aging, key)
}

// Has reports whether the number is held back.
func (s *Stops) Has(key int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.fresh) == 0 && len(s.aging) == 0 {
		return false
	}
	if _, ok := s.fresh[key]; ok {
		return true
	}
	_, ok := s.aging[key]
	return ok
}
