package campaign

import (
	"context"
	"fmt"
	"time"
)

// keepHolidays has the campaign's window keep the holidays that it names; they must be known by name, and the window
// must open in some year that has them.
func (s *Service) keepHolidays(spec *Spec, now time.Time) error {
	if err := s.Holidays.check(spec.Window.Holidays); err != nil {
		return err
	}
	spec.Window = spec.Window.Keeping(s.Holidays)
	_, err := spec.Window.Next(now)
	return err
}

// keepsWindow warns of what a reader of the plan should know of the holidays that it keeps, and of an end that leaves
// people out.
func (p *Plan) keepsWindow(spec *Spec, window Window) {
	last := p.FinishesAt
	if window.calendars != nil {
		last = earlier(last, date{window.calendars.last, time.December, 31}.midnight())
	}
	for _, name := range calendarNames(window.Holidays) {
		for year := dateOf(p.StartsAt).year; year <= dateOf(last).year; year++ {
			if known, ok := window.calendars.Year(name, year); ok && !known.Complete {
				p.Warnings = append(p.Warnings, fmt.Sprintf("the holidays of %d are not complete for %s: %s; add what is missing to holidays/%d.yaml in PUKAR_HOME",
					year, name, known.Note, year))
			}
		}
	}
	if window.Holidays != "" {
		p.warnOfTheMoon(window, last)
	}
	if ends, ok := EndsAt(window, p.StartsAt); ok && spec.Unfinished == unfinishedEnd && p.FinishesAt.After(ends) {
		p.Warnings = append(p.Warnings, fmt.Sprintf("it ends unfinished: its window closes at %s, before all are written to; the rest is skipped (`unfinished: end`)",
			ends.In(India).Format(time.RFC3339)))
	}
}

// warnOfTheMoon names the days up to the end that may still move.
func (p *Plan) warnOfTheMoon(window Window, last time.Time) {
	for at := dateOf(p.StartsAt).midnight(); !at.After(last); at = at.Add(day) {
		if holiday, ok := window.Holiday(at); ok && !holiday.Certain {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s on %s (%s) may move: correct it in holidays/%d.yaml in PUKAR_HOME when it does",
				holiday.Name, dateOf(at), holiday.Calendar, dateOf(at).year))
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sayWhyClosed tells until when a run waits for its window, and why where that is not plain from the window.
func (s *Service) sayWhyClosed(ctx context.Context, status *Status, run *Run, window Window, now time.Time) error {
	drain, err := s.drainOf(ctx, run.Route)
	if err != nil {
		return err
	}
	draining := window.Draining(drain)
	if _, open := draining.Open(now); open {
		return nil
	}
	next, err := draining.Next(now)
	if err != nil {
		status.Why = err.Error()
		return nil //nolint:nilerr // the status says it
	}
	status.WaitingUntil = &next
	holiday, off := window.Holiday(now)
	switch closes, open := window.Open(now); {
	case off:
		status.Why = fmt.Sprintf("it is a holiday: %s (%s)", holiday.Name, holiday.Calendar)
	case open:
		status.Why = fmt.Sprintf("the window closes at %s, and messages by route %s are submitted until %s before that, the time in which they reach the handset",
			closes.In(India).Format("15:04"), run.Route, draining.Drain().Round(time.Second))
	}
	return nil
}
