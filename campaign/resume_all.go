package campaign

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/pgdb"
)

// held is what keeps everything from going on.
type held struct {
	stop     *Stop
	restored *Restoration
}

func heldBy(ctx context.Context, db pgdb.DB) (h held, err error) {
	if h.restored, err = pendingRestoration(ctx, db, sqlPendingRestoration); err != nil {
		return h, err
	}
	h.stop, err = stopOfAll(ctx, db, sqlStopInForce)
	return h, err
}

func (h held) any() bool { return h.stop != nil || h.restored != nil }

// String says what holds everything and how to go on.
func (h held) String() string {
	switch {
	case h.stop != nil && h.restored != nil:
		return h.restored.why() + "; besides, " + h.stop.why() + ": each takes away only its own, so both are needed"
	case h.stop != nil:
		return h.stop.why()
	case h.restored != nil:
		return h.restored.why()
	}
	return ""
}

// Held says what keeps everything from going on and how that is mended, "" when nothing does.
func (s *Service) Held(ctx context.Context) (string, error) {
	h, err := heldBy(ctx, s.Pool)
	return h.String(), err
}

const (
	sqlPendingRestorationLock = sqlPendingRestoration + ` FOR UPDATE`
	sqlStopInForceLock        = sqlStopInForce + ` FOR UPDATE`

	sqlClearRestoration = `
UPDATE restoration
SET cleared_at = $2, cleared_by = $3
WHERE id = $1`

	sqlLiftStop = `
UPDATE stop_all
SET lifted_at = $2, lifted_by = $3
WHERE id = $1`

	sqlResumeRestored = `
UPDATE run r
SET state = 'running', why = '', resumed_at = now()
FROM campaign c
WHERE r.restoration = $1 AND r.state IN ('pausing', 'paused') AND c.id = r.campaign_id
RETURNING r.id, c.name, r.kind, r.number`

	sqlResumeStopped = `
UPDATE run r
SET state = 'running', why = '', resumed_at = now(), stop_all = NULL
FROM campaign c
WHERE r.stop_all = $1 AND r.state IN ('pausing', 'paused') AND c.id = r.campaign_id
RETURNING r.id, c.name, r.kind, r.number`

	// What one of the two lets go and the other still holds goes on with the other.
	sqlHandToStop = `
UPDATE run
SET stop_all = $2, why = $3
WHERE restoration = $1 AND state IN ('pausing', 'paused')`

	sqlHandToRestoration = `
UPDATE run
SET stop_all = NULL, restoration = $2, why = $3
WHERE stop_all = $1 AND state IN ('pausing', 'paused')`
)

// Resumed is a run that goes on.
type Resumed struct {
	ID       int32  `json:"-"`
	Campaign string `json:"campaign"`
	Kind     string `json:"kind"` // campaign | test | message
	Number   int32  `json:"run"`
}

// ResumeAll lifts the stop of everything or, with afterRestore, clears the pending restoration, and lets the runs go
// on that it had paused. afterRestore says that the caller knows that the data is older than what was sent. Where both
// are in force each takes away only its own, and what it had paused waits for the other: Held says so. ErrConflict when
// there is nothing of the kind.
func (s *Service) ResumeAll(ctx context.Context, actor string, afterRestore bool) ([]Resumed, error) {
	var resumed []Resumed
	lift := s.liftStop
	if afterRestore {
		lift = s.clearRestoration
	}
	err := untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, sqlLockRuns); err != nil { // in the order of what pauses everything
				return err
			}
			var h held
			var err error
			if h.restored, err = pendingRestoration(ctx, tx, sqlPendingRestorationLock); err != nil {
				return err
			}
			if h.stop, err = stopOfAll(ctx, tx, sqlStopInForceLock); err != nil {
				return err
			}
			resumed, err = lift(ctx, tx, actor, h)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for _, r := range resumed {
		if r.Kind != KindMessage { // there may be thousands, which the sweeper hints together
			_ = s.Hint(ctx, r.ID) // the sweeper gives it otherwise
		}
	}
	return resumed, nil
}

func (s *Service) clearRestoration(ctx context.Context, tx pgx.Tx, actor string, h held) ([]Resumed, error) {
	pending := h.restored
	switch {
	case pending == nil && h.stop != nil:
		return nil, conflict("no restore is pending, but %s", h.stop.why())
	case pending == nil:
		return nil, conflict("no restore is pending: resume a single campaign with `pukar campaign resume NAME`")
	}
	if _, err := tx.Exec(ctx, sqlClearRestoration, pending.ID, s.Now(), actor); err != nil {
		return nil, fmt.Errorf("clear restoration %d: %w", pending.ID, err)
	}
	if h.stop != nil {
		if _, err := tx.Exec(ctx, sqlHandToStop, pending.ID, h.stop.ID, h.stop.why()); err != nil {
			return nil, fmt.Errorf("keep what restoration %d had paused: %w", pending.ID, err)
		}
	}
	var resumed []Resumed
	if h.stop == nil {
		var err error
		if resumed, err = resumeRuns(ctx, tx, sqlResumeRestored, pending.ID); err != nil {
			return nil, fmt.Errorf("resume after restoration %d: %w", pending.ID, err)
		}
	}
	return resumed, auditlog.Append(ctx, tx, auditlog.Event{
		Actor: actor, Action: "database.resume_all", Subject: "database",
		Before: map[string]any{"found": pending.Found, "noticed_at": pending.NoticedAt}, After: resumedFacts(resumed),
	})
}

func (s *Service) liftStop(ctx context.Context, tx pgx.Tx, actor string, h held) ([]Resumed, error) {
	stop := h.stop
	switch {
	case stop == nil && h.restored != nil:
		return nil, conflict("%s", h.restored.why())
	case stop == nil:
		return nil, conflict("nothing was stopped with `pukar stop-all`: resume a single campaign with `pukar campaign resume NAME`")
	}
	if _, err := tx.Exec(ctx, sqlLiftStop, stop.ID, s.Now(), actor); err != nil {
		return nil, fmt.Errorf("lift stop %d: %w", stop.ID, err)
	}
	if h.restored != nil {
		if _, err := tx.Exec(ctx, sqlHandToRestoration, stop.ID, h.restored.ID, h.restored.why()); err != nil {
			return nil, fmt.Errorf("keep what stop %d had paused: %w", stop.ID, err)
		}
	}
	var resumed []Resumed
	if h.restored == nil {
		var err error
		if resumed, err = resumeRuns(ctx, tx, sqlResumeStopped, stop.ID); err != nil {
			return nil, fmt.Errorf("resume after stop %d: %w", stop.ID, err)
		}
	}
	return resumed, auditlog.Append(ctx, tx, auditlog.Event{
		Actor: actor, Action: "everything.resume", Subject: "everything",
		Before: map[string]any{"reason": stop.Reason, "actor": stop.Actor, "at": stop.At}, After: resumedFacts(resumed),
	})
}

func resumeRuns(ctx context.Context, tx pgx.Tx, sql string, id int64) ([]Resumed, error) {
	rows, err := tx.Query(ctx, sql, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Resumed])
}

// resumedFacts is what the record says of runs that go on: every campaign and test, and how many messages, of which there may be
// very many.
func resumedFacts(resumed []Resumed) map[string]any {
	runs, messages := WithoutMessages(resumed)
	return map[string]any{"resumed": runs, "messages": messages}
}

// WithoutMessages parts runs that go on into those of campaigns and tests, and the number of single messages.
func WithoutMessages(resumed []Resumed) (runs []Resumed, messages int) {
	runs = make([]Resumed, 0, len(resumed))
	for _, r := range resumed {
		if r.Kind != KindMessage {
			runs = append(runs, r)
		}
	}
	return runs, len(resumed) - len(runs)
}
