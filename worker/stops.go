package worker

import (
	"sync"
	"time"
)

const (
	// stopsHeld is how long a process holds a stop by itself, whether or not it was committed. A stride that is opened
	// after the stop was committed sees it in the database.
	stopsHeld = 5 * time.Second
	// stopsKept is how long a stop is remembered for strides that were opened before it: longer than any stride may be
	// written, which is half a minute where one message alone takes that long at its rate.
	stopsKept = time.Minute
)

// Stops are the numbers that said stop a moment ago, asked immediately before each write to the wire.
type Stops struct {
	mu     sync.RWMutex
	since  map[stopped]time.Time
	pruned time.Time
}

// stopped is a number, by its key, that must not be written to for a purpose, "" being every one.
type stopped struct {
	key     int64
	purpose string
}

// NewStops returns an empty set.
func NewStops() *Stops { return &Stops{since: make(map[stopped]time.Time)} }

// Add holds the number with this key back for a while, for one purpose or, with "", for all.
func (s *Stops) Add(key int64, purpose string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.pruned) > stopsKept {
		for stop, since := range s.since {
			if now.Sub(since) > stopsKept {
				delete(s.since, stop)
			}
		}
		s.pruned = now
	}
	s.since[stopped{key, purpose}] = now
}

// Has reports whether the number is held back from messages of this purpose that were written ahead at that moment.
func (s *Stops) Has(key int64, purpose string, opened time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.since) == 0 {
		return false
	}
	return s.holds(stopped{key, ""}, opened) || s.holds(stopped{key, purpose}, opened)
}

func (s *Stops) holds(stop stopped, opened time.Time) bool {
	since, ok := s.since[stop]
	return ok && (!opened.After(since) || time.Since(since) <= stopsHeld)
}
