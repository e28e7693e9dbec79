package chaos

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"pukar/internal/pgdb"
)

func (h *harness) emptyRedis(ctx context.Context) (string, error) {
	options, err := redis.ParseURL(h.servers.redis.RedisURL)
	if err != nil {
		return "", err
	}
	client := redis.NewClient(options)
	defer client.Close()
	return "FLUSHALL", client.FlushAll(ctx).Err()
}

func (h *harness) killRedis(ctx context.Context) (string, error) {
	if err := h.servers.signalRedis(syscall.SIGKILL); err != nil {
		return "", err
	}
	return "kill -9; it is started again", pause(ctx, time.Second)
}

func (h *harness) stopRedis(ctx context.Context) (string, error) {
	if err := h.servers.stopRedis(ctx); err != nil {
		return "", err
	}
	away := h.between(500*time.Millisecond, 4*time.Second)
	return "for " + round(away).String(), errors.Join(pause(ctx, away), h.servers.startRedis(ctx))
}

func (h *harness) stopPostgres(ctx context.Context) (string, error) {
	if err := h.servers.stopPostgres(ctx, 20*time.Second); err != nil {
		return "", err
	}
	away := h.between(0, 4*time.Second)
	if err := errors.Join(pause(ctx, away), h.servers.startPostgres(ctx)); err != nil {
		return "", err
	}
	return "fast shutdown, away for " + round(away).String(), h.awaitPostgres(ctx)
}

func (h *harness) restartPostgres(ctx context.Context) (string, error) {
	if err := h.servers.signalPostgres(syscall.SIGQUIT); err != nil {
		return "", err
	}
	return "immediate shutdown; it recovers", h.awaitNewPostgres(ctx)
}

func (h *harness) killPostgres(ctx context.Context) (string, error) {
	if err := h.servers.signalPostgres(syscall.SIGKILL); err != nil {
		return "", err
	}
	return "kill -9 of its head; it recovers", h.awaitNewPostgres(ctx)
}

// killBoth takes with the server whatever the process would have told it.
func (h *harness) killBoth(ctx context.Context) (string, error) {
	if err := h.servers.signalPostgres(syscall.SIGKILL); err != nil {
		return "", err
	}
	p := h.some(h.workers())
	return "kill -9 of both, " + p.name, errors.Join(h.bury(ctx, time.Second, p), h.awaitNewPostgres(ctx))
}

// awaitNewPostgres gives the old server time to be gone.
func (h *harness) awaitNewPostgres(ctx context.Context) error {
	return errors.Join(pause(ctx, 500*time.Millisecond), h.awaitPostgres(ctx))
}

// try does something with the database, again and again while that is away.
func (h *harness) try(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 90*time.Second, errors.New("PostgreSQL was away for 90 seconds"))
	defer cancel()
	for {
		err := do()
		if err == nil || !pgdb.Retryable(err) {
			return err
		}
		if late := pause(ctx, 200*time.Millisecond); late != nil {
			return fmt.Errorf("%w: %w", late, err)
		}
	}
}

func (h *harness) awaitPostgres(ctx context.Context) error {
	return h.try(ctx, func() error { _, err := h.pool.Exec(ctx, "SELECT 1"); return err })
}

const sqlTerminate = `
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))
FROM pg_stat_activity
WHERE datname = 'pukar' AND pid <> pg_backend_pid() AND random() < $1`

// terminateBackends ends sessions in whatever they are, commits included.
func (h *harness) terminateBackends(ctx context.Context) (string, error) {
	share := 0.3 + 0.7*h.random.Float64()
	var n int
	err := h.try(ctx, func() error { return h.pool.QueryRow(ctx, sqlTerminate, share).Scan(&n) })
	return fmt.Sprintf("%d sessions", n), err
}

func (h *harness) cutBeforeCommit(ctx context.Context) (string, error) {
	n := 1 + h.random.Int64N(20)
	h.line.before.Store(n)
	return fmt.Sprintf("up to %d times", n), h.cutting(ctx)
}

func (h *harness) cutAfterCommit(ctx context.Context) (string, error) {
	n := 1 + h.random.Int64N(20)
	h.line.after.Store(n)
	return fmt.Sprintf("up to %d times", n), h.cutting(ctx)
}

// cutting waits until the commits are cut, or a little.
func (h *harness) cutting(ctx context.Context) error {
	defer h.line.mend()
	for range 30 {
		if h.line.before.Load() == 0 && h.line.after.Load() == 0 {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (h *harness) cutLine(ctx context.Context) (string, error) {
	away := h.between(100*time.Millisecond, 4*time.Second)
	h.line.cut()
	defer h.line.mend()
	return "for " + round(away).String(), pause(ctx, away)
}

// A server that writes into what it had before needs no room for a while. This has it need some.
const sqlNextSegment = `SELECT pg_logical_emit_message(true, 'chaos', 'full'), pg_switch_wal()`

// fillDisk leaves PostgreSQL no room, neither for its log nor for its tables, until it has met that, and then for a while.
func (h *harness) fillDisk(ctx context.Context) (string, error) {
	head, err := h.servers.postmaster()
	if err != nil {
		return "", err
	}
	said, err := h.servers.complaints(0)
	if err != nil {
		return "", err
	}
	if err := h.servers.disk.fill(head); err != nil {
		return "", err
	}
	begun := time.Now()
	met := false
	for !met && time.Since(begun) < 8*time.Second && err == nil {
		err = pause(ctx, 100*time.Millisecond)
		if time.Since(begun) > 3*time.Second {
			_, _ = h.pool.Exec(ctx, sqlNextSegment) // the disk of its log may have been full before: then it is away
		}
		now, lookErr := h.servers.complaints(said)
		met, err = now > 0, errors.Join(err, lookErr)
	}
	err = errors.Join(err, pause(ctx, h.between(500*time.Millisecond, 3*time.Second)))
	if now, there := h.servers.postmaster(); there == nil {
		head = now
	}
	if err := errors.Join(err, h.servers.disk.clear(head)); err != nil {
		return "", err
	}
	what := "not met"
	if met {
		what = "met"
	}
	return fmt.Sprintf("for %s, %s: %s", round(time.Since(begun)), what, h.servers.disk.how()), h.awaitPostgres(ctx)
}
