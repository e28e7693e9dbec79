package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// CalendarOptions say what a calendar shows.
type CalendarOptions struct {
	Campaign string // "" shows every campaign
	Days     int    // how far ahead it looks, and how far back with Past
	Past     bool   // also what fired, or did not
}

// maxCalendar bounds how many firings a calendar shows.
const maxCalendar = 500

// Calendar is what will fire and what fired.
type Calendar struct {
	Coming []Coming
	Past   []Firing
	More   bool // there are more than it shows
}

// Coming is a firing that is to come, with the forecast of the plan at the last firing, or at the scheduling.
type Coming struct {
	Campaign   string
	DueAt      time.Time
	Queued     bool      // it was due, and waits for the run before it
	StartsAt   time.Time // when the window is open first
	FinishesAt time.Time
	Recipients int64
	Parts      int64
	Note       string // why there is no forecast, or on which holiday it is due
}

const (
	sqlCalendar = `
SELECT ` + scheduleColumns + `, f.due_at, c.name, c.source
FROM schedule s
JOIN campaign c ON c.id = s.campaign_id
LEFT JOIN firing f ON f.campaign_id = s.campaign_id AND f.state = 'queued'
WHERE (s.next_at < $1 OR f.due_at IS NOT NULL) AND ($2 = '' OR c.name = $2)
ORDER BY c.name`

	firingColumns = `c.name, f.due_at, f.last_due_at, f.times, f.state, f.reason, coalesce(r.number, 0), f.decided_at`

	sqlPastFirings = `
SELECT ` + firingColumns + `
FROM firing f
JOIN campaign c ON c.id = f.campaign_id
LEFT JOIN run r ON r.id = f.run_id
WHERE f.due_at >= $1 AND f.state <> 'queued' AND ($2 = '' OR c.name = $2)
ORDER BY f.due_at DESC, c.name
LIMIT $3`
)

func scanFiring(row pgx.CollectableRow) (f Firing, err error) {
	err = row.Scan(&f.Campaign, &f.DueAt, &f.LastDueAt, &f.Times, &f.State, &f.Reason, &f.Run, &f.DecidedAt)
	return f, err
}

// Calendar lists what will fire, and when it would end, by due time. ErrNotFound for a campaign that is not there.
func (s *Service) Calendar(ctx context.Context, opt CalendarOptions) (*Calendar, error) {
	if opt.Days < 1 || opt.Days > 366 {
		return nil, invalid("--days: %d: write a number from 1 to 366", opt.Days)
	}
	if opt.Campaign != "" {
		if _, err := s.Get(ctx, opt.Campaign); err != nil {
			return nil, err
		}
	}
	now := s.Now()
	calendar := &Calendar{}
	var err error
	if calendar.Coming, err = s.coming(ctx, opt.Campaign, now, now.AddDate(0, 0, opt.Days)); err != nil {
		return nil, err
	}
	if len(calendar.Coming) > maxCalendar {
		calendar.Coming, calendar.More = calendar.Coming[:maxCalendar], true
	}
	if !opt.Past {
		return calendar, nil
	}
	rows, err := s.Pool.Query(ctx, sqlPastFirings, now.AddDate(0, 0, -opt.Days), opt.Campaign, maxCalendar+1)
	if err != nil {
		return nil, fmt.Errorf("list past firings: %w", err)
	}
	if calendar.Past, err = pgx.CollectRows(rows, scanFiring); err != nil {
		return nil, fmt.Errorf("list past firings: %w", err)
	}
	if len(calendar.Past) > maxCalendar {
		calendar.Past, calendar.More = calendar.Past[:maxCalendar], true
	}
	slices.Reverse(calendar.Past)
	return calendar, nil
}

const (
	sqlNextFiring = `
SELECT next_at
FROM schedule
WHERE campaign_id = $1 AND next_at IS NOT NULL`

	sqlLastFiring = `
SELECT ` + firingColumns + `
FROM firing f
JOIN campaign c ON c.id = f.campaign_id
LEFT JOIN run r ON r.id = f.run_id
WHERE f.campaign_id = $1
ORDER BY f.due_at DESC
LIMIT 1`
)

// sayFirings adds to a status when the campaign fires next and what became of the newest due time.
func (s *Service) sayFirings(ctx context.Context, id int32, status *Status) error {
	var next time.Time
	err := s.Pool.QueryRow(ctx, sqlNextFiring, id).Scan(&next)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return fmt.Errorf("read the schedule of %s: %w", status.Name, err)
	default:
		status.NextFiring = &next
	}
	rows, err := s.Pool.Query(ctx, sqlLastFiring, id)
	if err != nil {
		return fmt.Errorf("read the last firing of %s: %w", status.Name, err)
	}
	last, err := pgx.CollectRows(rows, scanFiring)
	if err != nil {
		return fmt.Errorf("read the last firing of %s: %w", status.Name, err)
	}
	if len(last) == 1 {
		status.LastFiring = &last[0]
	}
	return nil
}

// entry is a scheduled campaign of a calendar.
type entry struct {
	inForce
	name, source string
}

// coming lists by due time what fires before the end, at most one more than a calendar shows.
func (s *Service) coming(ctx context.Context, name string, now, end time.Time) ([]Coming, error) {
	rows, err := s.Pool.Query(ctx, sqlCalendar, end, name)
	if err != nil {
		return nil, fmt.Errorf("read the schedules: %w", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e entry, err error) {
		return e, row.Scan(append(e.targets(), &e.queued, &e.name, &e.source)...)
	})
	if err != nil {
		return nil, fmt.Errorf("read the schedules: %w", err)
	}
	var list []Coming
	forecasters := map[string]*forecaster{}
	for _, e := range entries {
		forecasters[e.name] = &forecaster{entry: e}
		list = append(list, e.coming(end)...)
	}
	slices.SortStableFunc(list, func(a, b Coming) int { return a.DueAt.Compare(b.DueAt) })
	if len(list) > maxCalendar+1 {
		list = list[:maxCalendar+1]
	}
	for i := range list {
		if err := s.forecastFiring(ctx, forecasters[list[i].Campaign], &list[i], now); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// coming lists the due times of one campaign before the end.
func (e *entry) coming(end time.Time) []Coming {
	var list []Coming
	add := func(due time.Time, queued bool) {
		list = append(list, Coming{Campaign: e.name, DueAt: due, Queued: queued, Recipients: e.recipients, Parts: e.parts})
	}
	if e.queued != nil {
		add(*e.queued, true)
	}
	if e.nextAt == nil || !e.nextAt.Before(end) {
		return list
	}
	add(*e.nextAt, false)
	if times, problems := e.timetable(); len(problems) == 0 {
		for _, due := range times.coming(*e.nextAt, maxCalendar, end) {
			add(due, false)
		}
	}
	return list
}

// forecaster knows what the forecasts of one campaign need, once it was asked for.
type forecaster struct {
	entry
	spec   *Spec
	window Window
	note   string // why no forecast can be made
}

// forecastFiring says when a firing would begin to send and when it would end.
func (s *Service) forecastFiring(ctx context.Context, f *forecaster, c *Coming, now time.Time) error {
	if f.spec == nil && f.note == "" {
		if err := s.readForecaster(ctx, f); err != nil {
			return err
		}
	}
	c.Note = f.note
	if f.note != "" {
		return nil
	}
	begin := c.DueAt
	if begin.Before(now) {
		begin = now
	}
	plan := Plan{Parts: f.parts}
	if err := plan.forecast(f.window, f.spec.Rate, s.Routes[f.spec.SMS.Route], begin); err != nil {
		c.Note = err.Error()
		return nil //nolint:nilerr // the calendar says why it has no forecast
	}
	c.StartsAt, c.FinishesAt = plan.StartsAt, plan.FinishesAt
	if holiday, off := f.window.Holiday(begin); off {
		c.Note = fmt.Sprintf("it is a holiday: %s (%s)", holiday.Name, holiday.Calendar)
	}
	return nil
}

func (s *Service) readForecaster(ctx context.Context, f *forecaster) error {
	spec, err := Parse([]byte(f.source))
	if err != nil {
		f.note = err.Error()
		return nil //nolint:nilerr // the calendar says why it has no forecast
	}
	if _, ok := s.Routes[spec.SMS.Route]; !ok {
		f.note = fmt.Sprintf("there is no route %q: the configuration has %s", spec.SMS.Route, s.routeNames())
		return nil
	}
	version, err := s.templates.Get(ctx, spec.SMS.Template)
	if errors.Is(err, templates.ErrNotFound) {
		f.note = fmt.Sprintf("there is no template %q: add it with `pukar template add FILE`", spec.SMS.Template)
		return nil
	}
	if err != nil {
		return fmt.Errorf("forecast %s: %w", f.name, err)
	}
	drain, err := s.drainOf(ctx, spec.SMS.Route)
	if err != nil {
		return err
	}
	f.spec, f.window = spec, spec.Window.Keeping(s.Holidays).Intersect(LegalWindow(version.Template.Category)).Draining(drain)
	return nil
}
