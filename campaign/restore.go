package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/mark"
	"pukar/internal/notice"
	"pukar/internal/pgdb"
)

// restoreFenceStep lifts the fences over every lease that was given in the time that is lost: its holder may still be
// there, and must not meet a fence of its own number again.
const restoreFenceStep = 1 << 32

const (
	// Waits for every claim, launch and resume that is under way, and keeps new ones out until the commit: what they
	// look at after that is the restoration.
	sqlLockRuns = `LOCK TABLE run IN EXCLUSIVE MODE`

	sqlAnybody = `SELECT EXISTS (SELECT 1 FROM run) OR EXISTS (SELECT 1 FROM contact)`

	sqlNoteRestoration = `
INSERT INTO restoration (noticed_at, found)
SELECT $1, $2
WHERE NOT EXISTS (SELECT 1 FROM restoration WHERE cleared_at IS NULL)
RETURNING id`

	// Whom a person had paused stays paused afterwards.
	sqlPauseAll = `
UPDATE run
SET state = 'paused', why = CASE WHEN state = 'pausing' THEN why ELSE $2 END,
    restoration = CASE WHEN state = 'pausing' THEN NULL ELSE $3::int8 END
WHERE state = ANY ($1)
RETURNING id`

	sqlLiftFences = `
UPDATE batch
SET fence = fence + $1, holder = NULL, lease_until = NULL, hinted_at = NULL
WHERE state = 'ready' AND run_id IN (SELECT id FROM run WHERE finished_at IS NULL)`

	sqlPendingRestoration = `
SELECT id, noticed_at, found
FROM restoration
WHERE cleared_at IS NULL`
)

// ErrMoved says that another server answers, or one that was promoted, than when the process began, or that its log ends
// before what this process knows to be in it: its data is or may be older, so nothing is sent until that was looked into.
var ErrMoved = errors.New("the database is on another server or timeline than when this process began, or its data is older than a moment ago")

// SendOnlyUnder lets claims succeed only while the database has this origin, in the words of package mark. Call it before the
// ledger is used; "" is any.
func (l *Ledger) SendOnlyUnder(origin string) { l.origin = origin }

// SendOnlyBeyond lets claims succeed only while the database's log has reached what least answers, which is asked at each.
// Call it before the ledger is used.
func (l *Ledger) SendOnlyBeyond(least func() mark.LSN) { l.least = least }

// moved gives ErrMoved unless the database is where it was and no older.
func (l *Ledger) moved(origin, reached string) error {
	if l.origin != "" && origin != l.origin {
		return ErrMoved
	}
	if l.least == nil {
		return nil
	}
	var at mark.LSN
	if err := at.UnmarshalText([]byte(reached)); err != nil {
		return err
	}
	if at < l.least() {
		return ErrMoved
	}
	return nil
}

// Restoration is a time at which the data was found to be older than what was done with it.
type Restoration struct {
	ID        int64
	NoticedAt time.Time
	Found     string // by what it was noticed
}

func (r *Restoration) why() string {
	return fmt.Sprintf("the database was restored or failed over to older data, noticed at %s: check with the message centre's records what was sent, then `pukar resume-all --after-restore`",
		r.NoticedAt.In(India).Format(time.RFC3339))
}

// PendingRestoration reads the restoration that nobody has cleared yet, nil when there is none.
func (l *Ledger) PendingRestoration(ctx context.Context) (*Restoration, error) {
	return pendingRestoration(ctx, l.pool, sqlPendingRestoration)
}

func pendingRestoration(ctx context.Context, db pgdb.DB, sql string) (*Restoration, error) {
	var r Restoration
	err := db.QueryRow(ctx, sql).Scan(&r.ID, &r.NoticedAt, &r.Found)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a restoration: %w", err)
	}
	return &r, nil
}

// refuseAfterRestore gives ErrConflict while a restoration is not cleared or everything is stopped. It belongs after the statement that makes a
// run run: from then on a restoration waits for this transaction, or this one has seen it.
func refuseAfterRestore(ctx context.Context, tx pgx.Tx) error {
	held, err := heldBy(ctx, tx)
	if err != nil || !held.any() {
		return err
	}
	return conflict("nothing can be launched or resumed: %s", held)
}

// NoticeRestore pauses every run, raises its fences and keeps everything from being launched or resumed until
// Service.ResumeAll, in one transaction. It answers how many runs it paused; telling it again changes nothing more.
// A database without a person and without a run is a new one, and nothing follows.
func (l *Ledger) NoticeRestore(ctx context.Context, found string, now time.Time) (paused int, err error) {
	err = untilNoDeadlock(func() error {
		return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
			paused, err = noticeRestore(ctx, tx, found, now)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("pause everything after a restore: %w", err)
	}
	return paused, nil
}

func noticeRestore(ctx context.Context, tx pgx.Tx, found string, now time.Time) (paused int, err error) {
	if _, err := tx.Exec(ctx, sqlLockRuns); err != nil {
		return 0, err
	}
	var used bool
	if err := tx.QueryRow(ctx, sqlAnybody).Scan(&used); err != nil || !used {
		return 0, err
	}
	r := &Restoration{NoticedAt: now, Found: found}
	err = tx.QueryRow(ctx, sqlNoteRestoration, now, found).Scan(&r.ID)
	fresh := err == nil
	if errors.Is(err, pgx.ErrNoRows) {
		r, err = pendingRestoration(ctx, tx, sqlPendingRestoration)
	}
	if err != nil {
		return 0, err
	}
	rows, err := tx.Query(ctx, sqlPauseAll, movesTo(RunPaused), r.why(), r.ID)
	if err != nil {
		return 0, err
	}
	runs, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, sqlLiftFences, int64(restoreFenceStep)); err != nil {
		return 0, err
	}
	if !fresh && len(runs) == 0 {
		return 0, nil
	}
	if err := notice.Send(ctx, tx, notice.Notice{Everything: true}); err != nil {
		return 0, err
	}
	return len(runs), auditlog.Append(ctx, tx, auditlog.Event{
		Actor: "pukar", Action: "database.restored", Subject: "database", After: map[string]any{"found": found, "paused_runs": runs},
	})
}
