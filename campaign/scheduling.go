package campaign

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

// ScheduleOptions say how a campaign is scheduled.
type ScheduleOptions struct {
	Schedule      // what is given here goes before what the file says
	Again    bool // allow the schedule of a campaign that ran before
	Actor    string
}

// Scheduled is a schedule that was put in force.
type Scheduled struct {
	Schedule
	Campaign   string
	Next       []time.Time // the first due times, at most five
	Recipients int64       // by the plan of now; each firing freezes its own
	Parts      int64
	Warnings   []string
}

const sqlPutInForce = `
INSERT INTO schedule (campaign_id, cron, at, zone, from_day, until_day, catch_up, overlap, next_at, recipients, parts, actor, scheduled_at)
VALUES ($1, $2, $3, $4, nullif($5, '')::date, nullif($6, '')::date, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (campaign_id) DO UPDATE
SET cron = excluded.cron, at = excluded.at, zone = excluded.zone, from_day = excluded.from_day, until_day = excluded.until_day,
    catch_up = excluded.catch_up, overlap = excluded.overlap, next_at = excluded.next_at, recipients = excluded.recipients,
    parts = excluded.parts, actor = excluded.actor, scheduled_at = excluded.scheduled_at`

// Schedule lets a campaign fire by itself from now on, in the place of the schedule that it had. It asks for the same
// approval as a launch. ErrInvalid for a schedule that cannot be read or never fires any more, ErrConflict without the
// approval, and for a campaign that ran before unless Again is set.
func (s *Service) Schedule(ctx context.Context, name string, opt ScheduleOptions) (*Scheduled, error) {
	l, err := s.load(ctx, name)
	if err != nil {
		return nil, err
	}
	schedule, next, err := wanted(l.spec, opt.Schedule, l.at)
	if err != nil {
		return nil, err
	}
	plan, err := s.plan(ctx, l)
	if err != nil {
		return nil, err
	}
	if plan.Recipients == 0 {
		plan.Warnings = append(plan.Warnings, "as of now nobody would be written to: "+nobody(plan).Error())
	}
	put := &inForce{Schedule: schedule, nextAt: &next[0], recipients: plan.Recipients, parts: plan.Parts, actor: opt.Actor}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error { return s.putInForce(ctx, tx, l, put, opt.Again) })
	if err != nil {
		return nil, err
	}
	return &Scheduled{
		Schedule: schedule, Campaign: name, Next: next, Recipients: plan.Recipients, Parts: plan.Parts, Warnings: plan.Warnings,
	}, nil
}

// wanted is the schedule that holds: what was asked for over what the file says, and its next due times.
func wanted(spec *Spec, asked Schedule, now time.Time) (Schedule, []time.Time, error) {
	var fromFile Schedule
	if spec.Schedule != nil {
		fromFile = *spec.Schedule
	}
	schedule := asked.over(fromFile).complete()
	if schedule.Cron == "" && schedule.At == "" {
		return schedule, nil, invalid(`campaign %q has no schedule in its file: give --at 2026-12-01T10:30 or --cron "30 10 * * MON", or write schedule: into the file`, spec.Name)
	}
	times, problems := schedule.timetable()
	if len(problems) > 0 {
		return schedule, nil, invalid("%s", strings.Join(problems, "; "))
	}
	next := times.coming(now, 5, time.Time{})
	if len(next) == 0 {
		return schedule, nil, invalid("the schedule (%s) is over: give a later --at, or a later --until", schedule)
	}
	return schedule, next, nil
}

func (s *Service) putInForce(ctx context.Context, tx pgx.Tx, l *loaded, put *inForce, again bool) error {
	name := l.campaign.Name
	c, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name)
	if err != nil {
		return err
	}
	if c.Source != l.campaign.Source {
		return conflict("campaign %q was changed meanwhile: look at its plan again", name)
	}
	if err := s.approved(c, l.version); err != nil {
		return err
	}
	before, err := readInForce(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if c.Stage == StageLaunched && before == nil && !again {
		return conflict("campaign %q ran before: schedule it with --again to write to its people once more", name)
	}
	_, err = tx.Exec(ctx, sqlPutInForce, c.ID, put.Cron, put.At, put.Zone, put.From, put.Until, put.CatchUp, put.Overlap, *put.nextAt,
		put.recipients, put.parts, put.actor, s.Now())
	if err != nil {
		return fmt.Errorf("put the schedule of %s in force: %w", name, err)
	}
	event := auditlog.Event{
		Actor: put.actor, Action: "campaign.schedule", Subject: name,
		Before: map[string]any{"stage": c.Stage}, After: map[string]any{"stage": StageScheduled, "schedule": put.Schedule, "next": *put.nextAt},
	}
	if before != nil {
		event.Before = map[string]any{"stage": c.Stage, "schedule": before.Schedule}
	}
	c.Stage = StageScheduled
	if err := markCampaign(ctx, tx, c); err != nil {
		return err
	}
	return auditlog.Append(ctx, tx, event)
}

const sqlSkipQueued = `
UPDATE firing
SET state = 'skipped', reason = $2, decided_at = $3
WHERE campaign_id = $1 AND state = 'queued'`

// Unschedule ends the schedule of a campaign: nothing fires any more, and what waited for a run before it is left out. A
// run that goes on is not touched. ErrConflict when no schedule is in force.
func (s *Service) Unschedule(ctx context.Context, name, actor string) (*Campaign, error) {
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		c, err := readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name)
		if err != nil {
			return err
		}
		schedule, err := readInForce(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if schedule == nil {
			return conflict("campaign %q is %s: no schedule of it is in force", name, c.Stage)
		}
		if _, err := tx.Exec(ctx, sqlSkipQueued, c.ID, "the schedule was ended by "+actor, s.Now()); err != nil {
			return fmt.Errorf("end the schedule of %s: %w", name, err)
		}
		schedule.nextAt, schedule.queued = nil, nil
		if err := schedule.write(ctx, tx); err != nil {
			return err
		}
		before := c.Stage
		if err := schedule.endStage(ctx, tx, c); err != nil {
			return err
		}
		return auditlog.Append(ctx, tx, auditlog.Event{
			Actor: actor, Action: "campaign.unschedule", Subject: name,
			Before: map[string]any{"stage": before, "schedule": schedule.Schedule}, After: map[string]any{"stage": c.Stage},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, name)
}
