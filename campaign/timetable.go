package campaign

import (
	"time"

	"github.com/robfig/cron/v3"
)

// timetable gives the due times of a schedule. A due time is a moment, not a reading of a clock: what summer time skips
// never comes, and what it shows twice comes twice.
type timetable struct {
	cron cron.Schedule // nil: once, at
	at   time.Time
	zone *time.Location
	from time.Time // zero: no bound
	end  time.Time // the first moment after the last day; zero: no bound
}

// after is the first due time later than t; false when there is none.
func (t *timetable) after(moment time.Time) (time.Time, bool) {
	if moment.Before(t.from) {
		moment = t.from.Add(-time.Nanosecond)
	}
	due := t.at
	if t.cron != nil {
		due = t.cron.Next(moment.In(t.zone)) // the zero time when nothing comes within five years
	}
	if due.IsZero() || !due.After(moment) || !t.end.IsZero() && !due.Before(t.end) {
		return time.Time{}, false
	}
	return due, true
}

// coming lists the next due times after a moment: at most so many, and before the end unless that is zero.
func (t *timetable) coming(after time.Time, most int, end time.Time) []time.Time {
	var list []time.Time
	for len(list) < most {
		due, ok := t.after(after)
		if !ok || !end.IsZero() && !due.Before(end) {
			break
		}
		list = append(list, due)
		after = due
	}
	return list
}

// never reports whether nothing comes within the bounds. Where they are open, it looks at years with and without leap day.
func (t *timetable) never() bool {
	begin := t.from
	if begin.IsZero() {
		begin = time.Date(2024, 1, 1, 0, 0, 0, 0, t.zone)
		if !t.end.IsZero() {
			begin = t.end.AddDate(-8, 0, 0)
		}
		if t.cron == nil {
			begin = t.at
		}
	}
	_, ok := t.after(begin.Add(-time.Nanosecond))
	return !ok
}

// maxCounted bounds how many missed due times are counted one by one.
const maxCounted = 10_000

// span is a row of due times of which none is left out.
type span struct {
	first, last time.Time
	before      time.Time // the last but one; zero where there is one alone
	times       int       // counted up to maxCounted
}

// span is the row of due times from first, itself one, to the last not later than upto. It takes milliseconds however
// long the row is.
func (t *timetable) span(first, upto time.Time) span {
	s := span{first: first, last: first, times: 1}
	for {
		next, ok := t.after(s.last)
		if !ok || next.After(upto) {
			return s
		}
		s.before, s.last = s.last, next
		if s.times++; s.times == maxCounted {
			break
		}
	}
	// The last two of very many lie close before the end: look back ever further until they show.
	for back := time.Minute; upto.Add(-back).After(s.last); back *= 2 {
		list := t.coming(upto.Add(-back), maxCounted, upto.Add(time.Nanosecond))
		if n := len(list); n >= 2 && n < maxCounted {
			s.before, s.last = list[n-2], list[n-1]
			return s
		}
	}
	for {
		next, ok := t.after(s.last)
		if !ok || next.After(upto) {
			return s
		}
		s.before, s.last = s.last, next
	}
}
