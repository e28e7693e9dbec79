package queue

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLoggerIsQuiet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	logger := &asynqLogger{log: slog.New(slog.NewTextHandler(&out, nil)), queue: Bulk, now: func() time.Time { return now }}
	logger.Debug("All queues are empty")
	logger.Info("Starting processing")
	logger.Warn("Could not remove task")
	for range 100 {
		logger.Error("Dequeue error: connection refused")
		now = now.Add(100 * time.Millisecond)
	}
	now = now.Add(quiet)
	logger.Error("Dequeue error: connection refused")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[1], "similar=99") || !strings.Contains(lines[1], "connection refused") {
		t.Errorf("logged:\n%s", out.String())
	}
}
