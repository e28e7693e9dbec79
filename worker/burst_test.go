package worker

import (
	"testing"
	"time"
)

func TestBurst(t *testing.T) {
	t.Parallel()
	// step is what came in a second.
	type step struct {
		second          int64
		results, failed int64
	}
	many := func(steps ...step) []step { return steps }
	tests := []struct {
		name  string
		steps []step
		trips bool // with the last step, and with none before it
	}{
		{"nothing failed", many(step{1, 1000, 0}), false},
		{"the first twenty", many(step{1, 20, 20}), true},
		{"the first nineteen", many(step{1, 19, 19}), false},
		{"the first twenty, as slow as they may be", many(step{1, 10, 10}, step{1000, 9, 9}, step{9000, 1, 1}), true},
		{"the first twenty but one, slowly", many(step{1, 10, 10}, step{1000, 10, 9}, step{9000, 1, 1}), false},
		{"half of them", many(step{1, 1000, 0}, step{60, 40, 20}), true},
		{"less than half", many(step{1, 1000, 0}, step{60, 41, 20}), false},
		{"half, too few", many(step{1, 1000, 0}, step{60, 19, 19}), false},
		{"over some seconds", many(step{1, 1000, 0}, step{60, 10, 7}, step{64, 10, 7}, step{69, 10, 6}), true},
		{"over more than ten", many(step{1, 1000, 0}, step{60, 10, 7}, step{64, 10, 7}, step{70, 10, 6}), false},
		{"a burst behind many good ones of the same seconds", many(step{60, 1000, 0}, step{61, 500, 499}), false},
		{"a steady share", many(step{60, 1000, 300}, step{61, 1000, 300}, step{62, 1000, 300}), false},
		{"good ones alone trip nothing", many(step{60, 19, 19}, step{61, 1, 0}), false},
		{"the clock goes back", many(step{1, 1000, 0}, step{60, 10, 10}, step{50, 10, 10}), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b burst
			for i, s := range test.steps {
				got := b.add(time.Unix(s.second, 0), s.results, s.failed, nil)
				if want := test.trips && i == len(test.steps)-1; got != want {
					t.Errorf("step %d trips: %v, want %v", i+1, got, want)
				}
			}
		})
	}
}

func TestBurstNamesTheWorstCode(t *testing.T) {
	t.Parallel()
	var b burst
	b.add(time.Unix(1, 0), 20, 5, map[string]int64{"633": 5})
	b.add(time.Unix(30, 0), 20, 0, nil) // long over
	b.add(time.Unix(31, 0), 20, 3, map[string]int64{"620": 1, "604": 2})
	if code, times := b.worst(); code != "604" || times != 2 {
		t.Errorf("the worst is %s, %d times", code, times)
	}
}
