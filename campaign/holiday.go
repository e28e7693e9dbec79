package campaign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// National is the calendar of the central government: the three national days and its other gazetted holidays.
const National = "national"

// Holiday is a day of a calendar.
type Holiday struct {
	Date     time.Time // midnight in India
	Calendar string    // national, or the abbreviation of a state
	Name     string
	Source   string // where it was published
	Certain  bool   // false: it depends on the moon, or was not notified when the file was written
}

// date is a day without a time of day or a zone.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date {
	year, month, day := t.In(India).Date()
	return date{year, month, day}
}

func (d date) midnight() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, India) }

func (d date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// yearOf is a calendar in one year. Only what is there counts: a year without one is not a year without holidays.
type yearOf struct {
	calendar string
	year     int
}

// CalendarYear tells what is known of a calendar in a year.
type CalendarYear struct {
	Calendar string
	Year     int
	Source   string
	Complete bool   // whether it is the whole list of that government
	Note     string // what is missing, where it is not
	Days     int
}

// Holidays are calendars of several years. They are loaded once and never changed; the zero value knows none.
type Holidays struct {
	years map[yearOf]CalendarYear
	days  map[date][]Holiday
	last  int // the last year of which anything is known
}

// Calendars lists the calendars that any year has, national first.
func (h *Holidays) Calendars() []string {
	names := make(map[string]bool)
	if h != nil {
		for y := range h.years {
			names[y.calendar] = true
		}
	}
	return slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		if (a == National) != (b == National) {
			if a == National {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
}

// Year tells what is known of a calendar in a year, if anything is.
func (h *Holidays) Year(calendar string, year int) (CalendarYear, bool) {
	if h == nil {
		return CalendarYear{}, false
	}
	y, ok := h.years[yearOf{calendar, year}]
	return y, ok
}

// In lists the holidays of a year by date, of one calendar or, with "", of all.
func (h *Holidays) In(year int, calendar string) []Holiday {
	var list []Holiday
	for d, days := range h.days {
		for _, day := range days {
			if d.year == year && (calendar == "" || day.Calendar == calendar) {
				list = append(list, day)
			}
		}
	}
	slices.SortFunc(list, func(a, b Holiday) int {
		if c := a.Date.Compare(b.Date); c != 0 {
			return c
		}
		return strings.Compare(a.Calendar+"\x00"+a.Name, b.Calendar+"\x00"+b.Name)
	})
	return list
}

// Years lists the years of which anything is known.
func (h *Holidays) Years() []int {
	years := make(map[int]bool)
	for y := range h.years {
		years[y.year] = true
	}
	return slices.Sorted(maps.Keys(years))
}

// check refuses names that no year has a calendar of.
func (h *Holidays) check(names string) error {
	known := h.Calendars()
	for _, name := range calendarNames(names) {
		if !slices.Contains(known, name) {
			return invalid("window.holidays: there is no calendar %q: known are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// on answers a holiday of one of the calendars on a day, or which of them is not known in its year.
func (h *Holidays) on(names string, d date) (day Holiday, off bool, missing string) {
	for name := range strings.SplitSeq(names, ",") {
		if _, ok := h.Year(name, d.year); !ok {
			return Holiday{}, true, name
		}
	}
	for _, day := range h.days[d] {
		for name := range strings.SplitSeq(names, ",") {
			if day.Calendar == name {
				return day, true, ""
			}
		}
	}
	return Holiday{}, false, ""
}

// calendarNames takes "national, BR" apart and brings every name into its form.
func calendarNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if strings.EqualFold(name, National) {
			name = National
		} else {
			name = strings.ToUpper(name)
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// addMend says how to get a calendar that is missing in a year.
func addMend(calendar string, year int) string {
	return fmt.Sprintf("write it into holidays/%d.yaml in PUKAR_HOME (`pukar holidays --help` shows the form) and start again, or take %s out of window.holidays",
		year, calendar)
}
