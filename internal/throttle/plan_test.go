package throttle

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	const ms = int64(time.Millisecond)
	one := func(ahead, interval int64) []bound { return []bound{{ahead: ahead * ms, interval: interval * ms}} }
	// A route of 500 a second, with a limit of 100 a second that may be early by three parts.
	two := func(route, campaign int64) []bound {
		return []bound{{ahead: route * ms, interval: 2 * ms}, {ahead: campaign * ms, interval: 10 * ms, burst: 4}}
	}
	granted := func(parts, start, interval int64, next ...int64) planned {
		for i := range next {
			next[i] *= ms
		}
		return planned{granted: parts, start: start * ms, interval: interval * ms, next: next}
	}
	refused := func(start, interval, retry int64, held int) planned {
		return planned{start: start * ms, interval: interval * ms, retry: retry * ms, held: held}
	}
	tests := []struct {
		name                  string
		bounds                []bound
		sizes                 []byte
		least, parts, horizon int64
		want                  planned
	}{
		{"free limit starts now", one(0, 10), nil, 1, 3, 500, granted(3, 0, 10, 30)},
		{"idle time is not saved up", one(-900, 10), nil, 1, 3, 500, granted(3, 0, 10, 30)},
		{"behind the parts before", one(40, 10), nil, 1, 2, 500, granted(2, 40, 10, 60)},
		{"the horizon cuts", one(40, 10), nil, 1, 50, 60, granted(3, 40, 10, 70)},
		{"a part may start at the horizon itself", one(60, 10), nil, 1, 5, 60, granted(1, 60, 10, 70)},
		{"beyond the horizon", one(80, 10), nil, 1, 5, 60, refused(80, 10, 20, 0)},
		{"a slow limit still gives one part", one(0, 60_000), nil, 1, 5, 500, granted(1, 0, 60_000, 60_000)},
		{"enough for a message", one(40, 10), nil, 3, 50, 60, granted(3, 40, 10, 70)},
		{"not enough for a message", one(40, 10), nil, 4, 50, 60, refused(40, 10, 10, 0)},
		{"a clock gone wrong is drawn in", one(3_600_000, 10), nil, 1, 5, 500, refused(60_010, 10, 59_510, 0)},
		{"no message is cut", one(40, 10), []byte{2, 0, 2, 2}, 2, 6, 80, granted(4, 40, 10, 80)},
		{"whole messages where all fit", one(40, 10), []byte{2, 2, 2}, 2, 6, 90, granted(6, 40, 10, 100)},

		{"the first spaces, the other counts its own", two(0, 0), nil, 1, 3, 500, granted(3, 0, 2, 6, 30)},
		{"only so many at once", two(0, 0), nil, 1, 50, 500, granted(4, 0, 2, 8, 40)},
		{"early by three parts at most", two(0, 30), nil, 1, 50, 500, granted(1, 0, 2, 2, 40)},
		{"who waits for its own limit takes no slot of the first", two(0, 31), nil, 1, 50, 500, refused(0, 2, 1, 1)},
		{"it is due later than the first has slots", two(20, 30), nil, 1, 50, 500, granted(3, 20, 2, 26, 60)},
		{"idle time gives it no more than its burst", two(0, -90_000), nil, 1, 50, 500, granted(4, 0, 2, 8, 40)},
		{"a message may be longer than the burst", two(0, 0), nil, 6, 6, 500, granted(6, 0, 2, 12, 60)},
		{"but then waits until all before it is due", two(0, 12), nil, 6, 50, 500, refused(0, 2, 2, 1)},
		{"the longer wait is answered", two(80, 200), nil, 1, 5, 60, refused(80, 2, 90, 1)},
		{"and whom it is for", two(200, 120), nil, 1, 5, 60, refused(200, 2, 140, 0)},
		{"a clock gone wrong there is drawn in too", two(0, 3_600_000), nil, 1, 5, 500, refused(0, 2, 60_160-30, 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := plan(test.bounds, test.sizes, test.least, test.parts, test.horizon*ms)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(planned{})); diff != "" {
				t.Errorf("plan: (-want +got)\n%s", diff)
			}
		})
	}
}

// drawRate draws from one part in two seconds to more than a centre ever takes.
func drawRate(t *rapid.T, label string) float64 {
	return math.Round(math.Pow(10, rapid.Float64Range(-0.3, 5.2).Draw(t, label))*1000) / 1000
}

// TestNoSecondHoldsMoreThanTheRate lets clients with different limits, sizes and horizons reserve at arbitrary times from one shared limit.
func TestNoSecondHoldsMoreThanTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := drawRate(t, "rate")
		times := reserveAtRandom(t, []float64{rate})[0]
		// Any window [times[i], times[i]+1s) is as full as windows get. Tolerance: the part of a second that a broken rate leaves over.
		most := int(math.Ceil(rate))
		for i := 0; i+most < len(times); i++ {
			if d := times[i+most] - times[i]; d < int64(time.Second) {
				t.Fatalf("%d parts within %v at %v/s", most+1, time.Duration(d), rate)
			}
		}
	})
}

// TestNoTimeHoldsMoreThanTheRateAndABurst shares a route between limits of its own and holds each of them, over every interval in which
// parts of it came, to its rate and what it may have at once.
func TestNoTimeHoldsMoreThanTheRateAndABurst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rates := []float64{drawRate(t, "route"), drawRate(t, "first"), drawRate(t, "second")}
		for k, times := range reserveAtRandom(t, rates) {
			burst := float64(max(randomBurst, randomLeast))
			if k == 0 {
				burst = 1
			}
			for i := range times {
				for j := i; j < len(times); j++ {
					most := rates[k]*time.Duration(times[j]-times[i]).Seconds() + burst + 1e-6
					if got := float64(j - i + 1); got > most {
						t.Fatalf("limit %d of %v/s: %v parts within %v", k, rates[k], got, time.Duration(times[j]-times[i]))
					}
				}
			}
		}
	})
}

const (
	randomBurst = 9
	randomLeast = 16
)

// reserveAtRandom makes reservations at random from the first rate together with one of the others, if there are any, and returns when
// the parts of each start. It also sees to it that whoever has to wait takes nothing, and nobody more than is used.
func reserveAtRandom(t *rapid.T, rates []float64) (times [][]int64) {
	intervals := make([]int64, len(rates))
	for k, rate := range rates {
		var err error
		if intervals[k], err = interval(Limit{Name: "limit", PartsPerSecond: rate}); err != nil {
			t.Fatal(err)
		}
	}
	times = make([][]int64, len(rates))
	next := make([]int64, len(rates)) // absolute
	var now int64                     // absolute
	for range rapid.IntRange(1, 60).Draw(t, "reservations") {
		now += rapid.Int64Range(0, int64(700*time.Millisecond)).Draw(t, "pause")
		used := []int{0}
		if len(rates) > 1 {
			used = append(used, rapid.IntRange(1, len(rates)-1).Draw(t, "other"))
		}
		var bounds []bound
		for _, k := range used {
			bounds = append(bounds, bound{ahead: next[k] - now, interval: intervals[k], burst: rapid.Int64Range(1, randomBurst).Draw(t, "burst")})
		}
		least := rapid.Int64Range(1, randomLeast).Draw(t, "least")
		p := plan(bounds, nil, least, rapid.Int64Range(least, 400).Draw(t, "parts"), rapid.Int64Range(0, int64(MaxHorizon)).Draw(t, "horizon"))
		if p.granted == 0 {
			if p.retry <= 0 || p.next != nil {
				t.Fatalf("nothing granted, and yet %+v", p)
			}
			continue
		}
		if p.granted < least {
			t.Fatalf("%d granted, fewer than %d", p.granted, least)
		}
		if p.start != max(0, bounds[0].ahead) || p.next[0] != p.start+p.granted*intervals[0] {
			t.Fatalf("the first limit stood at %d and is held until %d for %d parts from %d on", bounds[0].ahead, p.next[0], p.granted, p.start)
		}
		for i, k := range used {
			for part := range p.granted {
				times[k] = append(times[k], now+p.start+part*p.interval)
			}
			next[k] = now + p.next[i]
		}
	}
	return times
}

// TestSaturatedLimitReachesItsRate holds the total of a caller that always asks for more to within 1 % of the rate.
func TestSaturatedLimitReachesItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := drawRate(t, "rate")
		own, err := interval(Limit{Name: "route", PartsPerSecond: rate})
		if err != nil {
			t.Fatal(err)
		}
		horizon := rapid.Int64Range(0, int64(MaxHorizon)).Draw(t, "horizon")
		var now, next, total, first, last int64
		for total < 500 {
			p := plan([]bound{{ahead: next - now, interval: own}}, nil, 1, rapid.Int64Range(1, 500).Draw(t, "parts"), horizon)
			if p.granted == 0 {
				now += p.retry
				continue
			}
			if total == 0 {
				first = now + p.start
			}
			total += p.granted
			last = now + p.start + (p.granted-1)*p.interval
			next = now + p.next[0]
		}
		got := float64(total-1) / time.Duration(last-first).Seconds()
		if got > rate || got < rate*0.99 {
			t.Fatalf("%d parts at %v/s, want %v/s", total, got, rate)
		}
	})
}

// TestSlowLimitsShareAFastOne lets two campaigns of a third of the route's rate each ask whenever they are told to, beside one without a
// rate that reserves less far ahead: each gets its third, and the route is full.
func TestSlowLimitsShareAFastOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		route, err := interval(Limit{Name: "route", PartsPerSecond: math.Max(20, drawRate(t, "rate"))})
		if err != nil {
			t.Fatal(err)
		}
		const horizon = int64(250 * time.Millisecond)
		burst := max(1, int64(time.Second)/4/(3*route))
		own := 3 * route
		askers := []struct{ at, next, parts int64 }{{}, {}, {}} // the third has no rate of its own
		var routeNext, now int64
		for now = 0; now < int64(20*time.Second); {
			who := 0
			for i := range askers {
				if askers[i].at < askers[who].at {
					who = i
				}
			}
			asker := &askers[who]
			now = asker.at
			bounds, reach := []bound{{ahead: routeNext - now, interval: route}}, horizon/2
			if who < 2 {
				reach = horizon
				bounds = append(bounds, bound{ahead: asker.next - now, interval: own, burst: burst})
			}
			p := plan(bounds, nil, 1, max(1, burst/2), reach)
			asker.at = now + max(p.retry, int64(time.Millisecond))
			if p.granted == 0 {
				continue
			}
			asker.parts += p.granted
			routeNext = now + p.next[0]
			if who < 2 {
				asker.next = now + p.next[1]
			}
		}
		full, most := float64(now)/float64(route), float64(now+horizon)/float64(own)+float64(burst)+1
		for i, asker := range askers[:2] {
			if got := float64(asker.parts); got < full/3*0.98 || got > most {
				t.Fatalf("campaign %d got %v of %v parts at a third of the route's rate", i, got, full)
			}
		}
		if got := float64(askers[0].parts + askers[1].parts + askers[2].parts); got < full*0.98 {
			t.Fatalf("%v of the route's %v parts were given", got, full)
		}
	})
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1), 1e-9} {
		if own, err := interval(Limit{PartsPerSecond: rate}); err == nil {
			t.Errorf("interval of %v/s = %v, want an error", rate, own)
		}
	}
	for rate, want := range map[float64]int64{1: 1_000_000_000, 3: 333_333_334, 150_000: 6667, 1e12: 1} {
		if own, err := interval(Limit{PartsPerSecond: rate}); err != nil || own != want {
			t.Errorf("interval of %v/s = %v, %v, want %v", rate, own, err, want)
		}
	}
}
