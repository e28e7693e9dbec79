package campaign

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Status is where a campaign stands: its stage before the first launch, then its newest run, and beside it its schedule.
type Status struct {
	Name         string     `json:"name"`
	State        string     `json:"state"` // draft, submitted, approved, scheduled, or the state of the run
	Run          int32      `json:"run"`   // 1, 2, 3 … within the campaign; 0 before the first launch
	RunID        int32      `json:"run_id,omitempty"`
	RetryOf      int32      `json:"retry_of,omitempty"` // number of the run whose people this one tries again
	Kind         string     `json:"kind,omitempty"`     // campaign | test
	Route        string     `json:"route,omitempty"`
	Priority     string     `json:"priority,omitempty"`
	Targeted     int64      `json:"targeted"`
	Excluded     int64      `json:"excluded"`
	Recipients   int64      `json:"recipients"`
	Totals       Totals     `json:"totals"`
	WaitingUntil *time.Time `json:"waiting_until,omitempty"` // when the window opens, outside it
	Why          string     `json:"why,omitempty"`           // why it is paused, cancelled or failed, or cannot send
	Held         string     `json:"held,omitempty"`          // what keeps every campaign from going on, and the mend
	BudgetINR    string     `json:"budget_inr,omitempty"`    // of all runs of the campaign; "" where it has none
	SpentINR     string     `json:"spent_inr,omitempty"`
	SnapshotHash string     `json:"snapshot_hash,omitempty"`
	ForecastEnd  *time.Time `json:"forecast_finishes_at,omitempty"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	FinishedAt   *time.Time `json:"finished_at,omitempty"`
	NextFiring   *time.Time `json:"next_firing,omitempty"` // while a schedule is in force
	LastFiring   *Firing    `json:"last_firing,omitempty"` // the newest due time, and what became of it
}

// Status reads where a campaign stands.
func (s *Service) Status(ctx context.Context, name string) (*Status, error) {
	status, err := s.ownStatus(ctx, name)
	if err != nil {
		return nil, err
	}
	if status.Held, err = s.Held(ctx); err != nil {
		return nil, err
	}
	budget, err := budgetOf(ctx, s.Pool, name)
	if budget != nil {
		status.BudgetINR, status.SpentINR = budget.Budget.String(), budget.Spent.String()
	}
	return status, err
}

func (s *Service) ownStatus(ctx context.Context, name string) (*Status, error) {
	c, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	var id, number int32
	var state RunState
	err = s.Pool.QueryRow(ctx, sqlNewestRun, c.ID).Scan(&id, &number, &state)
	status := &Status{Name: c.Name, State: string(c.Stage)}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return nil, fmt.Errorf("look for runs of %s: %w", name, err)
	default:
		if status, err = s.statusOf(ctx, id); err != nil {
			return nil, err
		}
	}
	return status, s.sayFirings(ctx, c.ID, status)
}

const (
	sqlRunNumbered = `
SELECT r.id
FROM run r
JOIN campaign c ON c.id = r.campaign_id
WHERE c.name = $1 AND r.kind = $2 AND r.number = $3`

	sqlRunStatus = `
SELECT recipients, excluded, snapshot_hash, why, started_at, finished_at, (forecast ->> 'finishes_at')::timestamptz,
       coalesce((SELECT p.number FROM run p WHERE p.id = run.parent_run), 0)
FROM run
WHERE id = $1`
)

// RunStatus reads one run of a campaign, of kind campaign or test, by its number.
func (s *Service) RunStatus(ctx context.Context, name, kind string, number int32) (*Status, error) {
	var id int32
	err := s.Pool.QueryRow(ctx, sqlRunNumbered, name, kind, number).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound("campaign %q has no %s run %d", name, kind, number)
	}
	if err != nil {
		return nil, fmt.Errorf("look for run %d of %s: %w", number, name, err)
	}
	return s.statusOf(ctx, id)
}

func (s *Service) statusOf(ctx context.Context, id int32) (*Status, error) {
	run, err := s.ledger.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	status := &Status{
		Name: run.Campaign, State: string(run.State), Run: run.Number, RunID: id, Kind: run.Kind, Route: run.Route, Priority: run.Priority,
	}
	var hash []byte
	err = s.Pool.QueryRow(ctx, sqlRunStatus, id).Scan(&status.Recipients, &status.Excluded, &hash, &status.Why,
		&status.StartedAt, &status.FinishedAt, &status.ForecastEnd, &status.RetryOf)
	if err != nil {
		return nil, fmt.Errorf("read run %d: %w", id, err)
	}
	status.Targeted = status.Recipients + status.Excluded
	status.SnapshotHash = hex.EncodeToString(hash)
	if status.Totals, err = s.ledger.Totals(ctx, id); err != nil {
		return nil, err
	}
	if run.State == RunRunning {
		if err := s.sayWhatHolds(ctx, status, run); err != nil {
			return nil, err
		}
	}
	return status, nil
}

// sayWhatHolds tells a run that waits for its window or its route from one that is at work.
func (s *Service) sayWhatHolds(ctx context.Context, status *Status, run *Run) error {
	version, err := s.templates.GetVersion(ctx, run.Template, run.TemplateVersion)
	if err != nil {
		return fmt.Errorf("read the template of run %d: %w", run.ID, err)
	}
	now := s.Now()
	if err := s.sayWhyClosed(ctx, status, run, run.Window(version.Template.Category, s.Holidays), now); err != nil {
		return err
	}
	closed := status.Why
	if err := s.ledger.Durable(ctx); errors.As(err, new(*VolatileError)) {
		status.Why = err.Error()
	} else if err != nil {
		return err
	}
	if s.RouteState != nil && status.Why == closed {
		if why := s.RouteState(run.Route); why != "" {
			status.Why = "route " + run.Route + ": " + why
		}
	}
	return nil
}

const sqlCampaigns = `
SELECT c.name, c.state, coalesce(r.state, ''), coalesce(r.number, 0), coalesce(r.recipients, 0), c.updated_at, s.next_at
FROM campaign c
LEFT JOIN schedule s ON s.campaign_id = c.id
LEFT JOIN LATERAL (SELECT state, number, recipients FROM run WHERE campaign_id = c.id AND kind = 'campaign' ORDER BY number DESC LIMIT 1) r ON true
WHERE c.name > $1
  AND c.name <> '` + MessagesCampaign + `'
ORDER BY c.name
LIMIT 1000`

// Line is a campaign in a list.
type Line struct {
	Name       string    `json:"name"`
	State      string    `json:"state"`
	Run        int32     `json:"run"`
	Recipients int64     `json:"recipients"`
	UpdatedAt  time.Time `json:"updated_at"`

	NextFiring *time.Time `json:"next_firing,omitempty"` // while a schedule is in force
}

// List gives up to 1000 campaigns by name, beginning after the given one; "" begins at the first.
func (s *Service) List(ctx context.Context, after string) ([]Line, error) {
	rows, err := s.Pool.Query(ctx, sqlCampaigns, after)
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Line, err error) {
		var run string
		if err := row.Scan(&l.Name, &l.State, &run, &l.Run, &l.Recipients, &l.UpdatedAt, &l.NextFiring); err != nil {
			return l, err
		}
		if run != "" {
			l.State = run
		}
		return l, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	return lines, nil
}
