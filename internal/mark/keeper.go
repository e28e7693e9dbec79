package mark

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/pgdb"
)

// FileName is the mark's file in a PUKAR_HOME.
const FileName = "database.mark"

const (
	keepEvery = 2 * time.Second
	keepTime  = 5 * time.Second // what one look or one mark may take
)

// ErrStandby says that the server is a standby, or is still being recovered: nothing can be written to it.
var ErrStandby = errors.New("PostgreSQL is a standby or still in recovery: point database_url at the primary, or promote this one")

// ErrRestored says that the data turned out to be older than what this process has done with it.
var ErrRestored = errors.New("the database was restored or failed over to older data")

const sqlStandby = `SELECT pg_is_in_recovery()`

// Primary gives ErrStandby unless the server can be written to.
func Primary(ctx context.Context, db pgdb.DB) error {
	var standby bool
	if err := db.QueryRow(ctx, sqlStandby).Scan(&standby); err != nil {
		return fmt.Errorf("ask whether the database is a standby: %w", err)
	}
	if standby {
		return ErrStandby
	}
	return nil
}

const (
	// The name of a log file begins with the timeline on which the server writes; the control file learns of a new one
	// only with the first checkpoint. The insert position is the end of a record, which the flushed one need not be.
	sqlPosition = `
SELECT system_identifier::text,
       ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int8,
       pg_current_wal_insert_lsn()::text,
       coalesce((SELECT no FROM home_mark WHERE home = $1), 0),
       pg_snapshot_xmax(pg_current_snapshot())::text
FROM pg_control_system()`

	// Above what either side knows, so that the count also rises over data that was restored.
	sqlCount = `
INSERT INTO home_mark (home, no, at)
VALUES ($1, $2::int8 + 1, now())
ON CONFLICT (home) DO UPDATE SET no = greatest(home_mark.no, $2::int8) + 1, at = now()
RETURNING no`
)

// Keeper compares the database with the mark of a home and keeps the mark up to date.
type Keeper struct {
	Pool *pgxpool.Pool
	Path string // of the mark's file
	Log  *slog.Logger
	// Restored is told what was found, and returns when it is safe to go on: it may be called again for the same.
	Restored func(ctx context.Context, found string) error

	mark Mark
	kept atomic.Uint64 // the position of the mark, for whoever asks meanwhile
	next string        // the number of the transaction that comes next: nothing was written while it stays
}

func (k *Keeper) look(ctx context.Context, db pgdb.DB) (at Position, next string, err error) {
	if err := Primary(ctx, db); err != nil {
		return at, "", err
	}
	var lsn string
	err = db.QueryRow(ctx, sqlPosition, k.mark.Home).Scan(&at.System, &at.Timeline, &lsn, &at.Count, &next)
	if err == nil {
		err = at.LSN.UnmarshalText([]byte(lsn))
	}
	if err != nil {
		return at, "", fmt.Errorf("ask where the database stands: %w", err)
	}
	return at, next, nil
}

// Check compares the database with the home's mark, once, before anything is sent, and keeps a new mark. A home
// without a mark gets its first. A mark that cannot be read counts as one that does not fit.
func (k *Keeper) Check(ctx context.Context) error {
	known, err := load(k.Path)
	if errors.Is(err, fs.ErrNotExist) {
		k.mark = newHome()
		k.Log.Info("the home has no mark of its database yet: a backup put back before now would not be noticed", "file", k.Path)
		return k.keep(ctx)
	}
	var found string
	if err != nil {
		k.mark, found = newHome(), "its mark cannot be read: "+err.Error()
	} else {
		k.mark = known
		now, _, err := k.look(ctx, k.Pool)
		if err != nil {
			return err
		}
		found = k.mark.Differs(now)
	}
	if found != "" {
		if err := k.Restored(ctx, found); err != nil {
			return err
		}
	}
	return k.keep(ctx)
}

// Origin is where the commits go since Check.
func (k *Keeper) Origin() string { return k.mark.Origin() }

// Reached is the position of the mark that is kept at present: a sound database is there or beyond. It may be asked while Run
// works.
func (k *Keeper) Reached() LSN { return LSN(k.kept.Load()) }

// keep commits a mark and then writes it to the file: what the file says was on the server's disk before.
func (k *Keeper) keep(ctx context.Context) error {
	var at Position
	err := pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) (err error) {
		var no int64
		if err := tx.QueryRow(ctx, sqlCount, k.mark.Home, k.mark.Count).Scan(&no); err != nil {
			return fmt.Errorf("count the mark: %w", err)
		}
		at, _, err = k.look(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	k.mark.Position, k.mark.At = at, time.Now()
	if err := k.mark.save(k.Path); err != nil {
		return err
	}
	k.kept.Store(uint64(at.LSN))
	_, k.next, err = k.look(ctx, k.Pool)
	return err
}

// Run keeps the mark while anything is written, until ctx ends, and once more then. It gives an error with ErrRestored
// when the data became older meanwhile, after Restored has returned: what the process remembers may be of rows that
// are no more, so it should end.
func (k *Keeper) Run(ctx context.Context) error {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	failing := false
	for {
		last := false
		select {
		case <-ticker.C:
		case <-ctx.Done():
			last = true
		}
		err := k.round(context.WithoutCancel(ctx))
		if errors.Is(err, ErrRestored) {
			return err
		}
		if err != nil && !failing {
			k.Log.Warn("the mark of the database is not kept; trying again", "err", err)
		}
		failing = err != nil
		if last {
			return nil
		}
	}
}

// round looks once and keeps the mark when something was written since.
func (k *Keeper) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	now, next, err := k.look(ctx, k.Pool)
	if err != nil {
		return err
	}
	if found := k.mark.Differs(now); found != "" {
		if err := k.Restored(ctx, found); err != nil {
			return err
		}
		if err := k.keep(ctx); err != nil {
			return err
		}
		return fmt.Errorf("%w: %s: start again", ErrRestored, found)
	}
	if next == k.next {
		return nil
	}
	return k.keep(ctx)
}
