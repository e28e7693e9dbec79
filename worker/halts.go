package worker

import (
	"sync"
	"sync/atomic"
	"time"

	"pukar/internal/notice"
)

const (
	// haltsKept is longer than any stride may be written: one message alone takes at most half a minute.
	haltsKept = 5 * time.Minute
	// finishTime is how long after a halt what is left of a message may still follow the parts that are out, so that it is
	// not torn where that takes no time.
	finishTime = 500 * time.Millisecond
	// deafTime is how long a stride may be written while it cannot be heard who was stopped meanwhile.
	deafTime = time.Second
)

// Halts are the moments at which sending was halted, of everything or of one run, asked immediately before each write
// to the wire. What was opened before the halt is given up; what is opened after it was allowed by the database, so nothing is
// ever taken back. Moments are of this process' monotonic clock.
type Halts struct {
	newest atomic.Int64 // of anything: what is younger need not look further
	deaf   atomic.Bool
	begun  time.Time

	mu   sync.Mutex // also orders the moments
	all  int64
	runs map[int32]int64
}

// NewHalts begins with nothing halted, and deaf until it is told otherwise.
func NewHalts() *Halts {
	h := &Halts{begun: time.Now(), runs: make(map[int32]int64)}
	h.all = -1
	h.newest.Store(-1)
	h.deaf.Store(true)
	return h
}

func (h *Halts) now() int64 { return int64(time.Since(h.begun)) }

// Everything gives up whatever is open.
func (h *Halts) Everything() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	h.all = now
	h.newest.Store(now)
}

// Run gives up what is open for one run.
func (h *Halts) Run(run int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for known, at := range h.runs {
		if now-at > int64(haltsKept) {
			delete(h.runs, known)
		}
	}
	h.runs[run] = now
	h.newest.Store(now)
}

// Deaf says whether halts may be missed from now on. When they are heard again, everything is halted once, for what was
// missed.
func (h *Halts) Deaf(deaf bool) {
	if !deaf {
		h.Everything()
	}
	h.deaf.Store(deaf)
}

// Refuses reports whether a part of what was opened for a run at that moment must not be written any more. One that
// follows parts of its message gets a little time.
func (h *Halts) Refuses(run int32, opened time.Time, follows bool) bool {
	if h.deaf.Load() && time.Since(opened) > deafTime {
		return true
	}
	at := int64(opened.Sub(h.begun))
	if at > h.newest.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	halted := max(h.all, h.runs[run])
	if at > halted {
		return false
	}
	return !follows || h.now()-halted > int64(finishTime)
}

// Hear does what other processes tell, and this one too.
func (h *Halts) Hear(n notice.Notice, stops *Stops) {
	if n.Everything {
		h.Everything()
	}
	if n.Run != 0 {
		h.Run(n.Run)
	}
	for _, stop := range n.Stops {
		stops.Add(stop.Key, stop.Purpose)
	}
}
