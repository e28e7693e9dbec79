package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/logs"
	"pukar/internal/metrics"
)

// The numbers of the advisory locks under which one process of many does a work.
const (
	sweeperLock   = 7821002
	schedulerLock = 7821003
)

const (
	// The leader asks something every round. One that has been silent for ten seconds was stopped or cut off
	// from the database: its session ends, and the lock with it.
	sqlLeadBriefly = `SET idle_session_timeout = '10s'`

	sqlLead = `SELECT pg_try_advisory_lock($1)`
)

// leader does a work in rounds while this process is the one that leads in it, elected by an advisory lock in PostgreSQL.
// The work must be correct in two places at once all the same: a leader that was stopped may wake up beside its successor.
type leader struct {
	pool    *pgxpool.Pool
	lock    int64
	work    string // what leads, for the log and for the metrics: metrics.LeaderSweeper …
	log     *slog.Logger
	metrics *metrics.Metrics // may be nil

	trouble logs.Repeated
}

// run competes for the lead until ctx ends; begin is called whenever it is won, and then round and rest in turn, until
// rest says that ctx has ended. A round must take less than ten seconds, or the lead is lost.
func (l *leader) run(ctx context.Context, begin func(), round func(context.Context) error, rest func(context.Context) bool) error {
	for ctx.Err() == nil {
		if err := l.lead(ctx, begin, round, rest); err != nil && ctx.Err() == nil {
			l.trouble.Error(l.log, "the work that one process leads in is not done; trying again", err, "work", l.work)
		}
		if !pause(ctx, time.Second) {
			break
		}
	}
	return nil
}

// lead holds one connection while it leads: the lock is gone with it.
func (l *leader) lead(ctx context.Context, begin func(), round func(context.Context) error, rest func(context.Context) bool) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// Closing ends the session and with it the lock, whatever state the connection is in.
		_ = conn.Hijack().Close(context.WithoutCancel(ctx))
	}()
	if _, err := conn.Exec(ctx, sqlLeadBriefly); err != nil {
		return err
	}
	var leading bool
	if err := conn.QueryRow(ctx, sqlLead, l.lock).Scan(&leading); err != nil || !leading {
		return err
	}
	l.metrics.Leads(l.work, true)
	defer l.metrics.Leads(l.work, false)
	begin()
	for {
		if err := conn.Ping(ctx); err != nil {
			return err
		}
		if err := round(ctx); err != nil && ctx.Err() == nil {
			l.trouble.Error(l.log, "a round was cut short", err, "work", l.work)
		} else {
			l.trouble.Fine(l.log)
		}
		if !rest(ctx) {
			return nil
		}
	}
}
