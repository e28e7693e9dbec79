package campaign

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWindowDrains(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	minute := Window{Days: CourtesyWindow().Days, From: 10 * time.Hour, To: 10*time.Hour + time.Minute}
	tests := []struct {
		name   string
		window Window
		drain  time.Duration
		at     string
		opens  string // "" when open at once
		closes string
	}{
		{"nothing to drain", CourtesyWindow(), 0, "2026-11-23 18:59:59", "", "2026-11-23 19:00:00"},
		{"before the drain", CourtesyWindow(), time.Minute, "2026-11-23 18:58:59", "", "2026-11-23 18:59:00"},
		{"the moment it begins", CourtesyWindow(), time.Minute, "2026-11-23 18:59:00", "2026-11-24 10:00:00", "2026-11-24 18:59:00"},
		{"Saturday's drain skips Sunday", CourtesyWindow(), 20 * time.Minute, "2026-11-28 18:40:00", "2026-11-30 10:00:00", "2026-11-30 18:40:00"},
		{"a short window keeps its half", minute, 30 * time.Minute, "2026-11-23 10:00:00", "", "2026-11-23 10:00:30"},
		{"the law's window drains too", LegalWindow("promotional"), time.Hour, "2026-11-23 20:00:00", "2026-11-24 10:00:00", "2026-11-24 20:00:00"},
		{"whole days drain before a holiday alone", keeping(wholeDays("sun-sat"), "national", h), time.Hour, "2026-11-23 22:59:59", "", "2026-11-23 23:00:00"},
		{"and stay closed over it", keeping(wholeDays("sun-sat"), "national", h), time.Hour, "2026-11-23 23:00:00", "2026-11-25 00:00:00", "2026-12-24 23:00:00"},
		{"not at every midnight", keeping(wholeDays("sun-sat"), "national", h), time.Hour, "2026-12-01 23:30:00", "", "2026-12-24 23:00:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := test.window.Draining(test.drain)
			at := ist(test.at)
			if _, open := w.Open(at); open != (test.opens == "") {
				t.Errorf("open: %v", open)
			}
			opens, err := w.Next(at)
			if err != nil || test.opens != "" && !opens.Equal(ist(test.opens)) {
				t.Errorf("opens %s (%v), want %s", opens.In(India), err, test.opens)
			}
			closes, _ := w.Open(opens)
			if !closes.Equal(ist(test.closes)) {
				t.Errorf("closes %s, want %s", closes.In(India), test.closes)
			}
			if own, _ := test.window.Open(opens); !own.Equal(closes.Add(w.Drain())) {
				t.Errorf("with its drain of %s it closes %s, want the window's own end %s", w.Drain(), closes.Add(w.Drain()), own)
			}
		})
	}
	if _, open := AlwaysWindow().Draining(time.Hour).Open(ist("2026-11-23 23:30:00")); !open {
		t.Error("a window that never closes has nothing to drain")
	}
	// An hour of work that the drain halves takes two days.
	end, err := Window{Days: CourtesyWindow().Days, From: 10 * time.Hour, To: 11 * time.Hour}.Draining(30*time.Minute).Finish(ist("2026-11-23 10:00:00"), time.Hour)
	if err != nil || !end.Equal(ist("2026-11-24 10:30:00")) {
		t.Errorf("it finishes %s (%v)", end, err)
	}
}

// TestAWindowAsksTheMomentAlone asks at moments in any order: the answer hangs on the moment alone.
func TestAWindowAsksTheMomentAlone(t *testing.T) {
	t.Parallel()
	w := keeping(CourtesyWindow(), "national", shipped(t)).Draining(time.Minute)
	for _, at := range []struct {
		at   string
		open bool
	}{
		{"2026-11-23 18:58:59", true}, {"2026-11-24 12:00:00", false}, {"2026-11-23 18:58:58", true}, {"2031-01-01 12:00:00", false},
		{"2020-01-01 12:00:00", false}, {"2026-11-23 18:59:00", false}, {"2026-11-23 10:00:00", true},
	} {
		if _, open := w.Open(ist(at.at)); open != at.open {
			t.Errorf("open at %s: %v", at.at, open)
		}
	}
}

func TestADrainingWindowNeverOutlastsItself(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		for i := range w.Days {
			w.Days[i] = rapid.Bool().Draw(t, "day")
		}
		from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
		w.From = time.Duration(from) * time.Minute
		w.To = time.Duration(rapid.IntRange(from+1, 24*60).Draw(t, "to")) * time.Minute
		w.Holidays = rapid.SampledFrom([]string{"", "national", "BR", "national,MH"}).Draw(t, "holidays")
		w = w.Keeping(h)
		drain := w.Draining(time.Duration(rapid.IntRange(0, 7200).Draw(t, "drain")) * time.Second)
		at := ist("2026-01-01 00:00:00").Add(time.Duration(rapid.IntRange(0, 700*24*3600).Draw(t, "at")) * time.Second)
		until, open := drain.Open(at)
		closes, own := w.Open(at)
		if open && (!own || !until.Before(closes) && drain.Drain() > 0 && !w.unbounded() || !at.Before(until)) {
			t.Fatalf("%s at %s: submits until %s, open %v until %s", w, at, until, own, closes)
		}
		if next, err := drain.Next(at); err == nil {
			if _, open := drain.Open(next); !open || next.Before(at) {
				t.Fatalf("%s at %s: Next %s is closed or past", w, at, next)
			}
		}
	})
}
