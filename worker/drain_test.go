package worker

import (
	"math/rand/v2"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/testenv"
)

var drainStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDrainBuckets(t *testing.T) {
	t.Parallel()
	for took := time.Duration(0); took < 40*24*time.Hour; took = took*9/8 + time.Millisecond {
		bucket := drainBucket(took)
		top := drainTop(bucket)
		if bucket < 0 || bucket >= drainBuckets || took >= top {
			t.Fatalf("%s is in bucket %d, which ends at %s", took, bucket, top)
		}
		if bucket > 0 && drainTop(bucket-1) > took {
			t.Fatalf("%s is in bucket %d, and the one before ends at %s", took, bucket, drainTop(bucket-1))
		}
		if top > took+took/8+2*time.Millisecond {
			t.Fatalf("%s is rounded up to %s", took, top)
		}
	}
	if drainBucket(-time.Hour) != 0 || drainBucket(1<<62) != drainBuckets-1 {
		t.Error("a clock that was set leads out of the buckets")
	}
}

// TestTheDrainTimeIsAMedian measures routes whose messages arrive in different ways.
func TestTheDrainTimeIsAMedian(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	around := func(d time.Duration) time.Duration {
		return d - d/10 + time.Duration(random.Int64N(int64(d/5)))
	}
	tests := []struct {
		name        string
		samples     int
		sample      func(i int) time.Duration
		least, most time.Duration // of the drain time
	}{
		{"a quick route", 1000, func(int) time.Duration { return around(2 * time.Second) }, 5 * time.Second, 7 * time.Second},
		{"a third of the phones are off for hours", 1000, func(i int) time.Duration {
			if i%3 == 0 {
				return around(6 * time.Hour)
			}
			return around(2 * time.Second)
		}, 5 * time.Second, 7 * time.Second},
		{"a congested route", 1000, func(int) time.Duration { return around(10 * time.Minute) }, 12 * time.Minute, 15 * time.Minute},
		{"receipts that come once in a night", 1000, func(int) time.Duration { return around(8 * time.Hour) }, 30 * time.Minute, 30 * time.Minute},
		{"too few to say", 5, func(int) time.Duration { return 6 * time.Hour }, 10 * time.Second, 10 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var m drainMeter
			for i := range test.samples {
				m.add(test.sample(i))
			}
			median, samples, fresh := m.fold(drainStart)
			drain := campaign.Drain{Median: median, Samples: samples}.Time()
			if !fresh || samples != int64(test.samples) || drain < test.least || drain > test.most {
				t.Errorf("drain time %s of %d (%v), want %s to %s", drain, samples, fresh, test.least, test.most)
			}
		})
	}
}

func TestTheDrainTimeFollowsTheRoute(t *testing.T) {
	t.Parallel()
	var m drainMeter
	now := drainStart
	round := func(n int, took time.Duration) (time.Duration, int64) {
		for range n {
			m.add(took)
		}
		now = now.Add(drainEvery)
		median, samples, _ := m.fold(now)
		return median, samples
	}
	for range 100 {
		round(100, time.Second)
	}
	if median, _ := round(100, time.Minute); median > 2*time.Second {
		t.Errorf("one round moved the median to %s", median)
	}
	for range 200 { // ten minutes of a centre that queues
		round(100, time.Minute)
	}
	if median, samples := round(100, time.Minute); median < time.Minute || samples > 40_000 {
		t.Errorf("after ten minutes the median is %s of %d", median, samples)
	}
	if _, _, fresh := m.fold(now.Add(time.Hour)); fresh {
		t.Error("a silent route was measured")
	}
	now = now.Add(2 * time.Hour)
	if median, samples := round(30, time.Second); median > 2*time.Second || samples > 80 {
		t.Errorf("after a silence the median is %s of %d: the old does not count", median, samples)
	}
}

func TestDrainTimesAreShared(t *testing.T) {
	t.Parallel()
	ledger := campaign.NewLedger(testenv.DB(t))
	many, few := NewDrains(ledger, []string{"main", "other"}, testenv.Logger(t)), NewDrains(ledger, []string{"main"}, testenv.Logger(t))
	now := time.Now()
	share := func(d *Drains, n int, took time.Duration) {
		t.Helper()
		for range n {
			d.delivered(d.index("main"), took)
		}
		if err := d.share(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if got := few.Of("main"); got != 10*time.Second {
		t.Errorf("nothing is known, and the drain time is %s", got)
	}
	share(many, 1000, time.Minute)
	share(few, 30, time.Second)
	if got := few.Of("main"); got < 75*time.Second || got > 90*time.Second {
		t.Errorf("it is %s for who saw few receipts, not what the other measured", got)
	}
	now = now.Add(2 * time.Minute) // the other fell silent
	share(few, 30, time.Second)
	share(many, 0, 0)
	if got := many.Of("main"); got < 4*time.Second || got > 5*time.Second {
		t.Errorf("it is %s after the other fell silent", got)
	}
	if got := many.Of("other"); got != 10*time.Second {
		t.Errorf("it is %s for a route without receipts", got)
	}
	if got := (*Drains)(nil).Of("main"); got != 10*time.Second {
		t.Errorf("without measuring it is %s", got)
	}
	many.delivered(many.index("gone"), time.Hour) // a route that the configuration lost
}

func TestCountingReceiptsTakesNoMemory(t *testing.T) { //nolint:paralleltest // allocations are counted for the whole process
	d := NewDrains(nil, []string{"main"}, testenv.Logger(t))
	m := NewMemory()
	m.remember(1, remembered{msisdn: 919800000001, run: 1, route: d.index("main"), at: milliseconds(drainStart)})
	if n := testing.AllocsPerRun(1000, func() {
		r, _ := m.recall(1, 919800000001)
		d.delivered(r.route, r.since(drainStart.Add(time.Second)))
	}); n != 0 {
		t.Errorf("%v allocations for a receipt", n)
	}
	if median, _, fresh := d.meters[0].fold(drainStart); !fresh || median < time.Second || median > 1200*time.Millisecond {
		t.Errorf("the median is %s", median)
	}
}

func BenchmarkDelivered(b *testing.B) {
	d := NewDrains(nil, []string{"main"}, nil)
	for i := range b.N {
		d.delivered(0, time.Duration(i)*time.Microsecond)
	}
}
