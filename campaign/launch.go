package campaign

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pukar/audience"
	"pukar/internal/auditlog"
	"pukar/templates"
)

const (
	sqlMarkCampaign = `
UPDATE campaign
SET state = $2, submitted_by = nullif($3, ''), approved_by = nullif($4, ''), template_version = nullif($5, 0), updated_at = now()
WHERE id = $1`

	sqlNewestRun = `
SELECT id, number, state
FROM run
WHERE campaign_id = $1 AND kind = 'campaign'
ORDER BY number DESC
LIMIT 1`
)

// LaunchOptions say how a campaign is launched.
type LaunchOptions struct {
	Again bool // allow another run of a campaign that has run before
	Actor string
}

// Launch freezes the campaign's people into a run and starts it; outside its window it waits. The whole
// freeze is one transaction: after an error or a crash there is no run. ErrConflict when the campaign
// ran before and Again is not set, while a run is still going, or when it lacks the approval that the
// configuration asks for; ErrInvalid when nobody would get a message. What was approved is what goes out:
// when the template got a newer version since the campaign was submitted, it is ErrConflict until it is
// submitted and approved again.
func (s *Service) Launch(ctx context.Context, name string, opt LaunchOptions) (*Status, error) {
	p, err := s.planLaunch(ctx, name)
	if err != nil {
		return nil, err
	}
	var made *launched
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		c, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name)
		if err != nil {
			return err
		}
		if err := s.mayLaunch(ctx, tx, c, p.loaded); err != nil {
			return err
		}
		if err := mayRunAgain(ctx, tx, c, opt.Again); err != nil {
			return err
		}
		if made, err = s.launchIn(ctx, tx, c, p, opt.Actor); err != nil {
			return err
		}
		return auditlog.Append(ctx, tx, auditlog.Event{Actor: opt.Actor, Action: "campaign.launch", Subject: name, After: made.facts()})
	})
	if err != nil {
		return nil, err
	}
	if err := s.Hint(ctx, made.run); err != nil && ctx.Err() != nil {
		return nil, err
	}
	// A hint that could not be given is given by the sweeper.
	return s.Status(ctx, name)
}

// planned is a campaign with what launching it would do.
type planned struct {
	*loaded
	forecast *Plan
}

// planLaunch reckons what a launch would do, before any lock is taken. ErrInvalid when nobody would get a message.
func (s *Service) planLaunch(ctx context.Context, name string) (*planned, error) {
	l, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	forecast, err := s.plan(ctx, l)
	if err != nil {
		return nil, err
	}
	forecast.Samples = nil // texts of people do not belong into a forecast
	if forecast.Recipients == 0 {
		return nil, nobody(forecast)
	}
	return &planned{loaded: l, forecast: forecast}, nil
}

// launched is a run that was just made.
type launched struct {
	*frozen
	number int32
}

// facts are what the record of a launch says.
func (l *launched) facts() map[string]any {
	return map[string]any{"run": l.number, "recipients": l.recipients, "excluded": l.excluded, "snapshot_hash": hex.EncodeToString(l.hash)}
}

// launchIn freezes what was planned into a run, in the caller's transaction, which holds the campaign locked, has asked
// mayLaunch and records the launch. Launches by hand and by schedule go through here.
func (s *Service) launchIn(ctx context.Context, tx pgx.Tx, c *Campaign, p *planned, actor string) (*launched, error) {
	f, err := freeze(ctx, tx, p.selection)
	if err != nil {
		return nil, err
	}
	if f.recipients == 0 {
		return nil, nobody(p.forecast)
	}
	number, err := insertRun(ctx, tx, p.loaded, "campaign", s.Routes[p.spec.SMS.Route], f, p.forecast, actor)
	if err != nil {
		return nil, err
	}
	if c.Stage != StageScheduled {
		c.Stage = StageLaunched
	}
	if err := markCampaign(ctx, tx, c); err != nil {
		return nil, err
	}
	return &launched{frozen: f, number: number}, nil
}

func nobody(p *Plan) error {
	if p.Excluded == 0 {
		return invalid("the audience is empty: nobody in the register matches it; check it with `pukar audience count`")
	}
	var reasons []string
	for _, t := range p.ByReason {
		reasons = append(reasons, fmt.Sprintf("%s %d", t.Name, t.Count))
	}
	return invalid("all %d people of the audience are excluded: %s", p.Excluded, strings.Join(reasons, ", "))
}

// mayRunAgain refuses a launch by hand while a run is going, and of a campaign that ran before without being told to.
func mayRunAgain(ctx context.Context, tx pgx.Tx, c *Campaign, again bool) error {
	var id, number int32
	var state RunState
	err := tx.QueryRow(ctx, sqlNewestRun, c.ID).Scan(&id, &number, &state)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return fmt.Errorf("look for runs of %s: %w", c.Name, err)
	case !slices.Contains([]RunState{RunDone, RunCancelled, RunFailed}, state):
		return conflict("run %d of campaign %q is %s: wait for it or cancel it", number, c.Name, state)
	case !again:
		return conflict("campaign %q ran before (run %d, %s): launch it with --again to write to its people once more", c.Name, number, state)
	}
	return nil
}

// mayLaunch refuses what is not what was planned, a launch while nothing may be launched at all, and one that lacks its
// approval.
func (s *Service) mayLaunch(ctx context.Context, tx pgx.Tx, c *Campaign, l *loaded) error {
	if c.Source != l.campaign.Source {
		return conflict("campaign %q was changed meanwhile: plan it again", c.Name)
	}
	if err := refuseAfterRestore(ctx, tx); err != nil { // before the freeze rather than after it
		return err
	}
	return s.approved(c, l.version)
}

// approved refuses a campaign that lacks the approval that the configuration asks for, or has it for another version of
// its template.
func (s *Service) approved(c *Campaign, version int) error {
	if s.Approval && c.ApprovedBy == "" {
		return conflict("campaign %q is %s: the configuration asks for an approval; `pukar campaign submit %s`, then somebody else `pukar campaign approve %s`",
			c.Name, c.Stage, c.Name, c.Name)
	}
	if c.ApprovedBy != "" && c.TemplateVersion != version {
		return anotherTemplate(c, version)
	}
	return nil
}

func anotherTemplate(c *Campaign, version int) error {
	return conflict("campaign %q was submitted with version %d of its template, which is at version %d now: submit it again with `pukar campaign submit %s`",
		c.Name, c.TemplateVersion, version, c.Name)
}

// Submit hands a draft over for approval, with the version that its template has by now. A campaign that
// was submitted, approved or launched before can be submitted again once its template has another version,
// and then needs its approval anew.
func (s *Service) Submit(ctx context.Context, name, actor string) (*Campaign, error) {
	return s.mark(ctx, name, actor, "campaign.submit", func(c *Campaign, version int) error {
		if c.Stage != StageDraft && c.TemplateVersion == version {
			return conflict("campaign %q is %s: only a draft can be submitted, or another version of the template", name, c.Stage)
		}
		c.Stage, c.SubmittedBy, c.ApprovedBy, c.TemplateVersion = StageSubmitted, actor, "", version
		return nil
	})
}

// Approve lets a submitted campaign be launched, with the version of its template that was submitted and
// no other. It takes somebody else than who submitted it.
func (s *Service) Approve(ctx context.Context, name, actor string) (*Campaign, error) {
	return s.mark(ctx, name, actor, "campaign.approve", func(c *Campaign, version int) error {
		switch {
		case c.Stage != StageSubmitted:
			return conflict("campaign %q is %s: submit it first", name, c.Stage)
		case c.SubmittedBy == actor:
			return conflict("campaign %q was submitted by %s: somebody else has to approve it", name, actor)
		case c.TemplateVersion != version:
			return anotherTemplate(c, version)
		}
		c.Stage, c.ApprovedBy = StageApproved, actor
		return nil
	})
}

func (s *Service) mark(ctx context.Context, name, actor, action string, move func(c *Campaign, version int) error) (*Campaign, error) {
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		c, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name)
		if err != nil {
			return err
		}
		spec, err := Parse([]byte(c.Source))
		if err != nil {
			return err
		}
		newest, err := templates.NewStore(tx).Get(ctx, spec.SMS.Template)
		if err != nil {
			return fmt.Errorf("mark campaign %s: %w", name, err)
		}
		before := c.Stage
		if err := move(c, newest.Version); err != nil {
			return err
		}
		if c.Stage == StageApproved { // for another version of the template, while its schedule went on
			schedule, err := readInForce(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			if schedule != nil {
				c.Stage = StageScheduled
			}
		}
		if err := markCampaign(ctx, tx, c); err != nil {
			return err
		}
		return auditlog.Append(ctx, tx, auditlog.Event{
			Actor: actor, Action: action, Subject: name,
			Before: map[string]any{"stage": before}, After: map[string]any{"stage": c.Stage, "template_version": c.TemplateVersion},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, name)
}

// markCampaign writes how far a campaign is.
func markCampaign(ctx context.Context, tx pgx.Tx, c *Campaign) error {
	if _, err := tx.Exec(ctx, sqlMarkCampaign, c.ID, string(c.Stage), c.SubmittedBy, c.ApprovedBy, c.TemplateVersion); err != nil {
		return fmt.Errorf("mark campaign %s: %w", c.Name, err)
	}
	return nil
}

// Pause stops the newest run of a campaign: once it returns no stride is opened any more, and what is on
// the wire ends within seconds. A run that a stop of everything or a restore had paused stays paused when that is lifted.
func (s *Service) Pause(ctx context.Context, name, actor, why string) (*Status, error) {
	return s.moveRun(ctx, name, actor, "campaign.pause", why, func(tx pgx.Tx, run int32) (bool, error) {
		moved, err := s.ledger.stop(ctx, tx, run, RunPausing, why)
		if err != nil || moved {
			return moved, err
		}
		return keepPaused(ctx, tx, run, why)
	})
}

// Cancel ends the newest run of a campaign for good: everybody not yet written to is skipped.
func (s *Service) Cancel(ctx context.Context, name, actor, why string) (*Status, error) {
	return s.moveRun(ctx, name, actor, "campaign.cancel", why, func(tx pgx.Tx, run int32) (bool, error) {
		return s.ledger.stop(ctx, tx, run, RunCancelling, why)
	})
}

// Resume lets a paused run go on where it stopped.
func (s *Service) Resume(ctx context.Context, name, actor string) (*Status, error) {
	return s.resumeNewest(ctx, name, actor, func(_ pgx.Tx, _ int32, moved bool) (bool, error) { return moved, nil })
}

// resumeNewest resumes the newest run of a campaign. also comes last in the transaction and answers whether that, or what it
// did itself, is what was asked for.
func (s *Service) resumeNewest(ctx context.Context, name, actor string, also func(tx pgx.Tx, run int32, moved bool) (bool, error)) (*Status, error) {
	status, err := s.moveRun(ctx, name, actor, "campaign.resume", "", func(tx pgx.Tx, run int32) (bool, error) {
		moved, err := s.ledger.resume(ctx, tx, run)
		if err != nil {
			return false, err
		}
		if moved {
			if err := refuseAfterRestore(ctx, tx); err != nil {
				return false, err
			}
		}
		return also(tx, run, moved)
	})
	if err == nil {
		_ = s.Hint(ctx, status.RunID) // the sweeper gives it otherwise
	}
	return status, err
}

func (s *Service) moveRun(ctx context.Context, name, actor, action, why string, move func(tx pgx.Tx, run int32) (bool, error)) (*Status, error) {
	err := untilNoDeadlock(func() error { return s.tryMoveRun(ctx, name, actor, action, why, move) })
	if err != nil {
		return nil, err
	}
	return s.Status(ctx, name)
}

const deadlockDetected = "40P01"

// untilNoDeadlock tries again what PostgreSQL sacrificed: raising all fences of a run can meet a worker
// that holds some of its batches and wants others.
func untilNoDeadlock(do func() error) error {
	var err error
	for range 5 {
		err = do()
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != deadlockDetected {
			return err
		}
	}
	return err
}

func (s *Service) tryMoveRun(ctx context.Context, name, actor, action, why string, move func(tx pgx.Tx, run int32) (bool, error)) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		c, err := readCampaign(tx.QueryRow(ctx, sqlCampaign, name), name)
		if err != nil {
			return err
		}
		var id, number int32
		var state RunState
		err = tx.QueryRow(ctx, sqlNewestRun, c.ID).Scan(&id, &number, &state)
		if errors.Is(err, pgx.ErrNoRows) {
			return conflict("campaign %q has not been launched", name)
		}
		if err != nil {
			return fmt.Errorf("look for runs of %s: %w", name, err)
		}
		moved, err := move(tx, id)
		if err != nil {
			return err
		}
		if !moved {
			verb := strings.TrimPrefix(action, "campaign.")
			return conflict("run %d of campaign %q is %s: it cannot be told to %s", number, name, state, verb)
		}
		return auditlog.Append(ctx, tx, auditlog.Event{
			Actor: actor, Action: action, Subject: name,
			Before: map[string]any{"run": number, "state": state}, After: map[string]any{"why": why},
		})
	})
}

const (
	sqlTestPerson = `
SELECT c.id, coalesce(c.language, '')
FROM contact c
WHERE c.msisdn = $1
ORDER BY c.id
LIMIT 1`

	sqlTestRecipient = `
INSERT INTO recipient (run_id, seq, contact_id, msisdn, msisdn_key, language, vars)
VALUES ($1, 1, $2, $3, $4, $5, $6)`
)

// Test sends the campaign's message to one number of the configuration's test_numbers, by the real route
// and through the same ledger, recorded as a run of its own that no total of the campaign counts. The
// values are samples; the language is the one given, else that of the person in the register with this
// number, else the template's fallback. A test keeps the category's legal window and the stop list.
func (s *Service) Test(ctx context.Context, name, number, language, actor string) (*Status, error) {
	msisdn, err := audience.ParseNumber(number)
	if err != nil {
		return nil, invalid("--to: %s", err)
	}
	if !slices.Contains(s.TestNumbers, msisdn) {
		return nil, invalid("--to: this number is not among test_numbers of the configuration: add it there")
	}
	tested, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	template := tested.template
	tested.spec.Priority = "urgent"
	var run int32
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		f := &frozen{recipients: 1}
		if err := tx.QueryRow(ctx, sqlNextRun).Scan(&f.run); err != nil {
			return fmt.Errorf("number a run: %w", err)
		}
		var contact int64
		var known string
		if err := tx.QueryRow(ctx, sqlTestPerson, msisdn).Scan(&contact, &known); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("look for the test number: %w", err)
		}
		code, err := chooseLanguage("--language", template, language, known)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlTestRecipient, f.run, contact, msisdn, s.Key.Number(msisdn), code, template.Samples(code)); err != nil {
			return fmt.Errorf("write the test's recipient: %w", err)
		}
		if err := prepareLedger(ctx, tx, f.run, 1); err != nil {
			return err
		}
		if f.hash, err = HashRun(ctx, tx, f.run); err != nil {
			return err
		}
		// A lock on the campaign keeps two tests from taking one number.
		if _, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name); err != nil {
			return err
		}
		testNo, err := insertRun(ctx, tx, tested, "test", s.Routes[tested.spec.SMS.Route], f, struct{}{}, actor)
		if err != nil {
			return err
		}
		run = f.run
		return auditlog.Append(ctx, tx, auditlog.Event{
			Actor: actor, Action: "campaign.test", Subject: name,
			After: map[string]any{"test": testNo, "to": audience.Mask(msisdn), "language": code},
		})
	})
	if err != nil {
		return nil, err
	}
	_ = s.Hint(ctx, run) // the sweeper gives it otherwise
	return s.statusOf(ctx, run)
}

// chooseLanguage answers the language asked for, else that of the person, else the template's fallback. name
// is what the caller calls it.
func chooseLanguage(name string, template *templates.Template, asked, known string) (string, error) {
	if asked == "" {
		return template.Language(known), nil
	}
	if _, ok := template.Languages[asked]; !ok {
		return "", invalid("%s: the template has no %q: it has %s", name, asked, strings.Join(template.LanguageCodes(), ", "))
	}
	return asked, nil
}
