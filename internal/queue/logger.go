package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// quiet is how long the same kind of complaint is kept to itself after one was logged.
const quiet = 30 * time.Second

// asynqLogger gives asynq's lines to slog. asynq complains of every task that Redis lost and, while Redis is away, several times a second:
// a lost hint is nothing here, and of the rest one line in a while is enough.
type asynqLogger struct {
	log   *slog.Logger
	queue string
	now   func() time.Time

	mu      sync.Mutex
	until   time.Time // nothing is logged before
	dropped int       // since the last line
}

// Debug drops asynq's running commentary.
func (l *asynqLogger) Debug(...any) {}

// Info logs at debug: asynq announces its own parts.
func (l *asynqLogger) Info(args ...any) { l.debug(args) }

// Warn logs at debug: asynq warns of tasks that ran out of time or were lost, which the ledger sees by itself.
func (l *asynqLogger) Warn(args ...any) { l.debug(args) }

// Error logs at warn, one line in a while: what asynq calls an error is an exchange with Redis that went wrong and will be tried again.
func (l *asynqLogger) Error(args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Before(l.until) {
		l.dropped++
		return
	}
	l.log.Warn("queue is in trouble", "queue", l.queue, "err", fmt.Sprint(args...), "similar", l.dropped)
	l.until, l.dropped = now.Add(quiet), 0
}

// Fatal logs like Error. asynq exits after it only in its own main programs.
func (l *asynqLogger) Fatal(args ...any) { l.Error(args...) }

func (l *asynqLogger) debug(args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprint(args...), "queue", l.queue)
	}
}
