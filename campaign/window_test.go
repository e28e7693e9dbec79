package campaign

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func ist(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, India)
	if err != nil {
		panic(err)
	}
	return t
}

// 2026-11-23 is a Monday.
func TestWindow(t *testing.T) {
	t.Parallel()
	night := Window{Days: [7]bool{true, true, true, true, true, true, true}, From: 20 * time.Hour, To: 24 * time.Hour}
	weekend := Window{Days: [7]bool{0: true, 6: true}, To: 24 * time.Hour}
	tests := []struct {
		name   string
		window Window
		at     string
		opens  string // "" when open at once
		closes string
	}{
		{"before it opens", CourtesyWindow(), "2026-11-23 09:59:59", "2026-11-23 10:00:00", "2026-11-23 19:00:00"},
		{"the first moment", CourtesyWindow(), "2026-11-23 10:00:00", "", "2026-11-23 19:00:00"},
		{"the last second", CourtesyWindow(), "2026-11-23 18:59:59", "", "2026-11-23 19:00:00"},
		{"the moment it closes", CourtesyWindow(), "2026-11-23 19:00:00", "2026-11-24 10:00:00", "2026-11-24 19:00:00"},
		{"Saturday evening skips Sunday", CourtesyWindow(), "2026-11-28 19:00:00", "2026-11-30 10:00:00", "2026-11-30 19:00:00"},
		{"the year's end", CourtesyWindow(), "2026-12-31 20:00:00", "2027-01-01 10:00:00", "2027-01-01 19:00:00"},
		{"a leap day", CourtesyWindow(), "2028-02-28 20:00:00", "2028-02-29 10:00:00", "2028-02-29 19:00:00"},
		{"until midnight", night, "2026-11-23 23:59:59", "", "2026-11-24 00:00:00"},
		{"whole days join", weekend, "2026-11-28 13:00:00", "", "2026-11-30 00:00:00"},
		{"the legal window cuts in", AlwaysWindow().Intersect(LegalWindow("promotional")), "2026-11-23 21:00:00", "2026-11-24 10:00:00", "2026-11-24 21:00:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// The server's own zone must not matter.
			for _, zone := range []*time.Location{India, time.UTC, time.FixedZone("far", -10*3600)} {
				at := ist(test.at).In(zone)
				opens, err := test.window.Next(at)
				if err != nil {
					t.Fatal(err)
				}
				if _, open := test.window.Open(at); open != (test.opens == "") {
					t.Errorf("open at %s: %v", at, open)
				}
				if test.opens != "" && !opens.Equal(ist(test.opens)) {
					t.Errorf("opens %s, want %s", opens.In(India), test.opens)
				}
				if closes, open := test.window.Open(opens); !open || !closes.Equal(ist(test.closes)) {
					t.Errorf("closes %s, want %s", closes.In(India), test.closes)
				}
			}
		})
	}
}

func TestWindowFinish(t *testing.T) {
	t.Parallel()
	got, err := CourtesyWindow().Finish(ist("2026-11-28 18:00:00"), 11*time.Hour)
	if err != nil || !got.Equal(ist("2026-12-01 11:00:00")) {
		t.Errorf("finishes %s (%v), want Tuesday 11:00: one hour on Saturday, nine on Monday, one on Tuesday", got.In(India), err)
	}
	if _, err := (Window{}).Finish(ist("2026-11-28 18:00:00"), time.Hour); err == nil {
		t.Error("a window that never opens promised an end")
	}
}

func TestWindowNextIsTheFirstOpenMoment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var w Window
		for i := range w.Days {
			w.Days[i] = rapid.Bool().Draw(t, "day")
		}
		w.From = time.Duration(rapid.IntRange(0, 23).Draw(t, "from")) * time.Hour
		w.To = w.From + time.Duration(rapid.IntRange(1, 24-int(w.From.Hours())).Draw(t, "hours"))*time.Hour
		at := ist("2026-11-23 00:00:00").Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "minutes")) * time.Minute)
		opens, err := w.Next(at)
		if err != nil {
			if !w.Empty() {
				t.Fatalf("%v never opens", w)
			}
			return
		}
		if _, open := w.Open(opens); !open || opens.Before(at) {
			t.Fatalf("%v: Next(%s) = %s is not open or lies before", w, at, opens)
		}
		for m := at; m.Before(opens); m = m.Add(time.Minute) {
			if _, open := w.Open(m); open {
				t.Fatalf("%v is open at %s, before Next %s", w, m, opens)
			}
		}
	})
}

func TestParseClock(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"00:00": 0, "9:30": 9*time.Hour + 30*time.Minute, "10:00": 10 * time.Hour, "23:59": day - time.Minute, "24:00": day,
	} {
		if got, err := parseClock(s); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", s, got, err, want)
		}
	}
	// 5,124,095 hours and a half are as many nanoseconds as wrap around to about nothing.
	for _, s := range []string{"", ":", "10", "10:0", "10:60", "24:01", "25:00", "-1:00", "+1:00", "1:+5", "010:00", "5124095:34", "5000000:00", "10:00:00", "१०:००"} {
		if got, err := parseClock(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

func TestFinishIsBounded(t *testing.T) {
	t.Parallel()
	minute := Window{Days: [7]bool{1: true}, From: 10 * time.Hour, To: 10*time.Hour + time.Minute}
	start := ist("2026-11-23 10:00:00")
	for _, w := range []Window{minute, CourtesyWindow(), AlwaysWindow()} {
		if end, err := w.Finish(start, 1<<63-1); err != nil || !end.Equal(start.Add(never)) {
			t.Errorf("%s: ends %s (%v), want in a hundred years", w, end, err)
		}
	}
}

func FuzzParseClock(f *testing.F) {
	for _, s := range []string{"10:00", "24:00", "24:01", "9:05", "5124095:34", "-0:00", "1:+1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseClock(s)
		if err != nil {
			return
		}
		if at < 0 || at > day {
			t.Errorf("%q is %v, which lies in no day", s, at)
		}
		if again, err := parseClock(clock(at)); err != nil || again != at {
			t.Errorf("%q is %v, written %s, which is %v (%v)", s, at, clock(at), again, err)
		}
	})
}

func FuzzParseDays(f *testing.F) {
	for _, s := range []string{"mon-sat", "fri-mon", "mon,wed,fri", "Sun", "mon-", "-", ",", "mon--tue", " mon - tue "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		days, err := parseDays(s)
		if err != nil {
			return
		}
		w := Window{Days: days, To: day}
		if w.Empty() {
			t.Errorf("%q names no day", s)
		}
		written, _, _ := strings.Cut(w.String(), " ")
		if again, err := parseDays(written); err != nil || again != days {
			t.Errorf("%q is written %s, which is %v (%v)", s, written, again, err)
		}
	})
}
