package campaign

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/internal/pgdb"
	"pukar/smpp/coding"
	"pukar/templates"
)

// Plan says what launching a campaign now would do. Nothing is written or sent for it.
type Plan struct {
	Campaign        string    `json:"campaign"`
	Template        string    `json:"template"`
	TemplateVersion int       `json:"template_version"`
	Category        string    `json:"category"`
	Route           string    `json:"route"`
	Targeted        int64     `json:"targeted"`   // recipients and excluded
	Recipients      int64     `json:"recipients"` // who would get a message
	Excluded        int64     `json:"excluded"`
	UnknownLeftOut  int64     `json:"unknown_left_out"` // people of whom it is not known whether they are eligible, not targeted
	ByState         []Tally   `json:"by_state"`
	ByLanguage      []Tally   `json:"by_language"`
	ByReason        []Tally   `json:"by_reason"`
	Parts           int64     `json:"parts"`
	CostINR         string    `json:"cost_inr"`
	PartsPerSecond  float64   `json:"parts_per_second"` // that the forecast reckons with
	Window          string    `json:"window"`
	DrainSeconds    float64   `json:"drain_seconds"` // how long before the window's end submission stops
	StartsAt        time.Time `json:"starts_at"`
	FinishesAt      time.Time `json:"finishes_at"`
	Samples         []Sample  `json:"samples"`
	NotRendered     int64     `json:"not_rendered"` // recipients whose values do not fit the registered template
	NotRenderedWhy  string    `json:"not_rendered_why,omitempty"`
	Warnings        []string  `json:"warnings"`
}

// Tally is a count with its name.
type Tally struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Sample is the message of somebody who would get it.
type Sample struct {
	Language string          `json:"language"`
	Text     string          `json:"text"`
	Encoding coding.Encoding `json:"encoding"`
	Parts    int             `json:"parts"`
}

// assumedRoundTrip is what the forecast reckons a response to take where no rate is set.
const assumedRoundTrip = 100 * time.Millisecond

// planner adds the people of a selection up.
type planner struct {
	plan     *Plan
	template *templates.Template
	places   *audience.Places
	states   map[string]int64
	language map[string]int64
	reasons  map[string]int64
	sampled  map[string]bool
}

const sqlDecided = `
SELECT language, vars, coalesce(home_state, 0), coalesce(reason, '')
FROM decided`

func (p *planner) run(ctx context.Context, db pgdb.DB, s *selection) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlNoNestedLoops); err != nil {
			return err
		}
		return p.read(ctx, tx, s)
	})
	if err != nil {
		return fmt.Errorf("select the people: %w", err)
	}
	p.plan.Targeted = p.plan.Recipients + p.plan.Excluded
	p.plan.ByState, p.plan.ByLanguage, p.plan.ByReason = tally(p.states), tally(p.language), tally(p.reasons)
	slices.SortFunc(p.plan.Samples, func(a, b Sample) int { return strings.Compare(a.Language, b.Language) })
	return nil
}

func (p *planner) read(ctx context.Context, tx pgx.Tx, s *selection) error {
	rows, err := tx.Query(ctx, s.sql+sqlDecided, s.args.values...)
	if err != nil {
		return err
	}
	var (
		language, reason string
		vars             []string
		nullable         []*string
		state            int16
	)
	_, err = pgx.ForEachRow(rows, []any{&language, &nullable, &state, &reason}, func() error {
		if reason != "" {
			p.plan.Excluded++
			p.reasons[reason]++
			return nil
		}
		vars = vars[:0]
		for _, v := range nullable {
			vars = append(vars, *v)
		}
		p.plan.Recipients++
		p.states[p.stateName(state)]++
		p.language[language]++
		p.count(language, vars)
		return nil
	})
	return err
}

func (p *planner) count(language string, vars []string) {
	text, _, err := p.template.Render(language, vars)
	if err == nil {
		if _, ok := p.template.MatchLanguage(language, text); !ok {
			err = fmt.Errorf("the %s text does not match the registered template", language)
		}
	}
	encoding, _, parts := coding.Count(text)
	if err == nil && parts > coding.MaxParts {
		err = fmt.Errorf("the %s text needs %d parts; %d are the most", language, parts, coding.MaxParts)
	}
	if err != nil {
		p.plan.NotRendered++
		if p.plan.NotRenderedWhy == "" {
			p.plan.NotRenderedWhy = err.Error()
		}
		return
	}
	p.plan.Parts += int64(parts)
	if !p.sampled[language] {
		p.sampled[language] = true
		p.plan.Samples = append(p.plan.Samples, Sample{Language: language, Text: text, Encoding: encoding, Parts: parts})
	}
}

func (p *planner) stateName(code int16) string {
	if code == 0 {
		return "unknown"
	}
	if state, ok := p.places.State(code); ok {
		return state.NameEN
	}
	return fmt.Sprintf("state %d", code)
}

// tally sorts counts, the largest first.
func tally(counts map[string]int64) []Tally {
	list := make([]Tally, 0, len(counts))
	for name, n := range counts {
		list = append(list, Tally{Name: name, Count: n})
	}
	slices.SortFunc(list, func(a, b Tally) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// forecast says when it would end: the parts at the slowest of the rates, while the window is open.
func (p *Plan) forecast(window Window, campaignRate float64, route RouteTerms, now time.Time) error {
	rate := math.Inf(1)
	for _, r := range []float64{campaignRate, route.PartsPerSecond, route.BindsPerSecond} {
		if r > 0 {
			rate = min(rate, r)
		}
	}
	if math.IsInf(rate, 1) {
		rate = max(1, float64(route.Window)/assumedRoundTrip.Seconds())
		p.Warnings = append(p.Warnings, fmt.Sprintf("no rate is set: the finish assumes responses in %s", assumedRoundTrip))
	}
	p.PartsPerSecond = rate
	p.Window = window.String()
	p.DrainSeconds = window.Drain().Seconds()
	var err error
	if p.StartsAt, err = window.Next(now); window.Empty() {
		return invalid("the campaign's window %s lies outside the hours that its category allows: widen it", window)
	} else if err != nil {
		return err
	}
	work := never // a duration does not hold every quotient
	if seconds := float64(p.Parts) / rate; seconds < never.Seconds() {
		work = time.Duration(seconds * float64(time.Second))
	}
	if p.FinishesAt, err = window.Finish(now, work); err != nil {
		// It begins in a year whose holidays are known and runs on into one where they are not.
		p.FinishesAt = now.Add(never)
		p.Warnings = append(p.Warnings, "it does not end while the window is known to open: "+err.Error())
		return nil //nolint:nilerr // the plan warns of it
	}
	if p.FinishesAt.Sub(now) >= never {
		p.Warnings = append(p.Warnings, "it would not end within a hundred years: raise the rate or widen the window")
	}
	return nil
}

// messageTime is the longest that the parts of one message may take by the rates. They go out together, in
// slots that are reserved no more than a minute ahead.
const messageTime = 30 * time.Second

// keepsUp refuses rates at which the longest message of the template would take more than messageTime.
func keepsUp(spec *Spec, template *templates.Template, route RouteTerms) error {
	previews, err := template.Preview(nil, "")
	if err != nil {
		return err
	}
	most, language := 1, template.FallbackLanguage
	for _, p := range previews {
		if p.MostParts > most {
			most, language = p.MostParts, p.Language
		}
	}
	most = min(most, coding.MaxParts) // a longer one is not sent
	least := math.Ceil(1000*float64(most)/messageTime.Seconds()) / 1000
	for _, limit := range []struct {
		name string
		rate float64
	}{
		{"rate.parts_per_second", spec.Rate},
		{"route " + route.Name + ", parts_per_second", route.PartsPerSecond},
		{"route " + route.Name + ", parts_per_second of a bind", route.SlowestBind},
	} {
		if limit.rate > 0 && limit.rate*messageTime.Seconds() < float64(most) {
			return invalid("%s: %v is too slow: a message can have %d parts (%s), which take longer than %s; %v would do",
				limit.name, limit.rate, most, language, messageTime, least)
		}
	}
	return nil
}
