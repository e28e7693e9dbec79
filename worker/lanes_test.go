package worker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pukar/smpp/coding"
)

// turns plays the lanes without a clock: requests that always wait again, served one at a time.
type turns struct {
	lanes *lanes
	got   map[int32]int // parts by run
}

// serve gives out so many parts of room, to requests that come back at once.
func (p *turns) serve(parts int) {
	for parts > 0 {
		t := p.lanes.on
		if t == nil {
			return
		}
		p.lanes.join(&turn{lane: t.lane, run: t.run, least: t.least, parts: t.parts})
		p.lanes.done(t, t.given)
		p.got[t.run] += t.given
		parts -= t.given
		p.lanes.release(t)
	}
}

// TestLanesShareByTheirWeights keeps requests of every lane waiting, of strides that differ in size, and counts who got what.
func TestLanesShareByTheirWeights(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := &turns{lanes: newLanes(400), got: make(map[int32]int)}
		const runsOfALane = 2
		for l := range laneTerms {
			for run := range runsOfALane {
				parts := rapid.IntRange(1, 190).Draw(t, "parts")
				for range rapid.IntRange(1, 4).Draw(t, "handlers") {
					p.lanes.join(&turn{lane: lane(l), run: int32(l*runsOfALane + run), least: 1, parts: parts})
				}
			}
		}
		p.lanes.next(time.Now())
		const parts = 30_000
		p.serve(parts)
		for l := range laneTerms {
			first, second := p.got[int32(l*runsOfALane)], p.got[int32(l*runsOfALane+1)]
			want := parts * laneTerms[l].weight / (urgentWeight + normalWeight + bulkWeight)
			if got := float64(first + second); got < want-800 || got > want+800 {
				t.Fatalf("lane %d got %v parts, want about %v: %v", l, got, want, p.got)
			}
			if diff := first - second; diff > 400 || diff < -400 {
				t.Fatalf("two runs of lane %d got %d and %d parts", l, first, second)
			}
		}
	})
}

const urgentWeight, normalWeight, bulkWeight = 16, 4, 1

// TestWhoHadNothingToSendSavesNothingUp lets a run come late: it starts level with the others, and so does a lane.
func TestWhoHadNothingToSendSavesNothingUp(t *testing.T) {
	t.Parallel()
	p := &turns{lanes: newLanes(400), got: make(map[int32]int)}
	p.lanes.join(&turn{lane: bulk, run: 1, least: 1, parts: 100})
	p.lanes.next(time.Now())
	p.serve(100_000)
	p.lanes.join(&turn{lane: bulk, run: 2, least: 1, parts: 100})
	p.lanes.join(&turn{lane: normal, run: 3, least: 1, parts: 100})
	clear(p.got)
	p.serve(60_000)
	if one, two := p.got[1], p.got[2]; one < 5_500 || two < 5_500 || one > 6_500 || two > 6_500 {
		t.Errorf("two bulk runs got %d and %d of 60,000 parts beside a normal one that got %d", one, two, p.got[3])
	}
}

// TestAnUrgentMessageDoesNotWaitForRoom fills the route with bulk.
func TestAnUrgentMessageDoesNotWaitForRoom(t *testing.T) {
	t.Parallel()
	l := newLanes(1000)
	var full []*turn
	for l.room > 0 {
		stride := &turn{lane: bulk, run: 1, least: 1, parts: min(l.room, 200)}
		if err := l.wait(t.Context(), stride); err != nil {
			t.Fatal(err)
		}
		l.done(stride, stride.given)
		full = append(full, stride)
	}
	soon, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errIdle)
	defer cancel()
	for _, other := range []lane{normal, bulk} {
		if err := l.wait(soon, &turn{lane: other, run: 2, least: 1, parts: 1}); !errors.Is(err, errIdle) {
			t.Errorf("%s: %v, want no room", laneTerms[other].priority, err)
		}
	}
	message := &turn{lane: urgent, run: 3, least: 3, parts: 200}
	if err := l.wait(t.Context(), message); err != nil || message.given != expressRoom {
		t.Fatalf("an urgent stride got room for %d parts, %v; want %d", message.given, err, expressRoom)
	}
	l.done(message, 3)
	l.release(message)
	for _, stride := range full {
		l.release(stride)
	}
	if l.room != 1000-expressRoom || l.express != expressRoom {
		t.Errorf("room for %d and %d parts came back", l.room, l.express)
	}
}

// TestNoMoreIsWrittenAheadThanTheRouteAllows lets many ask at once, some of whom give up, and counts what they hold.
func TestNoMoreIsWrittenAheadThanTheRouteAllows(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{coding.MaxParts, 25, 100} { // all of them together want some 120 at a time
		l := newLanes(limit)
		var mu sync.Mutex
		held, most := 0, 0
		var group sync.WaitGroup
		for i := range 24 {
			group.Go(func() {
				for round := range 60 {
					patience, cancel := context.WithTimeout(t.Context(), time.Duration(1+round%5)*time.Millisecond)
					stride := &turn{lane: lane(i % 3), run: int32(i % 7), least: 1 + i%3, parts: 1 + (i*7+round)%(coding.MaxParts)}
					stride.parts = max(stride.parts, stride.least)
					err := l.wait(patience, stride)
					cancel()
					if err != nil {
						continue
					}
					granted := max(stride.least, stride.given*(round%3)/2)
					if round%6 == 5 {
						granted = 0
					}
					l.done(stride, min(granted, stride.given))
					mu.Lock()
					held += stride.given
					most = max(most, held)
					mu.Unlock()
					if !pause(t.Context(), 100*time.Microsecond) {
						return
					}
					mu.Lock()
					held -= stride.given
					mu.Unlock()
					l.release(stride)
				}
			})
		}
		group.Wait()
		if most > limit || most < limit/2 {
			t.Errorf("%d parts were held at once with room for %d", most, limit)
		}
		if l.room+l.express != limit || l.on != nil || len(l.waiting) > 0 {
			t.Errorf("in the end there is room for %d and %d of %d parts, %d wait", l.room, l.express, limit, len(l.waiting))
		}
	}
}

// TestALaneThatWaitsReachesFurther holds every lane's reach to grow until it passes the others', so that none waits for ever.
func TestALaneThatWaitsReachesFurther(t *testing.T) {
	t.Parallel()
	for l := urgent; l < bulk; l++ {
		if l.reach(0) <= (l + 1).reach(0) {
			t.Errorf("%s reaches no further than %s", laneTerms[l].priority, laneTerms[l+1].priority)
		}
		if l.reach(0)+strideTime > (l + 1).reach(refusedFor) {
			t.Errorf("%s waits behind %s for ever", laneTerms[l+1].priority, laneTerms[l].priority)
		}
	}
	s, now := &share{}, time.Now()
	if got := s.reach(bulk, now); got != bulk.reach(0) {
		t.Errorf("a lane that never waited reaches %v", got)
	}
	s.refused, s.asked = now.Add(-3*time.Second), now.Add(-time.Second)
	if got := s.reach(bulk, now); got != bulk.reach(3*time.Second) {
		t.Errorf("a lane that waits for three seconds reaches %v", got)
	}
	s.refused, s.asked = now.Add(-time.Hour), now.Add(-time.Minute)
	if got := s.reach(bulk, now); got != bulk.reach(0) {
		t.Errorf("a lane that waited an hour ago and has stopped asking reaches %v", got)
	}
}

// TestPriorities knows every queue.
func TestPriorities(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]lane{"urgent": urgent, "normal": normal, "bulk": bulk} {
		if got := laneOf(name); got != want {
			t.Errorf("%s is lane %d, want %d", name, got, want)
		}
	}
}

func BenchmarkLanes(b *testing.B) {
	l := newLanes(1000)
	for b.Loop() {
		stride := &turn{lane: bulk, run: 1, least: 1, parts: 400}
		if err := l.wait(b.Context(), stride); err != nil {
			b.Fatal(err)
		}
		l.done(stride, 400)
		l.release(stride)
	}
}

// TestMessagesLeaveNothingBehind gives turns to runs of one message each, as other systems post them for days.
func TestMessagesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	l := newLanes(400)
	for run := range int32(20_000) {
		message := &turn{lane: urgent, run: run, least: 1, parts: 2}
		if err := l.wait(t.Context(), message); err != nil {
			t.Fatal(err)
		}
		l.done(message, 2)
		l.release(message)
	}
	if n := len(l.share[urgent].runs); n > chargesKept {
		t.Errorf("%d runs are remembered", n)
	}
}

// TestAHoldEndsForWhoeverWaits lets the one that was refused give up, while another waits for the same limit.
func TestAHoldEndsForWhoeverWaits(t *testing.T) {
	t.Parallel()
	l := newLanes(400)
	refused, other := &turn{lane: bulk, run: 1, least: 1, parts: 1, spaced: "route"}, &turn{lane: bulk, run: 2, least: 1, parts: 1, spaced: "route"}
	if err := l.wait(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	patience, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	go func() { waits <- l.wait(patience, other) }()
	for {
		l.mu.Lock()
		n := len(l.waiting)
		l.mu.Unlock()
		if n == 1 {
			break
		}
		pause(t.Context(), time.Millisecond)
	}
	pause(t.Context(), 10*time.Millisecond) // until it has looked how long it may not ask
	l.refuse(refused, 100*time.Millisecond)
	if err := <-waits; err != nil {
		t.Errorf("nobody told the one that waits: %v", err)
	}
}
