package testenv

import (
	"log/slog"
	"testing"
	"time"
)

// eventuallyPoll is how often Eventually asks.
const eventuallyPoll = 5 * time.Millisecond

// Eventually waits until ok holds and fails the test, naming what it waited for, when that takes longer than within.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(eventuallyPoll)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			if ok() {
				return
			}
			t.Fatalf("waited %s in vain: %s", within, what)
		}
	}
}

// Logger writes to the test's output, which is shown when the test fails.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
