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

// Window is when messages may be submitted: days of the week that are no holidays, and a half-open interval
// of the day, in Indian time. The zero Window is never open.
type Window struct {
	Days     [7]bool       // indexed by time.Weekday
	From     time.Duration // since midnight, inclusive
	To       time.Duration // since midnight, exclusive; 24 h is the end of the day
	Holidays string        `json:",omitempty"` // calendars on whose days it is closed: "national,BR"; "" keeps none

	calendars *Holidays     // what Holidays names; where it is wanted and missing the window is closed
	drain     time.Duration // how long before its end it closes for submissions
}

// Equal reports whether both are the same window, with the same calendars and the same drain time.
func (w Window) Equal(other Window) bool { return w == other }

// Keeping is the window with the days of these calendars taken out that its Holidays name. A year in which one of
// them is not known has no open day.
func (w Window) Keeping(h *Holidays) Window {
	w.calendars = h
	return w
}

// Draining is the window for submissions by a route that takes so long to deliver: it closes as much earlier, so
// that what was submitted reaches the handset in time. At least half of the window stays open.
func (w Window) Draining(drain time.Duration) Window {
	w.drain = min(max(0, drain), (w.To-w.From)/2)
	return w
}

// Drain is how long before its end the window closes for submissions; see Draining.
func (w Window) Drain() time.Duration { return w.drain }

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
	w.Holidays = strings.Join(calendarNames(w.Holidays+","+other.Holidays), ",")
	if w.calendars == nil {
		w.calendars = other.calendars
	}
	return w.Draining(max(w.drain, other.drain))
}

// Empty reports whether the window never opens, whatever holidays there are.
func (w Window) Empty() bool { return w.From >= w.To || !slices.Contains(w.Days[:], true) }

// unbounded reports whether the window never closes.
func (w Window) unbounded() bool {
	return w.From == 0 && w.To == day && w.Holidays == "" && !slices.Contains(w.Days[:], false)
}

// opensOn reports whether the window opens at all on the day that begins at this midnight.
func (w Window) opensOn(midnight time.Time) bool {
	if !w.Days[midnight.Weekday()] {
		return false
	}
	if w.Holidays == "" {
		return true
	}
	_, off, _ := w.calendars.on(w.Holidays, dateOf(midnight))
	return !off
}

// Open reports whether t lies in the window, and if so when the window closes: for submissions, where it drains.
func (w Window) Open(t time.Time) (closes time.Time, open bool) {
	if w.Empty() {
		return time.Time{}, false
	}
	if w.unbounded() {
		return t.AddDate(1, 0, 0), true
	}
	midnight, since := midnightOf(t)
	if since < w.From || since >= w.To || !w.opensOn(midnight) {
		return time.Time{}, false
	}
	closes = midnight.Add(w.To)
	// A day that ends at 24:00 goes on where the next one begins at 00:00. A year of it is far enough.
	for range 366 {
		if w.From != 0 || w.To != day || !w.opensOn(closes.In(India)) {
			break
		}
		closes = closes.Add(day)
	}
	closes = closes.Add(-w.drain)
	return closes, t.Before(closes)
}

// horizon is the last day on which the window can open, as far as is known.
func (w Window) horizon(t time.Time) time.Time {
	week := t.Add(8 * day)
	if w.Holidays == "" {
		return week
	}
	if w.calendars == nil {
		return t
	}
	return date{w.calendars.last, time.December, 31}.midnight()
}

// Next is the first moment at or after t at which the window is open. The error says why there is none: it never
// opens, or not in the years whose holidays are known.
func (w Window) Next(t time.Time) (time.Time, error) {
	if w.Empty() {
		return time.Time{}, invalid("the window never opens")
	}
	if _, open := w.Open(t); open {
		return t, nil
	}
	midnight, _ := midnightOf(t)
	for start, last := midnight, w.horizon(t); !start.After(last); start = start.Add(day) {
		if opens := start.Add(w.From); !opens.Before(t) {
			if _, open := w.Open(opens); open {
				return opens, nil
			}
		}
	}
	if calendar, year, missing := w.missing(t); missing {
		return time.Time{}, invalid("the holidays of %d are not known for %s, and the window stays closed in such a year: %s", year, calendar, addMend(calendar, year))
	}
	return time.Time{}, invalid("the window never opens")
}

// missing names the first calendar and year from t on that the window lacks.
func (w Window) missing(t time.Time) (calendar string, year int, missing bool) {
	names := calendarNames(w.Holidays)
	if len(names) == 0 {
		return "", 0, false
	}
	for year = dateOf(t).year; ; year++ {
		for _, name := range names {
			if _, ok := w.calendars.Year(name, year); !ok {
				return name, year, true
			}
		}
	}
}

// Holiday is the holiday that keeps the window closed on the day of t, if it is one that would be open otherwise.
func (w Window) Holiday(t time.Time) (Holiday, bool) {
	midnight, _ := midnightOf(t)
	if w.Holidays == "" || w.Empty() || !w.Days[midnight.Weekday()] {
		return Holiday{}, false
	}
	found, off, missing := w.calendars.on(w.Holidays, dateOf(t))
	return found, off && missing == ""
}

// never is how far ahead an end is reckoned; later ones are said to be then.
const never = 100 * 365 * day

// Finish is when work that takes the given time ends if it is done only while the window is open. An end
// that lies more than a hundred years off is a hundred years off. The error is that of Next, where the window does
// not open often enough.
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
	text := fmt.Sprintf("%s %s to %s", strings.Join(days, ","), clock(w.From), clock(w.To))
	if w.Holidays != "" {
		text += ", not on holidays of " + strings.ReplaceAll(w.Holidays, ",", ", ")
	}
	return text
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
