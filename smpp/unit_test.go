package smpp

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

func TestSequenceNumbersWrapAndSkipWhatIsOut(t *testing.T) {
	t.Parallel()
	c := newCorrelation(2, 4)
	send := &sending{batch: &Batch{Late: func(int, Result) {}}}
	c.last = pdu.MaxSequence - 1
	var got []uint32
	for i := range 3 {
		got = append(got, c.register(send, i, int64(i)))
	}
	if diff := cmp.Diff([]uint32{pdu.MaxSequence, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
	// 2 stays out while 64 places and then all numbers go by.
	c.take(1)
	c.take(pdu.MaxSequence)
	for _, last := range []uint32{1, 65, pdu.MaxSequence} {
		c.last = last
		if last == pdu.MaxSequence {
			c.register(send, 9, 9) // 1
		}
		if n := c.next(); n&c.mask == 2 {
			t.Errorf("after %d came %d, whose place is taken", last, n)
		}
	}
	// So does a number that was given up and may be answered late.
	c.expire(100, 100, func(pending) {})
	c.last = 1
	if n := c.next(); n == 2 {
		t.Error("the number of a late part was given again")
	}
	if p, ok := c.late.take(2); !ok || p.part != 2 {
		t.Errorf("late part %+v, %t", p, ok)
	}
	c.last = 1
	if n := c.next(); n != 2 {
		t.Errorf("number %d, want 2", n)
	}
}

func TestCorrelationKeepsAWholeWindow(t *testing.T) {
	t.Parallel()
	const window = 500
	c := newCorrelation(window, 0)
	send := &sending{batch: &Batch{}}
	out := make(map[uint32]int)
	// The first stays out for ever, the others come and go.
	first := c.register(send, 0, 0)
	for i := 1; i < 100_000; i++ {
		n := c.register(send, i, int64(i))
		if _, ok := out[n]; ok || n == first {
			t.Fatalf("number %d was given twice", n)
		}
		out[n] = i
		if len(out) == window-1 {
			for n, part := range out {
				if p, ok := c.take(n); !ok || int(p.part) != part {
					t.Fatalf("number %d holds %+v, %t", n, p, ok)
				}
				if _, ok := c.take(n); ok {
					t.Fatalf("number %d was taken twice", n)
				}
			}
			clear(out)
		}
	}
	if p, ok := c.take(first); !ok || p.part != 0 {
		t.Errorf("the first is %+v, %t", p, ok)
	}
}

func TestLatePartsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLateParts(3)
	send := &sending{batch: &Batch{Late: func(int, Result) {}}}
	kept := func() (list []uint32) {
		for n := uint32(1); n <= 10; n++ {
			if l.has(n) {
				list = append(list, n)
			}
		}
		return list
	}
	for n := uint32(1); n <= 8; n++ {
		l.add(pending{send: send, sequence: n}, 0)
	}
	if diff := cmp.Diff([]uint32{4, 5, 6, 7, 8}, kept()); diff != "" {
		t.Error(diff)
	}
	for _, n := range []uint32{5, 8} {
		if _, ok := l.take(n); !ok {
			t.Errorf("part %d is forgotten", n)
		}
		if _, ok := l.take(n); ok {
			t.Errorf("part %d is found twice", n)
		}
	}
	l.age(int64(lateFor) - 1)
	if diff := cmp.Diff([]uint32{4, 6, 7}, kept()); diff != "" {
		t.Error(diff)
	}
	l.age(int64(lateFor))
	if diff := cmp.Diff([]uint32{7}, kept()); diff != "" {
		t.Error(diff)
	}
	l.age(2 * int64(lateFor))
	if diff := cmp.Diff([]uint32(nil), kept()); diff != "" {
		t.Error(diff)
	}
	l.add(pending{send: &sending{batch: &Batch{}}, sequence: 9}, 0)
	if l.has(9) {
		t.Error("a part is remembered that nobody asks for")
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := map[Class][]pdu.Status{
		ClassSuccess:       {0},
		ClassThrottled:     {0x58, 0x14},
		ClassTransient:     {0x08, 0x45, 0x64, 0x66, 0xFE, 0xFF, 0x04, 0x102},
		ClassPermanent:     {0x65, 0x0B, 0x01, 0x50, 0x51, 0x61, 0x62, 0x63, 0x101, 0x400, 0x0500, 0xDEAD},
		ClassConfiguration: {0x0A, 0x43, 0x48, 0x49, 0x15, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x103, 0x104, 0x0D, 0x0E, 0x0F, 0x05},
	}
	for want, list := range tests {
		for _, status := range list {
			if got := Classify(status); got != want {
				t.Errorf("Classify(0x%02X) = %s, want %s", uint32(status), got, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	var got []string
	for o := Accepted; o <= Unknown+1; o++ {
		got = append(got, o.String())
	}
	for c := ClassSuccess; c <= ClassConfiguration+1; c++ {
		got = append(got, c.String())
	}
	want := []string{
		"accepted", "refused", "throttled", "transient", "not_sent", "unknown", "outcome 7",
		"success", "permanent", "transient", "throttled", "configuration", "class 5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPaceMakesUpForLateTimersAndKeepsTheRate(t *testing.T) {
	t.Parallel()
	var p pace
	p.set(2000)
	now := time.Now()
	start := now
	var at []time.Time
	for len(at) < 10_000 {
		for p.wait(now).IsZero() {
			p.take(now)
			at = append(at, now)
		}
		// Each timer fires up to a millisecond late.
		now = p.wait(now).Add(time.Duration(len(at)%11) * 100 * time.Microsecond)
	}
	if rate := float64(len(at)) / now.Sub(start).Seconds(); rate < 1980 || rate > 2000 {
		t.Errorf("%.1f parts a second", rate)
	}
	for i := 2000; i < len(at); i++ {
		if gap := at[i].Sub(at[i-2000]); gap < time.Second {
			t.Fatalf("2,000 parts fell into %s", gap)
		}
	}
}

func TestRoutePicksTheLeastLoaded(t *testing.T) {
	t.Parallel()
	if _, ok := NewRoute("none").Pick(); ok {
		t.Error("a route without binds picks one")
	}
	bound := func(name string, window, slots, queued int) *Bind {
		b := &Bind{cfg: BindConfig{Name: name, Window: window, Type: TypeTransceiver}}
		b.session = &session{slots: slots, queue: sendQueue{parts: queued}}
		return b
	}
	busy, idle, wide := bound("busy", 10, 5, 0), bound("idle", 10, 1, 0), bound("wide", 1000, 50, 0)
	down := &Bind{cfg: BindConfig{Name: "down"}}
	receiver := bound("receiver", 10, 0, 0)
	receiver.session.refusal = ErrNotBound
	paused := bound("paused", 10, 0, 0)
	paused.busy.throttled(time.Now(), time.Now())
	route := NewRoute("main", busy, down, receiver, paused, idle, wide)
	for range 10 {
		if b, ok := route.Pick(); !ok || b != wide {
			t.Fatalf("picked %s", b.Name())
		}
	}
	wide.session.queue.parts = 1000
	if b, _ := route.Pick(); b != idle {
		t.Errorf("picked %s", b.Name())
	}
	if b, ok := route.Bind("busy"); !ok || b != busy {
		t.Error("bind busy not found")
	}
	if _, ok := route.Bind("other"); ok {
		t.Error("bind other found")
	}
	even := NewRoute("even", bound("a", 10, 0, 0), bound("b", 10, 0, 0), bound("c", 10, 0, 0))
	seen := make(map[string]int)
	for range 9 {
		b, _ := even.Pick()
		seen[b.Name()]++
	}
	if diff := cmp.Diff(map[string]int{"a": 3, "b": 3, "c": 3}, seen); diff != "" {
		t.Error(diff)
	}
}

// TestCongestionFindsTheCentresRate plays a centre that takes 100 parts a second from a sender that always has more.
func TestCongestionFindsTheCentresRate(t *testing.T) {
	t.Parallel()
	const capacity = 100
	start := time.Now()
	now := start
	var (
		c                          congestion
		p                          pace
		taken, throttled, inSecond int
		pauses                     int
	)
	second := now
	for now.Sub(start) < 120*time.Second {
		if now.Sub(second) >= time.Second {
			second, inSecond = second.Add(time.Second), 0
		}
		until, rate := c.limit(now)
		p.set(rate)
		if until.IsZero() && p.wait(now).IsZero() {
			p.take(now)
			if inSecond++; inSecond <= capacity {
				taken++
				c.accepted(1, now, now)
			} else {
				throttled++
				if _, started := c.throttled(now, now); started {
					pauses++
				}
			}
		}
		now = now.Add(time.Millisecond) // a thousand parts a second are offered
	}
	t.Logf("%d taken, %d throttled, %d pauses", taken, throttled, pauses)
	if taken < capacity*120*6/10 {
		t.Errorf("%d parts were taken of %d possible", taken, capacity*120)
	}
	if throttled > 40 {
		t.Errorf("%d parts were throttled", throttled)
	}
	// With less to send the limit goes away.
	for range 60 {
		now = now.Add(time.Second)
		c.limit(now)
		c.accepted(10, now, now)
	}
	if _, rate := c.limit(now); rate != 0 || c.active.Load() {
		t.Errorf("rate %f is still held", rate)
	}
}
