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
	type result struct {
		Granted, Start, Interval, Retry int64
		Next                            []int64
	}
	tests := []struct {
		name                  string
		ahead, intervals      []int64
		least, parts, horizon int64
		want                  result
	}{
		{"free limit starts now", []int64{0}, []int64{10 * ms}, 1, 3, 500 * ms, result{3, 0, 10 * ms, 0, []int64{30 * ms}}},
		{"idle time is not saved up", []int64{-900 * ms}, []int64{10 * ms}, 1, 3, 500 * ms, result{3, 0, 10 * ms, 0, []int64{30 * ms}}},
		{"behind the parts before", []int64{40 * ms}, []int64{10 * ms}, 1, 2, 500 * ms, result{2, 40 * ms, 10 * ms, 0, []int64{60 * ms}}},
		{"the horizon cuts", []int64{40 * ms}, []int64{10 * ms}, 1, 50, 60 * ms, result{3, 40 * ms, 10 * ms, 0, []int64{70 * ms}}},
		{"a part may start at the horizon itself", []int64{60 * ms}, []int64{10 * ms}, 1, 5, 60 * ms, result{1, 60 * ms, 10 * ms, 0, []int64{70 * ms}}},
		{"beyond the horizon", []int64{80 * ms}, []int64{10 * ms}, 1, 5, 60 * ms, result{0, 80 * ms, 10 * ms, 20 * ms, nil}},
		{"slowest sets the pace, latest the start", []int64{0, 30 * ms}, []int64{10 * ms, 2 * ms}, 1, 3, 500 * ms, result{3, 30 * ms, 10 * ms, 0, []int64{60 * ms, 52 * ms}}},
		{"a slow limit still gives one part", []int64{0}, []int64{60_000 * ms}, 1, 5, 500 * ms, result{1, 0, 60_000 * ms, 0, []int64{60_000 * ms}}},
		{"enough for a message", []int64{40 * ms}, []int64{10 * ms}, 3, 50, 60 * ms, result{3, 40 * ms, 10 * ms, 0, []int64{70 * ms}}},
		{"not enough for a message", []int64{40 * ms}, []int64{10 * ms}, 4, 50, 60 * ms, result{0, 40 * ms, 10 * ms, 10 * ms, nil}},
		{"a clock gone wrong is drawn in", []int64{3_600_000 * ms}, []int64{10 * ms}, 1, 5, 500 * ms, result{0, 60_010 * ms, 10 * ms, 59_510 * ms, nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got result
			got.Granted, got.Start, got.Interval, got.Retry, got.Next = plan(test.ahead, test.intervals, test.least, test.parts, test.horizon)
			if diff := cmp.Diff(test.want, got); diff != "" {
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
		shared := Limit{Name: "route", PartsPerSecond: drawRate(t, "rate")}
		own, err := interval(shared)
		if err != nil {
			t.Fatal(err)
		}
		others := []int64{1, own * 3, int64(time.Second) / 7}
		otherNext := make([]int64, len(others)) // absolute
		var now, next int64                     // absolute
		var times []int64
		for range rapid.IntRange(1, 60).Draw(t, "reservations") {
			now += rapid.Int64Range(0, int64(700*time.Millisecond)).Draw(t, "pause")
			o := rapid.IntRange(0, len(others)-1).Draw(t, "other")
			least := rapid.Int64Range(1, 16).Draw(t, "least")
			granted, start, step, _, after := plan([]int64{next - now, otherNext[o] - now}, []int64{own, others[o]}, least,
				rapid.Int64Range(least, 400).Draw(t, "parts"), rapid.Int64Range(0, int64(MaxHorizon)).Draw(t, "horizon"))
			if granted > 0 && granted < least {
				t.Fatalf("%d granted, fewer than %d", granted, least)
			}
			for i := range granted {
				times = append(times, now+start+i*step)
			}
			if granted > 0 {
				next, otherNext[o] = now+after[0], now+after[1]
			}
		}
		// Any window [times[i], times[i]+1s) is as full as windows get. Tolerance: the part of a second that a broken rate leaves over.
		most := int(math.Ceil(shared.PartsPerSecond))
		for i := 0; i+most < len(times); i++ {
			if d := times[i+most] - times[i]; d < int64(time.Second) {
				t.Fatalf("%d parts within %v at %v/s", most+1, time.Duration(d), shared.PartsPerSecond)
			}
		}
	})
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
			granted, start, step, retry, after := plan([]int64{next - now}, []int64{own}, 1, rapid.Int64Range(1, 500).Draw(t, "parts"), horizon)
			if granted == 0 {
				now += retry
				continue
			}
			if total == 0 {
				first = now + start
			}
			total += granted
			last = now + start + (granted-1)*step
			next = now + after[0]
		}
		got := float64(total-1) / time.Duration(last-first).Seconds()
		if got > rate || got < rate*0.99 {
			t.Fatalf("%d parts at %v/s, want %v/s", total, got, rate)
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
