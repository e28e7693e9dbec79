package logs

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestRepeatedLogsOnceWhenItChangesAndEachMinute(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	r := &Repeated{}
	away, full := errors.New("server away"), errors.New("disk full")
	begin := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	r.fine(begin, log)
	for i := range 4 * 61 { // four times a second, for a minute and a second
		r.at(begin.Add(time.Duration(i)*250*time.Millisecond), log, slog.LevelError, "not swept", away, []any{"run", 7})
	}
	r.at(begin.Add(72*time.Second), log, slog.LevelWarn, "not swept", full, nil)
	r.at(begin.Add(73*time.Second), log, slog.LevelWarn, "not swept", away, nil)
	for i := range 20 { // taking turns
		r.at(begin.Add(74*time.Second), log, slog.LevelWarn, "not swept", []error{full, away}[i%2], nil)
	}
	r.fine(begin.Add(75*time.Second), log)
	r.fine(begin.Add(76*time.Second), log)
	r.at(begin.Add(77*time.Second), log, slog.LevelError, "not swept", away, nil)
	want := []string{
		`level=ERROR msg="not swept" run=7 err="server away"`,
		`level=ERROR msg="not swept" run=7 err="server away" similar=239`,
		`level=WARN msg="not swept" err="disk full" similar=3`,
		`level=WARN msg="not swept" err="server away"`,
		`level=INFO msg="the trouble is over" lasted=1m15s similar=20`,
		`level=ERROR msg="not swept" err="server away"`,
	}
	if got := strings.Split(strings.TrimSpace(out.String()), "\n"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
