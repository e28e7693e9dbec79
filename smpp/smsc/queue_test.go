package smsc

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWheel holds the wheel and the queue to their meaning: everything comes out once, not early, and at most a tick late, however
// far ahead it is due and however irregularly the clock is read.
func TestWheel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var spare chunks
		w, q := wheel{chunks: &spare}, queue{chunks: &spare}
		var now time.Duration
		due := map[uint64]time.Duration{}
		check := func() {
			for d := (delivery{}); q.pop(&d); {
				want, ok := due[d.id]
				if !ok || want > now {
					t.Fatalf("at %v came %d, due %v, known %t", now, d.id, want, ok)
				}
				delete(due, d.id)
			}
			for id, at := range due {
				if at+tick <= now {
					t.Fatalf("at %v %d is still away, due %v", now, id, at)
				}
			}
			if w.n != len(due) {
				t.Fatalf("the wheel holds %d, want %d", w.n, len(due))
			}
		}
		id := uint64(0)
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			for range rapid.IntRange(0, 20).Draw(t, "added") {
				id++
				d := delivery{id: id, due: now + time.Duration(rapid.Int64Range(1, int64(40*time.Second)).Draw(t, "in"))}
				due[id] = d.due
				w.add(&d)
			}
			now += time.Duration(rapid.Int64Range(0, int64(15*time.Second)).Draw(t, "passes"))
			w.advance(now, &q)
			check()
		}
	})
}

func TestQueueIsFirstInFirstOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := queue{chunks: &chunks{}}
		var want, got []uint64
		id := uint64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for range rapid.IntRange(0, 600).Draw(t, "pushed") {
				id++
				q.push(&delivery{id: id})
				want = append(want, id)
			}
			var d delivery
			for range rapid.IntRange(0, 600).Draw(t, "popped") {
				if !q.pop(&d) {
					break
				}
				got = append(got, d.id)
			}
		}
		if q.n != len(want)-len(got) {
			t.Fatalf("length %d, want %d", q.n, len(want)-len(got))
		}
		for d := (delivery{}); q.pop(&d); {
			got = append(got, d.id)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("order (-in +out):\n%s", diff)
		}
	})
}

// TestRateMeter compares with counting every part of the last 1,000 milliseconds.
func TestRateMeter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m rateMeter
		var all []int64
		var now time.Duration
		var highest int64
		for range rapid.IntRange(1, 300).Draw(t, "parts") {
			now += time.Duration(rapid.Int64Range(0, int64(300*time.Millisecond)).Draw(t, "gap"))
			m.count(now)
			all = append(all, now.Milliseconds())
			n := int64(0)
			for _, at := range all {
				if at > now.Milliseconds()-1000 {
					n++
				}
			}
			highest = max(highest, n)
			if m.sum != n || m.highest != highest {
				t.Fatalf("at %v: %d and %d at most, want %d and %d", now, m.sum, m.highest, n, highest)
			}
		}
	})
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 13, 30, 0, 0, time.UTC)
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"", 0, true},
		{"000001000000000R", 24 * time.Hour, true},
		{"000000013015000R", 90*time.Minute + 15*time.Second, true},
		{"010203000000000R", (365 + 60 + 3) * 24 * time.Hour, true},
		{"261201190000022+", 0, true}, // 19:00 in India
		{"261201190000022-", 11 * time.Hour, true},
		{"261201133001500+", 1500 * time.Millisecond, true},
		{"261201133001000", 0, false},
		{"2612011330010000", 0, false},
		{"26120113300100x+", 0, false},
		{"tomorrow at nine", 0, false},
	}
	for _, tt := range tests {
		got, err := parseTime(tt.text, now)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %v, %v; want %v", tt.text, got, err, tt.want)
		}
	}
}
