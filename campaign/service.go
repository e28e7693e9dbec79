package campaign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/internal/auditlog"
	"pukar/templates"
)

// Config is what a Service works with.
type Config struct {
	Pool        *pgxpool.Pool
	Key         audience.Key
	Places      *audience.Places
	Schemes     audience.Schemes
	Holidays    *Holidays
	Routes      map[string]RouteTerms
	TestNumbers []int64
	Approval    bool                                       // whether somebody else must approve before a launch
	Hint        func(ctx context.Context, run int32) error // asks for a run's first hints
	GiveHint    func(ctx context.Context, h RunHint) error // hands out the hint that a message was written with
	RouteState  func(route string) string                  // why a route cannot send now, "" when it can; may be nil
	Now         func() time.Time                           // nil: time.Now
}

// Service is what people do with campaigns. Every change is audited in its own transaction, with the
// actor that the caller names.
type Service struct {
	Config
	ledger    *Ledger
	templates *templates.Store
	writer    *messageWriter
}

// NewService works with the given parts.
func NewService(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{Config: c, ledger: NewLedger(c.Pool), templates: templates.NewStore(c.Pool), writer: &messageWriter{pool: c.Pool}}
}

// cohortCompiler turns a campaign's audience into SQL.
type cohortCompiler struct {
	places  *audience.Places
	schemes audience.Schemes
}

func (c cohortCompiler) compile(a Audience, on time.Time, firstArg int) (audience.Predicate, error) {
	predicate, err := audience.Compile(a.cohort(), c.places, c.schemes, on, firstArg)
	if err != nil {
		return predicate, invalid("audience: %s", err)
	}
	return predicate, nil
}

func (a Audience) cohort() audience.Cohort {
	return audience.Cohort{Scheme: a.Scheme, Eligibility: a.Eligibility, Home: a.Home, Language: a.Language, Where: a.Where, All: a.All}
}

func (s *Service) compiler() cohortCompiler {
	return cohortCompiler{places: s.Places, schemes: s.Schemes}
}

// Campaign is a campaign as it is stored.
type Campaign struct {
	ID          int32  `json:"-"`
	Name        string `json:"name"`
	Stage       Stage  `json:"stage"`
	Source      string `json:"source"`
	Actor       string `json:"actor"`
	SubmittedBy string `json:"submitted_by,omitempty"`
	ApprovedBy  string `json:"approved_by,omitempty"`

	// TemplateVersion is the version that was submitted, 0 before; an approval is for no other.
	TemplateVersion int `json:"template_version,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const campaignColumns = `id, name, state, source, actor, coalesce(submitted_by, ''), coalesce(approved_by, ''),
    coalesce(template_version, 0), created_at, updated_at`

const (
	sqlCampaign     = `SELECT ` + campaignColumns + ` FROM campaign WHERE name = $1`
	sqlCampaignLock = sqlCampaign + ` FOR UPDATE`
)

func readCampaign(row pgx.Row, name string) (*Campaign, error) {
	var c Campaign
	err := row.Scan(&c.ID, &c.Name, &c.Stage, &c.Source, &c.Actor, &c.SubmittedBy, &c.ApprovedBy, &c.TemplateVersion, &c.CreatedAt, &c.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound("there is no campaign %q: see `pukar campaign list`", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read campaign %s: %w", name, err)
	}
	if name == MessagesCampaign {
		return nil, conflict("%q holds the messages that other systems ask for one by one: `pukar message send` and `pukar message status` are for them, campaign commands are not", name)
	}
	return &c, nil
}

// Get reads a campaign by its name; ErrNotFound when there is none.
func (s *Service) Get(ctx context.Context, name string) (*Campaign, error) {
	return readCampaign(s.Pool.QueryRow(ctx, sqlCampaign, name), name)
}

const sqlInsertCampaign = `
INSERT INTO campaign (name, source, state, actor)
VALUES ($1, $2, 'draft', $3)
ON CONFLICT (name) DO NOTHING`

// Create stores a campaign file as a draft. Everything that it names must be there: the template, the
// route, the scheme, the places, and its rule must type-check. ErrConflict when the name is taken.
func (s *Service) Create(ctx context.Context, source []byte, actor string) (*Campaign, error) {
	spec, err := s.check(ctx, source)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlInsertCampaign, spec.Name, string(source), actor)
		if err != nil {
			return fmt.Errorf("store campaign %s: %w", spec.Name, err)
		}
		if tag.RowsAffected() == 0 {
			return conflict("there is a campaign %q already: change it with `pukar campaign update FILE` while it is a draft, or choose another name", spec.Name)
		}
		return auditlog.Append(ctx, tx, auditlog.Event{Actor: actor, Action: "campaign.create", Subject: spec.Name, After: map[string]string{"source": string(source)}})
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, spec.Name)
}

const sqlUpdateCampaign = `
UPDATE campaign
SET source = $2, updated_at = now()
WHERE name = $1 AND state = 'draft'`

// Update replaces a draft's file. ErrConflict once it was submitted or launched.
func (s *Service) Update(ctx context.Context, source []byte, actor string) (*Campaign, error) {
	spec, err := s.check(ctx, source)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		before, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, spec.Name), spec.Name)
		if err != nil {
			return err
		}
		if before.Stage == StageScheduled {
			return conflict("campaign %q is scheduled: only a draft can be changed; `pukar campaign schedule %s --off` ends the schedule", spec.Name, spec.Name)
		}
		if before.Stage != StageDraft {
			return conflict("campaign %q is %s: only a draft can be changed; create one under another name", spec.Name, before.Stage)
		}
		if _, err := tx.Exec(ctx, sqlUpdateCampaign, spec.Name, string(source)); err != nil {
			return fmt.Errorf("update campaign %s: %w", spec.Name, err)
		}
		return auditlog.Append(ctx, tx, auditlog.Event{
			Actor: actor, Action: "campaign.update", Subject: spec.Name,
			Before: map[string]string{"source": before.Source}, After: map[string]string{"source": string(source)},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, spec.Name)
}

// check reads a campaign file and everything that it names.
func (s *Service) check(ctx context.Context, source []byte) (*Spec, error) {
	spec, err := Parse(source)
	if err != nil {
		return nil, err
	}
	_, _, _, err = s.resolve(ctx, spec, s.Now())
	return spec, err
}

// resolve finds the template and the route of a campaign, and builds its selection.
func (s *Service) resolve(ctx context.Context, spec *Spec, now time.Time) (*templates.Template, int, *selection, error) {
	route, ok := s.Routes[spec.SMS.Route]
	if !ok {
		return nil, 0, nil, invalid("steps.sms.route: there is no route %q: the configuration has %s", spec.SMS.Route, s.routeNames())
	}
	version, err := s.templates.Get(ctx, spec.SMS.Template)
	if errors.Is(err, templates.ErrNotFound) {
		return nil, 0, nil, invalid("steps.sms.template: there is no template %q: add it with `pukar template add FILE`", spec.SMS.Template)
	}
	if err != nil {
		return nil, 0, nil, err
	}
	template := version.Template
	if err := keepsUp(spec, template, route); err != nil {
		return nil, 0, nil, err
	}
	if window := spec.Window.Intersect(LegalWindow(template.Category)); window.Empty() {
		return nil, 0, nil, invalid("window: %s lies outside the hours in which %s messages may be sent (%s): widen it",
			spec.Window, template.Category, LegalWindow(template.Category))
	}
	if err := s.keepHolidays(spec, now); err != nil {
		return nil, 0, nil, err
	}
	selection, err := selectPeople(spec, template, route, s.compiler(), now)
	if err != nil {
		return nil, 0, nil, err
	}
	return template, version.Version, selection, nil
}

func (s *Service) routeNames() string {
	names := make(map[string]int64, len(s.Routes))
	for name := range s.Routes {
		names[name] = 0
	}
	list := make([]string, 0, len(names))
	for _, t := range tally(names) {
		list = append(list, t.Name)
	}
	if len(list) == 0 {
		return "none: add one under routes"
	}
	return strings.Join(list, ", ")
}

// loaded is a campaign with everything that it names, as of one moment.
type loaded struct {
	campaign  *Campaign
	spec      *Spec
	template  *templates.Template
	version   int // of the template
	selection *selection
	at        time.Time
}

// load reads a campaign by its name and finds what it names.
func (s *Service) load(ctx context.Context, name string) (*loaded, error) {
	c, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	spec, err := Parse([]byte(c.Source))
	if err != nil {
		return nil, err
	}
	l := &loaded{campaign: c, spec: spec, at: s.Now()}
	if l.template, l.version, l.selection, err = s.resolve(ctx, spec, l.at); err != nil {
		return nil, err
	}
	return l, nil
}

// Plan reckons what launching the campaign now would do.
func (s *Service) Plan(ctx context.Context, name string) (*Plan, error) {
	l, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, l)
}

func (s *Service) plan(ctx context.Context, l *loaded) (*Plan, error) {
	plan, err := s.reckon(ctx, l)
	if err != nil {
		return nil, err
	}
	if spec := l.spec; spec.Audience.Eligibility == "" || spec.Audience.Eligibility == "eligible" {
		count, err := audience.CountCohort(ctx, s.Pool, spec.Audience.cohort(), s.Places, s.Schemes, l.at)
		if err != nil {
			return nil, err
		}
		plan.UnknownLeftOut = count.Unknown
	}
	return plan, nil
}

// reckon adds up the people of a selection: their messages, the price, the finish.
func (s *Service) reckon(ctx context.Context, l *loaded) (*Plan, error) {
	spec, template := l.spec, l.template
	route := s.Routes[spec.SMS.Route]
	plan := &Plan{
		Campaign: spec.Name, Template: template.Name, TemplateVersion: l.version, Category: template.Category, Route: route.Name,
		Warnings: template.Warnings(),
	}
	p := planner{
		plan: plan, template: template, places: s.Places, states: make(map[string]int64),
		language: make(map[string]int64), reasons: make(map[string]int64), sampled: make(map[string]bool),
	}
	if err := p.run(ctx, s.Pool, l.selection); err != nil {
		return nil, err
	}
	plan.CostINR = route.INRPerPart.Times(plan.Parts).String()
	if err := s.warnOfBudget(ctx, plan, spec, route.INRPerPart.Times(plan.Parts)); err != nil {
		return nil, err
	}
	drain, err := s.drainOf(ctx, route.Name)
	if err != nil {
		return nil, err
	}
	// The spec of an earlier run names its holidays and does not know their days.
	window := spec.Window.Keeping(s.Holidays).Intersect(LegalWindow(template.Category)).Draining(drain)
	if err := plan.forecast(window, spec.Rate, route, l.at); err != nil {
		return nil, err
	}
	plan.keepsWindow(spec, window)
	if s.RouteState != nil {
		if why := s.RouteState(route.Name); why != "" {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("route %s cannot send now: %s", route.Name, why))
		}
	}
	return plan, nil
}
