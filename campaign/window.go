package campaign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// India is the one time zone of the country: UTC+05:30, without daylight saving.
var India = time.FixedZone("Asia/Kolkata", (5*60+30)*60)

const day = 24 * time.Hour

// Window is when messages may be submitted: whole-week days and a half-open interval of the day,
// in Indian time. The zero Window is never open.
type Window struct {
	Days [7]bool       // indexed by time.Weekday
	From time.Duration // since midnight, inclusive
	To   time.Duration // since midnight, exclusive; 24 h is the end of the day
}

// CourtesyWindow holds when a campaign names no window: Monday to Saturday, 10:00 to 19:00.
func CourtesyWindow() Window {
	return Window{Days: [7]bool{false, true, true, true, true, true, true}, From: 10 * time.Hour, To: 19 * time.Hour}
}

// AlwaysWindow is open at every hour of every day.
func AlwaysWindow() Window {
	return Window{Days: [7]bool{true, true, true, true, true, true, true}, To: day}
}

// LegalWindow is when the category of a template may be sent at all: promotional messages from 10:00 to
// 21:00 (operators' rule since October 2025, error 651 outside it), everything else at any hour.
func LegalWindow(category string) Window {
	w := AlwaysWindow()
	if category == "promotional" {
		w.From, w.To = 10*time.Hour, 21*time.Hour
	}
	return w
}

// Intersect is when both windows are open.
func (w Window) Intersect(other Window) Window {
	for i := range w.Days {
		w.Days[i] = w.Days[i] && other.Days[i]
	}
	w.From, w.To = max(w.From, other.From), min(w.To, other.To)
	return w
}

// Empty reports whether the window never opens.
func (w Window) Empty() bool { return w.From >= w.To || !slices.Contains(w.Days[:], true) }

// Open reports whether t lies in the window, and if so when the window closes.
func (w Window) Open(t time.Time) (closes time.Time, open bool) {
	if w.Empty() {
		return time.Time{}, false
	}
	if w.From == 0 && w.To == day && !slices.Contains(w.Days[:], false) {
		return t.AddDate(1, 0, 0), true
	}
	midnight, since := midnightOf(t)
	if !w.Days[midnight.Weekday()] || since < w.From || since >= w.To {
		return time.Time{}, false
	}
	closes = midnight.Add(w.To)
	// A day that ends at 24:00 goes on where the next one begins at 00:00.
	for w.From == 0 && w.To == day && w.Days[closes.In(India).Weekday()] {
		closes = closes.Add(day)
	}
	return closes, true
}

// Next is the first moment at or after t at which the window is open.
func (w Window) Next(t time.Time) (time.Time, error) {
	if w.Empty() {
		return time.Time{}, invalid("the window never opens")
	}
	midnight, since := midnightOf(t)
	for i := range 8 {
		start := midnight.Add(time.Duration(i) * day)
		if !w.Days[start.Weekday()] {
			continue
		}
		switch {
		case i > 0 || since < w.From:
			return start.Add(w.From), nil
		case since < w.To:
			return t, nil
		}
	}
	return time.Time{}, invalid("the window never opens")
}

// never is how far ahead an end is reckoned; later ones are said to be then.
const never = 100 * 365 * day

// Finish is when work that takes the given time ends if it is done only while the window is open. An end
// that lies more than a hundred years off is a hundred years off.
func (w Window) Finish(start time.Time, work time.Duration) (time.Time, error) {
	last := start.Add(never)
	for {
		if start.After(last) {
			return last, nil
		}
		opens, err := w.Next(start)
		if err != nil {
			return time.Time{}, err
		}
		closes, _ := w.Open(opens)
		if left := closes.Sub(opens); work > left {
			work -= left
			start = closes
			continue
		}
		if end := opens.Add(work); end.Before(last) {
			return end, nil
		}
		return last, nil
	}
}

func midnightOf(t time.Time) (midnight time.Time, since time.Duration) {
	local := t.In(India)
	midnight = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, India)
	return midnight, local.Sub(midnight)
}

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// String is the window as a campaign file writes it: "mon-sat 10:00 to 19:00".
func (w Window) String() string {
	var days []string
	for i := range 7 {
		if d := (i + 1) % 7; w.Days[d] {
			days = append(days, dayNames[d])
		}
	}
	return fmt.Sprintf("%s %s to %s", strings.Join(days, ","), clock(w.From), clock(w.To))
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// parseDays reads "mon-sat", "fri-mon", "mon,wed,fri" and combinations of them.
func parseDays(s string) (days [7]bool, err error) {
	for item := range strings.SplitSeq(strings.ToLower(strings.ReplaceAll(s, " ", "")), ",") {
		first, last, ranged := strings.Cut(item, "-")
		if !ranged {
			last = first
		}
		from, to := slices.Index(dayNames[:], first), slices.Index(dayNames[:], last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q is not a day or a range of days: write mon-sat, or mon,wed,fri", item)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// parseClock reads "10:00"; "24:00" is the end of the day.
func parseClock(s string) (time.Duration, error) {
	hours, minutes, ok := strings.Cut(s, ":")
	h, errH := strconv.Atoi(hours)
	m, errM := strconv.Atoi(minutes)
	// The length comes before the sum: millions of hours would wrap around to a time of day.
	if !ok || errH != nil || errM != nil || len(hours) > 2 || len(minutes) != 2 || !digits(hours) || !digits(minutes) ||
		m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%q is not a time of day: write 10:00, in quotes, from 00:00 to 24:00", s)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}
