package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

// FiringState is what became of a due time.
type FiringState string

// The states of a firing. A queued one becomes one of the others, these stay.
const (
	FiringFired   FiringState = "fired"   // it has a run
	FiringSkipped FiringState = "skipped" // left out, as the schedule asks for
	FiringFailed  FiringState = "failed"  // the campaign could not be launched
	FiringQueued  FiringState = "queued"  // waits for the run before it
)

// Firing is what became of a due time, or of a row of due times that were missed.
type Firing struct {
	Campaign  string      `json:"campaign"`
	DueAt     time.Time   `json:"due_at"`
	LastDueAt time.Time   `json:"last_due_at"` // later than DueAt where it stands for several
	Times     int32       `json:"times"`       // how many due times it stands for, counted up to 10,000
	State     FiringState `json:"state"`
	Reason    string      `json:"reason,omitempty"`
	Run       int32       `json:"run,omitempty"` // number of the run that it made
	DecidedAt time.Time   `json:"decided_at"`
}

// lateAfter is how late a firing may be. What comes later was missed, because the server was down or the clock jumped.
const lateAfter = 5 * time.Minute

// errPlanFirst says that a launch is due, which must be planned before any lock is taken.
var errPlanFirst = errors.New("plan first")

const sqlDue = `
SELECT c.name
FROM schedule s
JOIN campaign c ON c.id = s.campaign_id
WHERE s.next_at <= $1
UNION
SELECT c.name
FROM firing f
JOIN campaign c ON c.id = f.campaign_id
WHERE f.state = 'queued' AND NOT EXISTS (SELECT 1 FROM run WHERE campaign_id = f.campaign_id AND kind = 'campaign' AND state = ANY ($2))`

// sending are the states in which a run may still write to people. One that is settling has tried everybody and
// waits for receipts, for days where a handset is off: the next firing does not wait for those.
var sending = []string{string(RunRunning), string(RunPausing), string(RunPaused), string(RunEnding), string(RunCancelling)}

// Due names the campaigns of which something is due at the given moment: none while nothing may be launched.
func (s *Service) Due(ctx context.Context, now time.Time) ([]string, error) {
	rows, err := s.Pool.Query(ctx, sqlDue, now, sending)
	if err != nil {
		return nil, fmt.Errorf("look for due campaigns: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for due campaigns: %w", err)
	}
	if len(names) == 0 {
		return nil, nil
	}
	held, err := heldBy(ctx, s.Pool)
	if err != nil || held.any() {
		return nil, err
	}
	return names, nil
}

// Fire decides about everything of a campaign that was due at the moment when it was seen to be, and launches what is
// to be launched. Each due time is decided in one transaction together with the run that it makes, so that any number of
// processes may call it at once and one of them fires. While nothing may be launched at all, nothing is decided.
func (s *Service) Fire(ctx context.Context, name string, seen time.Time) ([]Firing, error) {
	var done []Firing
	for {
		f, err := s.fireNext(ctx, name, seen)
		if err != nil {
			return done, err
		}
		done = append(done, f.decided...)
		if !f.moved {
			return done, nil
		}
	}
}

// fireNext decides about the next due time.
func (s *Service) fireNext(ctx context.Context, name string, seen time.Time) (*fire, error) {
	f, err := s.fireWith(ctx, name, seen, nil, nil)
	if !errors.Is(err, errPlanFirst) {
		return f, err
	}
	p, err := s.planLaunch(ctx, name)
	if err == nil {
		f, err = s.fireWith(ctx, name, seen, p, nil)
	}
	if errors.As(err, new(*problem)) { // a person's to mend; anything else is tried again
		return s.fireWith(ctx, name, seen, nil, err)
	}
	return f, err
}

// fireWith decides about the next due time in one transaction: p is the plan of the launch, failed why it cannot be.
func (s *Service) fireWith(ctx context.Context, name string, seen time.Time, p *planned, failed error) (*fire, error) {
	f := &fire{service: s, seen: seen, planned: p, failed: failed}
	if err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error { return f.decide(ctx, tx, name) }); err != nil {
		return nil, fmt.Errorf("fire campaign %s: %w", name, err)
	}
	if f.run != 0 {
		_ = s.Hint(ctx, f.run) // the sweeper gives it otherwise
	}
	return f, nil
}

// fire is one decision about the next due time of a campaign.
type fire struct {
	service *Service
	seen    time.Time
	planned *planned // nil: not planned yet
	failed  error    // why it cannot be launched, nil for all that is known

	campaign *Campaign
	schedule *inForce
	times    *timetable
	moved    bool // whether a due time was decided
	run      int32
	decided  []Firing
	events   []auditlog.Event
}

func (f *fire) decide(ctx context.Context, tx pgx.Tx, name string) error {
	var err error
	if f.campaign, err = readCampaign(tx.QueryRow(ctx, sqlCampaignLock, name), name); err != nil {
		return err
	}
	if f.schedule, err = readInForce(ctx, tx, f.campaign.ID); err != nil || f.schedule == nil {
		return err
	}
	held, err := heldBy(ctx, tx)
	if err != nil || held.any() {
		return err // nothing may be launched: later it may be late
	}
	var problems []string
	if f.times, problems = f.schedule.timetable(); len(problems) > 0 {
		return fmt.Errorf("read the schedule of %s: %s", name, problems[0])
	}
	switch {
	case f.schedule.queued != nil && !f.schedule.sending:
		err = f.launch(ctx, tx, *f.schedule.queued)
	case f.schedule.nextAt != nil && !f.schedule.nextAt.After(f.seen):
		err = f.due(ctx, tx, *f.schedule.nextAt)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	f.moved = true
	if err := f.schedule.write(ctx, tx); err != nil {
		return err
	}
	if err := f.schedule.endStage(ctx, tx, f.campaign); err != nil {
		return err
	}
	for _, e := range f.events {
		if err := auditlog.Append(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// due decides about a due time: it is missed, or fires, waits, or is left out.
func (f *fire) due(ctx context.Context, tx pgx.Tx, due time.Time) error {
	onTime := f.seen.Add(-lateAfter)
	if !due.Before(onTime) {
		f.step(due)
		return f.fire(ctx, tx, due)
	}
	missed := f.times.span(due, onTime.Add(-time.Nanosecond))
	f.step(missed.last)
	why := fmt.Sprintf("missed: it could be looked at only at %s", f.seen.In(India).Format("2006-01-02 15:04:05"))
	if f.schedule.CatchUp != CatchUpOnce {
		return f.skip(ctx, tx, missed, why)
	}
	if next := f.schedule.nextAt; next != nil && !next.After(f.seen) {
		return f.skip(ctx, tx, missed, why+", and a later one is on time")
	}
	if missed.times > 1 {
		earlier := span{first: missed.first, last: missed.before, times: missed.times - 1}
		if missed.times == maxCounted {
			earlier.times = maxCounted
		}
		if err := f.skip(ctx, tx, earlier, why+", the latest one fires for it"); err != nil {
			return err
		}
	}
	return f.fire(ctx, tx, missed.last)
}

// step moves the schedule on to the first due time after the one that is decided.
func (f *fire) step(decided time.Time) {
	f.schedule.nextAt = nil
	if next, ok := f.times.after(decided); ok {
		f.schedule.nextAt = &next
	}
}

// fire launches, unless the run before is still sending.
func (f *fire) fire(ctx context.Context, tx pgx.Tx, due time.Time) error {
	known, err := hasFiring(ctx, tx, f.campaign.ID, due)
	if err != nil || known { // it was decided before the clock was put back, or under an earlier schedule
		return err
	}
	one := span{first: due, last: due, times: 1}
	switch {
	case !f.schedule.sending && f.schedule.queued == nil:
		return f.launch(ctx, tx, due)
	case f.schedule.Overlap != OverlapQueue:
		return f.skip(ctx, tx, one, "the run before it was still going")
	case f.schedule.queued != nil:
		return f.skip(ctx, tx, one, "the run before it was still going, and another firing waits for its end")
	}
	f.schedule.queued = &due
	return f.record(ctx, tx, one, FiringQueued, "it waits until the run before it ends", nil)
}

func (f *fire) skip(ctx context.Context, tx pgx.Tx, missed span, why string) error {
	return f.record(ctx, tx, missed, FiringSkipped, why, nil)
}

// launch makes the run of a due time that is not yet recorded, or queued.
func (f *fire) launch(ctx context.Context, tx pgx.Tx, due time.Time) error {
	if f.schedule.queued != nil && f.schedule.queued.Equal(due) {
		f.schedule.queued = nil
	}
	one := span{first: due, last: due, times: 1}
	if f.failed != nil {
		return f.record(ctx, tx, one, FiringFailed, f.failed.Error(), nil)
	}
	if f.planned == nil {
		return errPlanFirst
	}
	if err := f.service.mayLaunch(ctx, tx, f.campaign, f.planned.loaded); err != nil {
		return err
	}
	made, err := f.service.launchIn(ctx, tx, f.campaign, f.planned, programActor)
	if err != nil {
		return err
	}
	f.run = made.run
	f.schedule.recipients, f.schedule.parts = f.planned.forecast.Recipients, f.planned.forecast.Parts
	return f.record(ctx, tx, one, FiringFired, "", made)
}

// programActor is whom the record names for what the program does by itself.
const programActor = "pukar"

const (
	sqlHasFiring = `SELECT EXISTS (SELECT 1 FROM firing WHERE campaign_id = $1 AND due_at = $2)`

	sqlRecordFiring = `
INSERT INTO firing (campaign_id, due_at, last_due_at, times, state, reason, run_id, actor, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), $8, $9)
ON CONFLICT (campaign_id, due_at) DO UPDATE
SET state = excluded.state, reason = excluded.reason, run_id = excluded.run_id, decided_at = excluded.decided_at
WHERE firing.state = 'queued'`
)

func hasFiring(ctx context.Context, tx pgx.Tx, id int32, due time.Time) (known bool, err error) {
	if err := tx.QueryRow(ctx, sqlHasFiring, id, due).Scan(&known); err != nil {
		return false, fmt.Errorf("look for a firing: %w", err)
	}
	return known, nil
}

// record writes down what became of a due time. A row that is decided already stands.
func (f *fire) record(ctx context.Context, tx pgx.Tx, of span, state FiringState, reason string, made *launched) error {
	now := f.service.Now()
	done := Firing{
		Campaign: f.campaign.Name, DueAt: of.first, LastDueAt: of.last, Times: int32(of.times), State: state, Reason: reason, DecidedAt: now,
	}
	after := map[string]any{"due_at": of.first, "state": state, "scheduled_by": f.schedule.actor}
	var run int32
	if made != nil {
		run, done.Run = made.run, made.number
		for name, fact := range made.facts() {
			after[name] = fact
		}
	}
	if reason != "" {
		after["reason"] = reason
	}
	if of.times > 1 {
		after["last_due_at"], after["times"] = of.last, of.times
	}
	tag, err := tx.Exec(ctx, sqlRecordFiring, f.campaign.ID, of.first, of.last, of.times, string(state), reason, run, f.schedule.actor, now)
	if err != nil {
		return fmt.Errorf("record the firing of %s: %w", f.campaign.Name, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	f.decided = append(f.decided, done)
	f.events = append(f.events, auditlog.Event{Actor: programActor, Action: "campaign.fire", Subject: f.campaign.Name, After: after})
	return nil
}
