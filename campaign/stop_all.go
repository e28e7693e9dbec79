package campaign

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/notice"
	"pukar/internal/pgdb"
)

// stopInForce is asked by whatever opens a stride or claims a batch, in its own statement: the stop holds from its
// commit on, before any run is paused.
const stopInForce = `EXISTS (SELECT 1 FROM stop_all WHERE lifted_at IS NULL)`

const (
	sqlDeclareStop = `
INSERT INTO stop_all (reason, actor, at)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
RETURNING id`

	sqlStopInForce = `
SELECT id, reason, actor, at, paused_at
FROM stop_all
WHERE lifted_at IS NULL`

	sqlPauseForStop = `
UPDATE run
SET state = CASE WHEN state = 'settling' THEN 'paused' ELSE 'pausing' END, why = $1, stop_all = $2
WHERE state IN ('running', 'settling')
RETURNING id`

	sqlStopPaused = `
UPDATE stop_all
SET paused_at = $2
WHERE id = $1 AND paused_at IS NULL`
)

// Stop is a stop of everything.
type Stop struct {
	ID       int64
	Reason   string
	Actor    string
	At       time.Time
	PausedAt *time.Time // nil until its runs are paused
}

func (s *Stop) why() string {
	return fmt.Sprintf("everything was stopped by %s at %s: %s; `pukar resume-all` lets it go on", s.Actor, s.At.In(India).Format(time.RFC3339), s.Reason)
}

// StopInForce reads the stop of everything that nobody has lifted yet, nil when there is none.
func (l *Ledger) StopInForce(ctx context.Context) (*Stop, error) {
	return stopOfAll(ctx, l.pool, sqlStopInForce)
}

func stopOfAll(ctx context.Context, db pgdb.DB, sql string) (*Stop, error) {
	var s Stop
	err := db.QueryRow(ctx, sql).Scan(&s.ID, &s.Reason, &s.Actor, &s.At, &s.PausedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a stop of everything: %w", err)
	}
	return &s, nil
}

// Stopped is what a stop of everything did.
type Stopped struct {
	Stop
	Already bool // it was in force before
	Paused  int  // runs that this call paused
}

// pausePatience is how long a stop waits for the runs to be paused. A process that was stopped in the middle of a transaction can hold
// some of them for longer; the sweeper goes on with it, and nothing is sent meanwhile.
const pausePatience = 5 * time.Second

// StopAll stops everything: once it returns no process opens a stride, and within a second none writes a byte. It stays
// so, over restarts, until ResumeAll. A reason must be given. The stop is committed by itself, so that it waits for nobody;
// then the runs are paused and the event is written. Told again, it changes nothing but what was not done yet.
func (s *Service) StopAll(ctx context.Context, reason, actor string) (*Stopped, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return nil, invalid("--reason: missing: say why everything is stopped, for the record and for whoever finds it stopped")
	}
	stopped := &Stopped{Stop: Stop{Reason: reason, Actor: actor, At: s.Now()}}
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sqlDeclareStop, reason, actor, stopped.At).Scan(&stopped.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			stopped.Already = true
		} else if err != nil {
			return err
		}
		return notice.Send(ctx, tx, notice.Notice{Everything: true})
	})
	if err != nil {
		return nil, fmt.Errorf("stop everything: %w", err)
	}
	wait, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()
	if stopped.Paused, err = s.ledger.PauseForStop(wait, s.Now()); err != nil && wait.Err() == nil {
		return nil, err
	}
	inForce, err := s.ledger.StopInForce(ctx)
	if err != nil {
		return nil, err
	}
	if inForce != nil {
		stopped.Stop = *inForce
	}
	return stopped, nil
}

// PauseForStop pauses every run that goes on although everything is stopped, and raises its fences; nothing where no
// stop is in force. It answers how many runs it paused. Whom a person had paused stays paused when the stop is lifted.
func (l *Ledger) PauseForStop(ctx context.Context, now time.Time) (paused int, err error) {
	err = untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
			paused, err = pauseForStop(ctx, tx, now)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("pause everything that was stopped: %w", err)
	}
	return paused, nil
}

func pauseForStop(ctx context.Context, tx pgx.Tx, now time.Time) (paused int, err error) {
	if _, err := tx.Exec(ctx, sqlLockRuns); err != nil {
		return 0, err
	}
	stop, err := stopOfAll(ctx, tx, sqlStopInForce)
	if err != nil || stop == nil {
		return 0, err
	}
	rows, err := tx.Query(ctx, sqlPauseForStop, stop.why(), stop.ID)
	if err != nil {
		return 0, err
	}
	runs, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, sqlLiftFences, int64(1)); err != nil {
		return 0, err
	}
	if stop.PausedAt != nil && len(runs) == 0 {
		return 0, nil
	}
	if _, err := tx.Exec(ctx, sqlStopPaused, stop.ID, now); err != nil {
		return 0, err
	}
	return len(runs), auditlog.Append(ctx, tx, auditlog.Event{
		Actor: stop.Actor, Action: "everything.stop", Subject: "everything",
		After: map[string]any{"reason": stop.Reason, "at": stop.At, "paused_runs": runs},
	})
}

// FinishStop pauses the runs of a stop whose own process did not come to it. It is called every sweep.
func (l *Ledger) FinishStop(ctx context.Context, now time.Time) (paused int, err error) {
	stop, err := l.StopInForce(ctx)
	if err != nil || stop == nil || stop.PausedAt != nil {
		return 0, err
	}
	return l.PauseForStop(ctx, now)
}

// What a stop or a restore paused goes on when that is lifted; what a person paused does not.
const sqlKeepPaused = `
UPDATE run
SET stop_all = NULL, restoration = NULL, why = $2
WHERE id = $1 AND state IN ('pausing', 'paused')
  AND (stop_all IN (SELECT id FROM stop_all WHERE lifted_at IS NULL) OR restoration IN (SELECT id FROM restoration WHERE cleared_at IS NULL))`

// keepPaused takes a run over that a stop of everything or a restore has paused, so that it stays so without them.
func keepPaused(ctx context.Context, tx pgx.Tx, run int32, why string) (kept bool, err error) {
	tag, err := tx.Exec(ctx, sqlKeepPaused, run, why)
	if err != nil {
		return false, fmt.Errorf("keep run %d paused: %w", run, err)
	}
	return tag.RowsAffected() > 0, nil
}
