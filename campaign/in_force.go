package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// inForce is the schedule of a campaign as the database has it, locked by whoever decides about it.
type inForce struct {
	Schedule
	campaign   int32
	nextAt     *time.Time // nil: nothing comes any more
	queued     *time.Time // the firing that waits, nil without
	sending    bool       // whether the campaign's newest run still writes to people
	recipients int64
	parts      int64
	actor      string // who put it in force
}

const (
	scheduleColumns = `s.campaign_id, s.cron, s.at, s.zone, coalesce(to_char(s.from_day, 'YYYY-MM-DD'), ''),
       coalesce(to_char(s.until_day, 'YYYY-MM-DD'), ''), s.catch_up, s.overlap, s.next_at, s.recipients, s.parts, s.actor`

	sqlInForce = `
SELECT ` + scheduleColumns + `,
       (SELECT due_at FROM firing WHERE campaign_id = s.campaign_id AND state = 'queued'),
       EXISTS (SELECT 1 FROM run WHERE campaign_id = s.campaign_id AND kind = 'campaign' AND state = ANY ($2))
FROM schedule s
WHERE s.campaign_id = $1
FOR UPDATE OF s`

	sqlStepSchedule = `
UPDATE schedule
SET next_at = $2, recipients = $3, parts = $4
WHERE campaign_id = $1`

	sqlRanBefore = `SELECT EXISTS (SELECT 1 FROM run WHERE campaign_id = $1 AND kind = 'campaign')`
)

// targets are where a row of scheduleColumns goes.
func (s *inForce) targets() []any {
	return []any{
		&s.campaign, &s.Cron, &s.At, &s.Zone, &s.From, &s.Until, &s.CatchUp, &s.Overlap, &s.nextAt, &s.recipients, &s.parts, &s.actor,
	}
}

// readInForce reads and locks the schedule of a campaign that the caller holds locked; nil when none is in force.
func readInForce(ctx context.Context, tx pgx.Tx, id int32) (*inForce, error) {
	var s inForce
	err := tx.QueryRow(ctx, sqlInForce, id, sending).Scan(append(s.targets(), &s.queued, &s.sending)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the schedule of campaign %d: %w", id, err)
	}
	if s.over() {
		return nil, nil
	}
	return &s, nil
}

// over reports whether the schedule will launch nothing any more.
func (s *inForce) over() bool { return s.nextAt == nil && s.queued == nil }

// write keeps how far the schedule got.
func (s *inForce) write(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, sqlStepSchedule, s.campaign, s.nextAt, s.recipients, s.parts); err != nil {
		return fmt.Errorf("move the schedule of campaign %d on: %w", s.campaign, err)
	}
	return nil
}

// endStage takes a campaign whose schedule is over back to the stage that it would have without.
func (s *inForce) endStage(ctx context.Context, tx pgx.Tx, c *Campaign) error {
	if !s.over() || c.Stage != StageScheduled {
		return nil
	}
	var ran bool
	if err := tx.QueryRow(ctx, sqlRanBefore, c.ID).Scan(&ran); err != nil {
		return fmt.Errorf("look for runs of %s: %w", c.Name, err)
	}
	switch {
	case ran:
		c.Stage = StageLaunched
	case c.ApprovedBy != "":
		c.Stage = StageApproved
	case c.SubmittedBy != "":
		c.Stage = StageSubmitted
	default:
		c.Stage = StageDraft
	}
	return markCampaign(ctx, tx, c)
}
