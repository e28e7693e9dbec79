package worker

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/internal/throttle"
	"pukar/smpp"
)

// offices are processes that take slots of one route through one Redis, and write nothing into them.
type offices struct {
	t     *testing.T
	group sync.WaitGroup
	mu    sync.Mutex
	slots map[int32][]time.Time // by run
}

// office is one of them.
type office struct {
	*offices
	route    *Route
	throttle *throttle.Throttle
}

const officeRate = 300

func (o *offices) open() *office {
	c := config.Route{Name: "main", PartsPerSecond: officeRate, Binds: []config.Bind{{Name: "main-1", Type: smpp.TypeTransceiver, Window: 500}}}
	return &office{offices: o, route: NewRoute(c, nil), throttle: throttle.New(testenv.Redis(o.t))}
}

// stride takes slots for messages of one part, as many as of parts, and holds the room until the last of them.
func (o *office) stride(ctx context.Context, l lane, run int32, parts int) (throttle.Slots, error) {
	a := ask{lane: l, run: run, sizes: bytes.Repeat([]byte{1}, parts)}
	a.limits, a.spacing = o.route.throttles("main-1", "camp", 0, 1)
	turn, slots, err := o.route.take(ctx, ctx, o.throttle, a)
	if err != nil {
		return slots, err
	}
	o.mu.Lock()
	for i := range slots.Granted {
		o.slots[run] = append(o.slots[run], slots.At(i))
	}
	o.mu.Unlock()
	o.group.Go(func() {
		pause(context.WithoutCancel(ctx), time.Until(slots.At(slots.Granted-1)))
		o.route.lanes.release(turn)
	})
	return slots, nil
}

// saturate sends strides of a run on several handlers until ctx ends.
func (o *office) saturate(ctx context.Context, l lane, run int32, handlers int) {
	for range handlers {
		o.group.Go(func() {
			for ctx.Err() == nil {
				slots, err := o.stride(ctx, l, run, 37)
				if err != nil {
					if !errors.Is(err, context.Cause(ctx)) && !errors.Is(err, errIdle) {
						o.t.Errorf("%s: %v", laneTerms[l].priority, err)
					}
					continue
				}
				pause(ctx, time.Until(slots.First)-openAhead)
			}
		})
	}
}

// TestAnUrgentMessageOfAnotherProcessComesFirst lets two processes take all of a route for bulk runs, and a third one send an urgent
// message now and then.
func TestAnUrgentMessageOfAnotherProcessComesFirst(t *testing.T) {
	t.Parallel()
	o := &offices{t: t, slots: make(map[int32][]time.Time)}
	full, stop := context.WithCancel(t.Context())
	o.open().saturate(full, bulk, 1, 4)
	o.open().saturate(full, bulk, 2, 4)
	third := o.open()
	var waits []time.Duration
	for range 20 {
		if !pause(t.Context(), 150*time.Millisecond) {
			break
		}
		asked := time.Now()
		slots, err := third.stride(full, urgent, 3, 2)
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, slots.At(slots.Granted-1).Sub(asked))
	}
	stop()
	o.group.Wait()
	slices.Sort(waits)
	t.Logf("urgent slots come after %v in the middle, %v at the latest", waits[len(waits)/2], waits[len(waits)-1])
	if waits[len(waits)/2] > 600*time.Millisecond || waits[len(waits)-1] > 2*time.Second {
		t.Errorf("urgent slots come after %v", waits)
	}
	if one, two := len(o.slots[1]), len(o.slots[2]); one < two/3 || two < one/3 {
		t.Errorf("two bulk runs of two processes got %d and %d parts", one, two)
	}
	o.keptTheRate()
}

// TestNoLaneStarvesBetweenProcesses lets each of three processes have one lane, and want all of the route.
func TestNoLaneStarvesBetweenProcesses(t *testing.T) {
	t.Parallel()
	o := &offices{t: t, slots: make(map[int32][]time.Time)}
	full, stop := context.WithTimeout(t.Context(), 8*time.Second)
	defer stop()
	for _, l := range []lane{urgent, normal, bulk} {
		o.open().saturate(full, l, int32(l), 4)
	}
	o.group.Wait()
	got := func(l lane) int { return len(o.slots[int32(l)]) }
	all := got(urgent) + got(normal) + got(bulk)
	t.Logf("urgent, normal and bulk of three processes got %d, %d and %d parts", got(urgent), got(normal), got(bulk))
	if got(urgent) < all/2 || got(normal) < all/25 || got(bulk) < all/50 || got(bulk) > got(normal) {
		t.Errorf("urgent, normal and bulk of three processes got %d, %d and %d parts", got(urgent), got(normal), got(bulk))
	}
	o.keptTheRate()
}

// TestLanesOfOneProcessShareARateByTheirWeights lets one process have them all.
func TestLanesOfOneProcessShareARateByTheirWeights(t *testing.T) {
	t.Parallel()
	o := &offices{t: t, slots: make(map[int32][]time.Time)}
	full, stop := context.WithTimeout(t.Context(), 8*time.Second)
	defer stop()
	only := o.open()
	for _, l := range []lane{urgent, normal, bulk} {
		only.saturate(full, l, int32(l), 4)
	}
	o.group.Wait()
	urgents, normals, bulks := len(o.slots[0]), len(o.slots[1]), len(o.slots[2])
	all := urgents + normals + bulks
	t.Logf("urgent, normal and bulk of one process got %d, %d and %d parts", urgents, normals, bulks)
	if urgents < all*60/100 || normals < all*10/100 || bulks < all*2/100 || bulks > normals {
		t.Errorf("urgent, normal and bulk of one process got %d, %d and %d parts", urgents, normals, bulks)
	}
	o.keptTheRate()
}

// keptTheRate looks at every second of what was given out.
func (o *offices) keptTheRate() {
	o.t.Helper()
	var all []time.Time
	for _, slots := range o.slots {
		all = append(all, slots...)
	}
	slices.SortFunc(all, time.Time.Compare)
	// Each process reads Redis' clock through its own round trips.
	const clocks = 20 * time.Millisecond
	for i := 0; i+officeRate < len(all); i++ {
		if d := all[i+officeRate].Sub(all[i]); d < time.Second-clocks {
			o.t.Fatalf("%d parts within %v from part %d", officeRate+1, d, i)
		}
	}
}
