package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	// A machine without zoneinfo must know the zones too.
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

// What a schedule does about due times that were missed, and about one that comes while the last run is still sending.
const (
	CatchUpSkip  = "skip"  // missed due times are recorded and nothing else
	CatchUpOnce  = "once"  // the latest of the missed due times fires
	OverlapSkip  = "skip"  // the due time is recorded and nothing else
	OverlapQueue = "queue" // one firing waits until the run has tried everybody
)

// DefaultZone is the zone of a schedule that names none.
const DefaultZone = "Asia/Kolkata"

// Schedule says when a campaign fires by itself, as its file or the command line writes it. Exactly one of Cron and At is
// given. What Parse and Service.Schedule let through is checked and has its defaults.
type Schedule struct {
	Cron    string `json:"cron,omitempty" yaml:"cron"`   // five fields: minute, hour, day of month, month, day of week
	At      string `json:"at,omitempty" yaml:"at"`       // 2026-12-01T10:30, by the clocks of Zone
	Zone    string `json:"zone" yaml:"zone"`             // a name of the time zone database
	From    string `json:"from,omitempty" yaml:"from"`   // first day on which it fires, in Zone; "" is no bound
	Until   string `json:"until,omitempty" yaml:"until"` // last day on which it fires
	CatchUp string `json:"catch_up" yaml:"catch_up"`     // skip | once
	Overlap string `json:"overlap" yaml:"overlap"`       // skip | queue
}

// over puts what is given in s over what is given in below. One moment, or one cron, replaces the other.
func (s Schedule) over(below Schedule) Schedule {
	if s.Cron == "" && s.At == "" {
		s.Cron, s.At = below.Cron, below.At
	}
	return Schedule{
		Cron: s.Cron, At: s.At, Zone: cmp.Or(s.Zone, below.Zone), From: cmp.Or(s.From, below.From), Until: cmp.Or(s.Until, below.Until),
		CatchUp: cmp.Or(s.CatchUp, below.CatchUp), Overlap: cmp.Or(s.Overlap, below.Overlap),
	}
}

// complete fills in what is left out.
func (s Schedule) complete() Schedule {
	return s.over(Schedule{Zone: DefaultZone, CatchUp: CatchUpSkip, Overlap: OverlapSkip})
}

// String is when it fires, in words that a campaign file would take.
func (s Schedule) String() string {
	text := "at " + s.At
	if s.Cron != "" {
		text = "cron " + s.Cron
	}
	text += ", " + s.Zone
	if s.From != "" {
		text += ", from " + s.From
	}
	if s.Until != "" {
		text += ", until " + s.Until
	}
	return text
}

// timetable reads a complete schedule. Every problem is told, each with its key and the mend.
func (s Schedule) timetable() (*timetable, []string) {
	var problems []string
	report := func(format string, args ...any) {
		problems = append(problems, "schedule."+fmt.Sprintf(format, args...))
	}
	t := &timetable{}
	var err error
	if t.zone, err = loadZone(s.Zone); err != nil {
		report("zone: %v", err)
		return nil, problems
	}
	if !slices.Contains([]string{CatchUpSkip, CatchUpOnce}, s.CatchUp) {
		report("catch_up: %q: write skip (what was missed is left out) or once (the latest of it fires)", s.CatchUp)
	}
	if !slices.Contains([]string{OverlapSkip, OverlapQueue}, s.Overlap) {
		report("overlap: %q: write skip (left out while the last run is sending) or queue (it waits for its end)", s.Overlap)
	}
	if t.from, err = parseDay(s.From, t.zone); err != nil {
		report("from: %v", err)
	}
	if last, err := parseDay(s.Until, t.zone); err != nil {
		report("until: %v", err)
	} else if !last.IsZero() {
		t.end = startOfDay(last.Year(), last.Month(), last.Day()+1, t.zone)
	}
	switch {
	case (s.Cron == "") == (s.At == ""):
		report(`cron: give either cron, such as "30 10 * * MON", or at, such as "2026-12-01T10:30"`)
	case s.Cron != "":
		if t.cron, err = parseCron(s.Cron, t.zone); err != nil {
			report("cron: %v", err)
		}
	default:
		if t.at, err = parseMoment(s.At, t.zone); err != nil {
			report("at: %v", err)
		}
	}
	if len(problems) == 0 && t.never() {
		key := "cron"
		if s.At != "" {
			key = "at"
		}
		report("%s: it never fires (%s): widen from and until, or correct it", key, s)
	}
	return t, problems
}

func loadZone(name string) (*time.Location, error) {
	const mend = "write one as Asia/Kolkata, the default"
	// "Local" is whatever the server's machine is set to, and Go has no error for it.
	if name == "Local" {
		return nil, fmt.Errorf("%q differs from server to server: %s", name, mend)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a known zone: %s", name, mend)
	}
	return zone, nil
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func parseCron(text string, zone *time.Location) (cron.Schedule, error) {
	fields := strings.Fields(text)
	switch {
	case strings.HasPrefix(text, "@every"):
		return nil, fmt.Errorf(`%q has no fixed times: write five fields, such as "0 */2 * * *" for every other hour`, text)
	case strings.Contains(text, "TZ="):
		return nil, fmt.Errorf("%q names a zone: write the zone beside cron, under its own key zone", text)
	case len(fields) == 6:
		return nil, fmt.Errorf("%q has six fields: seconds are not known, write minute, hour, day of month, month, day of week", text)
	}
	parsed, err := cronParser.Parse(text)
	if err != nil {
		why, _, _ := strings.Cut(err.Error(), ": strconv.")
		return nil, fmt.Errorf(`%q: %s; write minute, hour, day of month, month, day of week (0 is Sunday), such as "30 10 * * MON"`, text, why)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q has no fixed times: write five fields", text)
	}
	spec.Location = zone
	return spec, nil
}

func parseDay(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day: write 2026-12-01", text)
	}
	return startOfDay(day.Year(), day.Month(), day.Day(), zone), nil
}

// startOfDay is the first moment of a day, which is not 00:00 where summer time begins at midnight.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	const step = 15 * time.Minute // no offset from UTC is finer
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day()
	for range 8 {
		if t.Day() != wanted {
			t = t.Add(step)
		}
	}
	for t.Add(-step).Day() == wanted {
		t = t.Add(-step)
	}
	return t
}

// parseMoment reads a local time. One that the zone's clocks skip is refused, of one that they show twice the first is meant.
func parseMoment(text string, zone *time.Location) (time.Time, error) {
	wall, err := time.Parse("2006-01-02T15:04", strings.Replace(text, " ", "T", 1))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time: write 2026-12-01T10:30, without seconds and without zone", text)
	}
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, zone)
	const layout = "2006-01-02T15:04"
	if at.Format(layout) != wall.Format(layout) {
		return time.Time{}, fmt.Errorf("%q does not exist in %s, whose clocks are put forward then: choose another time", text, zone)
	}
	for _, back := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if first := at.Add(-back); first.Format(layout) == wall.Format(layout) {
			return first, nil
		}
	}
	return at, nil
}
