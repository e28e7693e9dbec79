package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/pgdb"
)

// RetryStates are the states that a retry can be for, in the order in which they are told.
func RetryStates() []State { return []State{Failed, Rejected, Expired, Unknown, NoReceipt} }

// RetryOptions say whom a retry writes to.
type RetryOptions struct {
	States   []State // of RetryStates, at least one
	Run      int32   // number of the first run whose people are tried again; 0 for the newest
	Expected int64   // refuse unless so many would be written to; 0 for any number
	Actor    string
}

// RetryPlan says what a retry now would do.
type RetryPlan struct {
	Plan
	RetryOf   int32   `json:"retry_of"`   // number of the first run
	ByOutcome []Tally `json:"by_outcome"` // targeted by the state of their newest attempt
}

// check refuses options that choose nobody.
func (opt RetryOptions) check() error {
	var names []string
	for _, state := range RetryStates() {
		names = append(names, "--"+strings.ReplaceAll(state.String(), "_", "-"))
	}
	if len(opt.States) == 0 {
		return invalid("say whom to write to again: one or more of %s", strings.Join(names, ", "))
	}
	for _, state := range opt.States {
		if !slices.Contains(RetryStates(), state) {
			return invalid("who is %s is not written to again: it can be %s", state, strings.Join(names, ", "))
		}
	}
	return nil
}

const (
	sqlFirstRun = `
SELECT r.id, r.number, coalesce(p.number, 0)
FROM run r
LEFT JOIN run p ON p.id = r.parent_run
WHERE r.campaign_id = $1 AND r.kind = 'campaign' AND CASE $2::int4 WHEN 0 THEN r.parent_run IS NULL ELSE r.number = $2::int4 END
ORDER BY r.number DESC
LIMIT 1`

	sqlLinkRun = `
UPDATE run
SET parent_run = $2
WHERE id = $1`
)

// retry is a first run and what trying some of its people again would do.
type retry struct {
	*planned
	first     int32 // number of the first run
	root      int32 // its id
	byOutcome []Tally
}

// PlanRetry reckons what a retry now would do. Errors are those of Retry.
func (s *Service) PlanRetry(ctx context.Context, name string, opt RetryOptions) (*RetryPlan, error) {
	r, err := s.planRetry(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error { return s.mayRetry(ctx, tx, r.campaign, r) })
	if err != nil {
		return nil, err
	}
	return &RetryPlan{Plan: *r.forecast, RetryOf: r.first, ByOutcome: r.byOutcome}, nil
}

// Retry writes once more to those whose newest attempt, in a run or its retries, ended in one of the states: a
// run of its own, linked to the first. They get the version of the template and the values that were frozen in
// the first run. Who said stop since, withdrew her consent, is known to be under 18, has reached the campaign's
// cap or is no longer in the register with the number is left out. ErrConflict while a run is going, when
// nobody is left in those states, and where a launch would be; ErrInvalid when nobody would get a message.
func (s *Service) Retry(ctx context.Context, name string, opt RetryOptions) (*Status, error) {
	r, err := s.planRetry(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	r.forecast.Samples = nil // texts of people do not belong into a forecast
	var made *launched
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		c, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name)
		if err != nil {
			return err
		}
		if err := s.mayRetry(ctx, tx, c, r); err != nil {
			return err
		}
		made, err = s.retryIn(ctx, tx, r, opt)
		if err != nil {
			return err
		}
		facts := made.facts()
		facts["retry_of"], facts["states"] = r.first, stateNamesOf(opt.States)
		return auditlog.Append(ctx, tx, auditlog.Event{Actor: opt.Actor, Action: "campaign.retry", Subject: name, After: facts})
	})
	if err != nil {
		return nil, err
	}
	_ = s.Hint(ctx, made.run) // the sweeper gives it otherwise
	return s.Status(ctx, name)
}

// mayRetry asks everything that a launch by hand has to ask. The text is the first run's, which had its
// approval when it went out; whether the campaign has one now is asked all the same.
func (s *Service) mayRetry(ctx context.Context, tx pgx.Tx, c *Campaign, r *retry) error {
	then := *r.loaded
	then.version = c.TemplateVersion
	if err := s.mayLaunch(ctx, tx, c, &then); err != nil {
		return err
	}
	if err := mayRunAgain(ctx, tx, c, true); err != nil {
		return err
	}
	if r.forecast.Targeted == 0 {
		return conflict("nobody of run %d of campaign %q is in such a state by now: `pukar report summary %s` says where they are", r.first, c.Name, c.Name)
	}
	if r.forecast.Recipients == 0 {
		return nobodyAgain(r.forecast)
	}
	return nil
}

func nobodyAgain(p *Plan) error {
	var reasons []string
	for _, t := range p.ByReason {
		reasons = append(reasons, fmt.Sprintf("%s %d", t.Name, t.Count))
	}
	return invalid("all %d people who would be tried again are left out: %s", p.Excluded, strings.Join(reasons, ", "))
}

// retryIn freezes a retry in the caller's transaction, which holds the campaign locked. Where everybody stands
// is read again there: between the plan and the lock another retry may have gone by.
func (s *Service) retryIn(ctx context.Context, tx pgx.Tx, r *retry, opt RetryOptions) (*launched, error) {
	tree, err := readTree(ctx, tx, r.root, r.spec.PerContact.Period)
	if err != nil {
		return nil, err
	}
	route := s.Routes[r.spec.SMS.Route]
	f, err := freeze(ctx, tx, selectRetry(tree, opt.States, r.spec, r.template, route, r.at))
	if err != nil {
		return nil, err
	}
	if f.recipients == 0 {
		return nil, nobodyAgain(r.forecast)
	}
	if opt.Expected > 0 && int64(f.recipients) != opt.Expected {
		return nil, conflict("%d people would be written to, not %d: look at `pukar campaign retry %s --dry-run` again", f.recipients, opt.Expected, r.campaign.Name)
	}
	number, err := insertRun(ctx, tx, r.loaded, "campaign", route, f, r.forecast, opt.Actor)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, sqlLinkRun, f.run, r.root); err != nil {
		return nil, fmt.Errorf("link run %d to run %d: %w", f.run, r.root, err)
	}
	return &launched{frozen: f, number: number}, nil
}

// planRetry finds the first run and reckons what trying its people again would do.
func (s *Service) planRetry(ctx context.Context, name string, opt RetryOptions) (*retry, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	c, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	r := &retry{planned: &planned{loaded: &loaded{campaign: c, at: s.Now()}}}
	if r.root, r.first, err = firstRun(ctx, s.Pool, c, opt.Run); err != nil {
		return nil, err
	}
	run, err := s.ledger.Run(ctx, r.root)
	if err != nil {
		return nil, err
	}
	version, err := s.templates.GetVersion(ctx, run.Template, run.TemplateVersion)
	if err != nil {
		return nil, fmt.Errorf("read the template of run %d: %w", run.ID, err)
	}
	r.spec, r.template, r.version = &run.Spec, version.Template, run.TemplateVersion
	r.spec.Window = r.spec.Window.Keeping(s.Holidays)
	route, ok := s.Routes[r.spec.SMS.Route]
	if !ok {
		return nil, invalid("run %d went by route %q, which the configuration no longer has: put it back", r.first, r.spec.SMS.Route)
	}
	if err := keepsUp(r.spec, r.template, route); err != nil {
		return nil, err
	}
	tree, err := readTree(ctx, s.Pool, r.root, r.spec.PerContact.Period)
	if err != nil {
		return nil, err
	}
	r.selection = selectRetry(tree, opt.States, r.spec, r.template, route, r.at)
	if r.forecast, err = s.reckon(ctx, r.loaded); err != nil {
		return nil, err
	}
	r.byOutcome = tree.tally(opt.States)
	for _, t := range r.byOutcome {
		if t.Name == Unknown.String() {
			r.forecast.Warnings = append(r.forecast.Warnings,
				fmt.Sprintf("of %d people it is not known whether the message left: they may get it twice", t.Count))
		}
	}
	return r, nil
}

// firstRun finds the first run whose people are tried again.
func firstRun(ctx context.Context, db pgdb.DB, c *Campaign, number int32) (id, first int32, err error) {
	var parent int32
	err = db.QueryRow(ctx, sqlFirstRun, c.ID, number).Scan(&id, &first, &parent)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && number > 0:
		return 0, 0, notFound("campaign %q has no run %d", c.Name, number)
	case errors.Is(err, pgx.ErrNoRows):
		return 0, 0, conflict("campaign %q has not been launched: there is nobody to write to again", c.Name)
	case err != nil:
		return 0, 0, fmt.Errorf("look for runs of %s: %w", c.Name, err)
	case parent > 0:
		return 0, 0, conflict("run %d of campaign %q is itself a retry of run %d: give --run %d, which takes in its retries", first, c.Name, parent, parent)
	}
	return id, first, nil
}

// tally counts those whose newest attempt ended in one of the states.
func (t *Tree) tally(states []State) []Tally {
	counts := make(map[string]int64)
	for _, state := range t.newest {
		if slices.Contains(states, state) {
			counts[state.String()]++
		}
	}
	return tally(counts)
}

func stateNamesOf(states []State) []string {
	names := make([]string, len(states))
	for i, state := range states {
		names[i] = state.String()
	}
	return names
}
