package campaign

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEndsAt(t *testing.T) {
	t.Parallel()
	h := shipped(t)
	tests := []struct {
		name   string
		window Window
		from   string
		want   string // "" for never
	}{
		{"within the window", CourtesyWindow(), "2026-11-23 11:00:00", "2026-11-23 19:00:00"},
		{"before it opens", CourtesyWindow(), "2026-11-23 03:00:00", "2026-11-23 19:00:00"},
		{"its last second", CourtesyWindow(), "2026-11-23 18:59:59", "2026-11-23 19:00:00"},
		{"after it closed", CourtesyWindow(), "2026-11-23 19:00:00", "2026-11-24 19:00:00"},
		{"before a Sunday", CourtesyWindow(), "2026-11-28 19:00:00", "2026-11-30 19:00:00"},
		{"on a holiday", keeping(CourtesyWindow(), "national", h), "2026-11-24 12:00:00", "2026-11-25 19:00:00"},
		{"whole days join", wholeDays("sat,sun"), "2026-11-28 12:00:00", "2026-11-30 00:00:00"},
		{"it never closes", AlwaysWindow(), "2026-11-23 11:00:00", ""},
		{"it never opens", Window{}, "2026-11-23 11:00:00", ""},
		{"nobody knows whether it opens", keeping(CourtesyWindow(), "national", h), "2028-06-01 11:00:00", ""},
		{"a drain changes nothing", CourtesyWindow().Draining(30 * time.Minute), "2026-11-23 18:45:00", "2026-11-23 19:00:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := EndsAt(test.window, ist(test.from))
			if ok != (test.want != "") || ok && !got.Equal(ist(test.want)) {
				t.Errorf("ends %s (%v), want %s", got.In(India), ok, test.want)
			}
		})
	}
}

func TestARunEndsWithItsWindow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "", "", "", "")
	ctx := t.Context()
	d.launch(t, "goes-on") // continue is the default
	status := d.launch(t, "ends")
	run := status.RunID
	d.exec(t, `UPDATE run SET spec = spec || '{"unfinished": "end"}' WHERE id = $1`, run)
	ending := func() (ids []int32) {
		t.Helper()
		runs, err := d.office.ledger.EndingRuns(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := ending(); !slices.Equal(got, []int32{run}) {
		t.Fatalf("runs %v are to end with their window, want %d alone", got, run)
	}
	lease := d.claim(t, run, 0)
	d.send(t, lease, 1)
	open := d.open(t, lease, 1)
	closed := ist("2026-11-23 19:00:00")
	if ended, err := d.office.ledger.End(ctx, run, closed); err != nil || !ended {
		t.Fatalf("ended %v, %v", ended, err)
	}
	if ended, err := d.office.ledger.End(ctx, run, closed); err != nil || ended {
		t.Errorf("it ended once more: %v, %v", ended, err)
	}
	if got := ending(); len(got) != 0 {
		t.Errorf("runs %v are still to end", got)
	}
	if _, err := d.office.ledger.OpenFirst(ctx, lease, firstStride(lease, 1), testPurpose, nil, 0); err == nil {
		t.Error("a stride was opened after the end")
	}
	// What is on the wire is awaited; what certainly was not sent is not sent again.
	if got := d.advance(t, run); got != RunEnding {
		t.Errorf("it is %s with a stride on the wire", got)
	}
	if err := d.office.ledger.Record(ctx, open, resultsOf(open, NotSent), RedoRule{OnUnknown: "hold"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.advance(t, run)
	}
	after, err := d.RunStatus(ctx, "ends", "campaign", 1)
	if err != nil {
		t.Fatal(err)
	}
	if after.State != "settling" || after.Totals.Sent != 1 || after.Totals.Pending != 0 || after.Totals.Skipped != 4 {
		t.Errorf("it is %s with %+v", after.State, after.Totals)
	}
	if !strings.Contains(after.Why, "2026-11-23T19:00:00+05:30") || !strings.Contains(after.Why, "unfinished: end") {
		t.Errorf("why: %q", after.Why)
	}
	if n := one[int](t, d.office, `SELECT count(*)::int FROM skip WHERE run_id = $1 AND reason = 'window'`, run); n != 4 {
		t.Errorf("%d are skipped for the window", n)
	}
	if n := one[int](t, d.office, `SELECT count(*)::int FROM redo WHERE run_id = $1`, run); n != 0 {
		t.Errorf("%d parts wait to be sent again", n)
	}
	d.exec(t, `UPDATE run SET receipts = false WHERE id = $1`, run)
	if got := d.advance(t, run); got != RunDone {
		t.Errorf("it is %s in the end", got)
	}
	if !slices.Contains(d.events(t), "pukar campaign.end ends") {
		t.Errorf("on record are %q", d.events(t))
	}
}

func TestPausedRunsEndToo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, state := range []RunState{RunRunning, RunPausing, RunPaused} {
		run := o.newRun(t, terms{recipients: 3, state: state})
		o.exec(t, `UPDATE run SET spec = '{"unfinished": "end"}' WHERE id = $1`, run)
		if ended, err := o.ledger.End(t.Context(), run, noon); err != nil || !ended {
			t.Fatalf("%s: ended %v, %v", state, ended, err)
		}
		for range 3 {
			o.advance(t, run)
		}
		if got := o.stateOf(t, run); got != RunDone {
			t.Errorf("a run that was %s is %s", state, got)
		}
	}
	// While a restore is not cleared nobody decides but the person who looks into it.
	run := o.newRun(t, terms{recipients: 3})
	o.exec(t, `UPDATE run SET spec = '{"unfinished": "end"}' WHERE id = $1`, run)
	if _, err := o.ledger.NoticeRestore(t.Context(), "a test", time.Now()); err != nil {
		t.Fatal(err)
	}
	if runs, err := o.ledger.EndingRuns(t.Context()); err != nil || len(runs) != 0 {
		t.Errorf("runs %v end after a restore, %v", runs, err)
	}
}
