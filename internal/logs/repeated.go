// Package logs keeps a log readable while something goes wrong many times a second.
package logs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// again is after how long a trouble that lasts is logged again.
	again = time.Minute
	// flicker is for how long a trouble is not logged again that takes turns with another.
	flicker = 10 * time.Second
	// mostTexts bounds how many troubles are remembered: their texts may hold something that never comes again.
	mostTexts = 64
)

// Repeated logs the trouble of a loop: at once, when it changes, and each minute with how often it came meanwhile. The zero
// value serves one loop, or several that say the same. Its methods may be called by any number of goroutines.
type Repeated struct {
	mu      sync.Mutex
	text    string // of the trouble that was logged last, "" when all is well
	since   time.Time
	logged  map[string]time.Time // when each was logged last
	similar int                  // not logged since the last line
}

// Error logs the trouble at level error, unless the same was logged within the last minute.
func (r *Repeated) Error(log *slog.Logger, message string, err error, args ...any) {
	r.at(time.Now(), log, slog.LevelError, message, err, args)
}

// Warn does the same at level warn.
func (r *Repeated) Warn(log *slog.Logger, message string, err error, args ...any) {
	r.at(time.Now(), log, slog.LevelWarn, message, err, args)
}

func (r *Repeated) at(now time.Time, log *slog.Logger, level slog.Level, message string, err error, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := message + ": " + err.Error()
	quiet := flicker
	if text == r.text {
		quiet = again
	}
	if last, known := r.logged[text]; known && now.Sub(last) < quiet {
		r.similar++
		return
	}
	if r.logged == nil || len(r.logged) >= mostTexts {
		r.logged = make(map[string]time.Time)
	}
	if r.text == "" {
		r.since = now
	}
	args = append(args, "err", err)
	if r.similar > 0 {
		args = append(args, "similar", r.similar)
	}
	log.Log(context.Background(), level, message, args...) //nolint:sloglint // the caller's message is constant
	r.text, r.similar = text, 0
	r.logged[text] = now
}

// Fine says that a round went well, and logs it when one before it did not.
func (r *Repeated) Fine(log *slog.Logger) { r.fine(time.Now(), log) }

func (r *Repeated) fine(now time.Time, log *slog.Logger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == "" {
		return
	}
	log.Info("the trouble is over", "lasted", now.Sub(r.since).Round(time.Millisecond).String(), "similar", r.similar)
	r.text, r.similar, r.logged = "", 0, nil
}
