package worker

import (
	"context"
	"sync"
	"time"

	"pukar/smpp/coding"
)

// lanes share a route between the runs on it: the room for parts that are written ahead, and the asking for slots.
//
// It is a weighted fair queue (start-time fair queueing): a lane is charged for the parts that it was given, divided by its weight, and the
// lane that was charged least has the next turn; within a lane the runs take turns in the same way, whatever their size. A lane or run
// that had nothing to send starts level with the others: nothing is saved up. One turn is on at a time.
type lanes struct {
	mu      sync.Mutex
	room    int // parts that may still be written ahead
	express int // as many more, for urgent messages that would have to wait for room
	on      *turn
	waiting []*turn // in the order of their arrival
	clock   float64 // the charge of the lane that had the last turn, when it got it
	share   [len(laneTerms)]share
	held    map[string]hold // by the limit that spaces
}

// share is what a lane has had.
type share struct {
	charge  float64           // parts by weight
	clock   float64           // as of the lanes, among its runs
	runs    map[int32]float64 // the charge of each run
	refused time.Time         // when it was refused slots first since it got some last
	asked   time.Time         // and when last
}

// hold keeps lanes from asking for slots that are not there yet.
type hold struct {
	until time.Time
	lane  lane // the most pressing that it is for: a more pressing one may ask
}

// turn is a request for parts.
type turn struct {
	lane   lane
	run    int32
	least  int    // parts of the first message
	parts  int    // as many as it could use
	spaced string // the limit that spaces the parts; "" where there is none

	room    *int // where its room comes from, once it is its turn
	given   int  // how much
	reached time.Duration
	ready   chan struct{} // closed when it is its turn
}

// expressRoom is the room that urgent messages have for themselves: the parts of the longest message.
const expressRoom = coding.MaxParts

// newLanes shares out so many parts of room. One message always fits beside what is kept for urgent ones.
func newLanes(limit int) *lanes {
	express := max(0, min(expressRoom, limit-coding.MaxParts))
	l := &lanes{room: limit - express, express: express, held: make(map[string]hold)}
	for i := range l.share {
		l.share[i].runs = make(map[int32]float64)
	}
	return l
}

// wait returns when it is the turn of t, with room for t.given parts: all that it wants, or fewer where an urgent one would wait for room
// otherwise. done must be called after it. An error is the cause of the context, and leaves nothing to be done.
func (l *lanes) wait(ctx context.Context, t *turn) error {
	l.mu.Lock()
	l.join(t)
	l.next(time.Now())
	if l.on == t {
		l.mu.Unlock()
		return nil
	}
	t.ready = make(chan struct{})
	l.mu.Unlock()
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		l.leave(t)
		return context.Cause(ctx)
	}
}

// join puts a request behind the others. A lane or run that had none waiting does not come before those that had.
func (l *lanes) join(t *turn) {
	s := &l.share[t.lane]
	laneWaits, runWaits := false, false
	for _, w := range l.waiting {
		laneWaits = laneWaits || w.lane == t.lane
		runWaits = runWaits || w.lane == t.lane && w.run == t.run
	}
	if !laneWaits {
		s.charge = max(s.charge, l.clock)
	}
	if !runWaits {
		s.runs[t.run] = max(s.runs[t.run], s.clock)
	}
	l.waiting = append(l.waiting, t)
}

// next gives the turn to who is to have it, if nobody has it and there is room.
func (l *lanes) next(now time.Time) {
	if l.on != nil {
		return
	}
	var best, pressing *turn
	for _, t := range l.waiting {
		if !l.allowed(t, now) {
			continue
		}
		if best == nil || l.before(t, best) {
			best = t
		}
		if t.lane == urgent && t.least <= l.express && (pressing == nil || l.before(t, pressing)) {
			pressing = t
		}
	}
	switch {
	case best == nil:
		return
	case best.parts <= l.room:
		best.room, best.given = &l.room, best.parts
	case pressing != nil:
		best = pressing
		best.room, best.given = &l.express, min(best.parts, l.express)
	default:
		return // it keeps its place until there is room
	}
	*best.room -= best.given
	l.on = best
	l.remove(best)
	best.reached = l.reach(best, now)
	if best.ready != nil {
		close(best.ready)
	}
}

// before reports whether a has its turn before b, which asked earlier.
func (l *lanes) before(a, b *turn) bool {
	if a.lane != b.lane {
		x, y := l.share[a.lane].charge, l.share[b.lane].charge
		return x < y || x == y && a.lane < b.lane
	}
	return l.share[a.lane].runs[a.run] < l.share[b.lane].runs[b.run]
}

// allowed reports whether there may be slots for a request.
func (l *lanes) allowed(t *turn, now time.Time) bool {
	h, ok := l.held[t.spaced]
	return !ok || t.lane < h.lane || !now.Before(h.until)
}

// reach is how far ahead the first slot of t may lie. Between the lanes of one process their weights decide, so that it reaches as far as
// any lane that waits beside it.
func (l *lanes) reach(t *turn, now time.Time) time.Duration {
	reach := l.share[t.lane].reach(t.lane, now)
	for _, w := range l.waiting {
		if w.spaced == t.spaced {
			reach = max(reach, l.share[w.lane].reach(w.lane, now))
		}
	}
	return reach
}

func (s *share) reach(of lane, now time.Time) time.Duration {
	if s.refused.IsZero() || now.Sub(s.asked) > refusedFor {
		return of.reach(0)
	}
	return of.reach(now.Sub(s.refused))
}

// done ends a turn with the parts that it got slots for. What it has no use for goes back to where it came from.
func (l *lanes) done(t *turn, granted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.share[t.lane]
	if granted > 0 {
		l.clock, s.clock = s.charge, s.runs[t.run]
		s.charge += float64(granted) / laneTerms[t.lane].weight
		s.runs[t.run] += float64(granted)
		s.refused = time.Time{}
		l.forget(s)
	}
	*t.room += t.given - granted
	t.given = granted
	l.on = nil
	l.next(time.Now())
}

// refuse ends a turn for which there are no slots for a while, and lets nobody ask in vain meanwhile.
func (l *lanes) refuse(t *turn, retry time.Duration) {
	now := time.Now()
	l.mu.Lock()
	s := &l.share[t.lane]
	if s.refused.IsZero() || now.Sub(s.asked) > refusedFor {
		s.refused = now
	}
	s.asked = now
	most := t.lane
	for _, w := range l.waiting {
		if w.spaced == t.spaced {
			most = min(most, w.lane)
		}
	}
	// Its reach grows while it waits.
	wait := max(time.Duration(float64(retry)/(1+laneTerms[most].growth)), retryLeast)
	l.held[t.spaced] = hold{until: now.Add(wait), lane: most}
	l.mu.Unlock()
	l.done(t, 0)
	time.AfterFunc(wait, l.again) // for those who wait: whoever was refused may give up
}

// again gives the turn to who may ask by now.
func (l *lanes) again() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next(time.Now())
}

// retryLeast keeps requests that are refused from asking all the time.
const retryLeast = 5 * time.Millisecond

// chargesKept bounds how many runs of a lane are remembered beside those that wait.
const chargesKept = 1024

// forget drops the runs that are level with the one that had the last turn, or behind it: they would start there anyway. Where too many
// are left, as of single messages, each of which is ahead by itself and never comes again, it drops all that do not wait.
func (l *lanes) forget(s *share) {
	if len(s.runs) <= chargesKept {
		return
	}
	waiting := make(map[int32]bool, len(l.waiting))
	for _, w := range l.waiting {
		waiting[w.run] = true
	}
	drop := func(all bool) {
		for run, charge := range s.runs {
			if (all || charge <= s.clock) && !waiting[run] {
				delete(s.runs, run)
			}
		}
	}
	drop(false)
	drop(len(s.runs) > chargesKept/2)
}

// release gives back the room of parts that were recorded or will not be sent.
func (l *lanes) release(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*t.room += t.given
	t.given = 0
	l.next(time.Now())
}

// leave takes back a request whose turn may have come in this moment.
func (l *lanes) leave(t *turn) {
	l.mu.Lock()
	if l.on != t {
		l.remove(t)
		l.next(time.Now()) // those behind it may fit
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.done(t, 0)
}

func (l *lanes) remove(t *turn) {
	for i, w := range l.waiting {
		if w == t {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
}
