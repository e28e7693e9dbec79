package campaign

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func (d *desk) stopAll(t tester) *Stopped {
	t.Helper()
	stopped, err := d.StopAll(context.Background(), "wrong number in the text", "asha")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return stopped
}

func TestStopAllPausesEveryRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	runs := map[RunState]int32{}
	for _, state := range allRunStates {
		runs[state] = d.newRun(t, terms{recipients: 1})
	}
	lease := d.claim(t, runs[RunRunning], 0)
	for state, run := range runs {
		d.exec(t, `UPDATE run SET state = $2, why = 'a person', finished_at = CASE WHEN $3 THEN now() END WHERE id = $1`, run, string(state), finished(state))
	}
	if stopped := d.stopAll(t); stopped.Paused != 2 || stopped.Already || stopped.PausedAt == nil {
		t.Errorf("%+v, want the running and the settling run paused", stopped)
	}
	for state, run := range runs {
		want := state
		switch state {
		case RunRunning:
			want = RunPausing
		case RunSettling:
			want = RunPaused
		}
		if got := d.stateOf(t, run); got != want {
			t.Errorf("what was %s is %s, want %s", state, got, want)
		}
	}
	s := firstStride(lease, 1)
	if _, err := d.office.ledger.OpenFirst(t.Context(), lease, s, testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
		t.Errorf("a lease from before opens a stride: %v", err)
	}
	// Again, by somebody else: the first stays.
	again, err := d.StopAll(t.Context(), "me too", "ravi")
	if err != nil || !again.Already || again.Paused != 0 || again.Actor != "asha" {
		t.Errorf("stopped again: %+v, %v", again, err)
	}
	_, err = d.StopAll(t.Context(), " ", "asha")
	wants(t, err, ErrInvalid, "--reason")
	d.advance(t, runs[RunRunning])
	resumed, err := d.ResumeAll(t.Context(), "ravi", false)
	if err != nil || len(resumed) != 2 {
		t.Errorf("resumed %+v, %v: want those that had been running and settling", resumed, err)
	}
	for state, run := range runs {
		want := state
		if state == RunSettling {
			want = RunRunning // and settling again with the next step
		}
		if got := d.stateOf(t, run); got != want {
			t.Errorf("after all was resumed what was %s is %s, want %s", state, got, want)
		}
	}
	want := []string{"asha everything.stop everything", "ravi everything.resume everything"}
	got := d.events(t)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("on record (-want +got):\n%s", diff)
	}
}

func TestNothingGoesOnWhileEverythingIsStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	status := d.launch(t, "before")
	d.create(t, "after")
	_, err := d.ResumeAll(ctx, "asha", false)
	wants(t, err, ErrConflict, "nothing was stopped")
	d.stopAll(t)
	const why, mend = "everything was stopped by asha at 2026-", "`pukar resume-all`"
	for _, name := range []string{"before", "after"} {
		said, err := d.Status(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, conflict("%s", said.Held), ErrConflict, why, "wrong number in the text", mend)
	}
	_, err = d.Resume(ctx, "before", "asha")
	wants(t, err, ErrConflict, why, mend)
	_, err = d.Launch(ctx, "after", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, why, mend)
	_, err = d.Test(ctx, "after", "919800000091", "", "asha")
	wants(t, err, ErrConflict, why, mend)
	_, err = d.ResumeAll(ctx, "asha", true)
	wants(t, err, ErrConflict, "no restore is pending", why, mend)
	resumed, err := d.ResumeAll(ctx, "asha", false)
	if diff := cmp.Diff([]Resumed{{ID: status.RunID, Campaign: "before", Kind: "campaign", Number: 1}}, resumed); err != nil || diff != "" {
		t.Errorf("resumed %v\n%s", err, diff)
	}
	if said, err := d.Status(ctx, "before"); err != nil || said.State != string(RunRunning) || said.Why != "" || said.Held != "" {
		t.Errorf("status %+v, %v", said, err)
	}
	if _, err := d.Launch(ctx, "after", LaunchOptions{Actor: "asha"}); err != nil {
		t.Error(err)
	}
}

// Each of the two takes away only its own, in either order and whichever came first.
func TestStopAndRestoreTogether(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		stopFirst    bool
		restoreFirst bool // is cleared first
	}{{"stopped, then restored; stop lifted first", true, false}, {"stopped, then restored; restore cleared first", true, true},
		{"restored, then stopped; stop lifted first", false, false}, {"restored, then stopped; restore cleared first", false, true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			status := d.launch(t, "bihar")
			if test.stopFirst {
				d.stopAll(t)
				d.noticeRestore(t)
			} else {
				d.noticeRestore(t)
				d.stopAll(t)
			}
			_, err := d.Resume(t.Context(), "bihar", "asha")
			wants(t, err, ErrConflict, "pukar resume-all --after-restore", "`pukar resume-all`", "both are needed")
			resumed, err := d.ResumeAll(t.Context(), "asha", test.restoreFirst)
			if err != nil || len(resumed) != 0 {
				t.Errorf("resumed %+v, %v while the other is in force", resumed, err)
			}
			d.advance(t, status.RunID)
			if state := d.stateOf(t, status.RunID); state != RunPaused {
				t.Errorf("the run is %s", state)
			}
			held, err := d.Held(t.Context())
			wants(t, errors.Join(err, conflict("%s", held)), ErrConflict, "resume-all")
			if resumed, err = d.ResumeAll(t.Context(), "asha", !test.restoreFirst); err != nil || len(resumed) != 1 {
				t.Errorf("resumed %+v, %v", resumed, err)
			}
			if state := d.stateOf(t, status.RunID); state != RunRunning {
				t.Errorf("the run is %s", state)
			}
		})
	}
}

// A process that hangs in the middle of a transaction holds up the pausing of its run, but not the stop.
func TestAStopWaitsForNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	status := d.launch(t, "bihar")
	ctx := t.Context()
	lease := d.claim(t, status.RunID, 0)
	hung, err := d.db.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hung.Exec(ctx, `SELECT 1 FROM run WHERE id = $1 FOR SHARE`, status.RunID); err != nil {
		t.Fatal(err)
	}
	ended := make(chan *Stopped, 1)
	go func() { ended <- d.stopAll(t) }()
	eventually(t, "the stop to be in force", func() bool { return one[bool](t, d.office, `SELECT `+stopInForce) })
	begun := time.Now()
	if _, err := d.office.ledger.OpenFirst(ctx, lease, firstStride(lease, 1), testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
		t.Errorf("a stride was opened: %v", err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the stop was seen after %v", took)
	}
	if stopped := <-ended; stopped.PausedAt != nil {
		t.Errorf("%+v: the runs cannot have been paused", stopped)
	}
	if err := hung.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		t.Fatal(err)
	}
	if paused, err := d.office.ledger.FinishStop(ctx, noon); err != nil || paused != 1 {
		t.Errorf("the sweeper paused %d runs: %v", paused, err)
	}
	if paused, err := d.office.ledger.FinishStop(ctx, noon); err != nil || paused != 0 {
		t.Errorf("the sweeper paused %d more runs: %v", paused, err)
	}
	if stop, err := d.office.ledger.StopInForce(ctx); err != nil || stop == nil || stop.PausedAt == nil {
		t.Errorf("in force is %+v, %v", stop, err)
	}
}

// The stop is lifted and the restore cleared before what is on the wire has come to its end.
func TestWhatAStopHandsToARestoreGoesOnWithIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	run := d.newRun(t, terms{recipients: 1})
	d.open(t, d.claim(t, run, 0), 1)
	d.stopAll(t)
	d.exec(t, `INSERT INTO restoration (noticed_at, found) VALUES (now(), 'a test')`)
	for _, afterRestore := range []bool{false, true} {
		if d.stateOf(t, run) != RunPausing {
			t.Fatalf("the run is %s", d.stateOf(t, run))
		}
		if _, err := d.ResumeAll(t.Context(), "asha", afterRestore); err != nil {
			t.Fatal(err)
		}
	}
	if state := d.stateOf(t, run); state != RunRunning {
		t.Errorf("after both the run is %s", state)
	}
}

func TestWhatAPersonPausesWhileAllIsStoppedStaysPaused(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]struct {
		begin   func(*desk, *testing.T)
		restore bool
	}{
		"stopped":  {func(d *desk, t *testing.T) { d.stopAll(t) }, false},
		"restored": {func(d *desk, t *testing.T) { d.noticeRestore(t) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			wrong, right := d.launch(t, "wrong"), d.launch(t, "right")
			hold.begin(d, t)
			status, err := d.Pause(t.Context(), "wrong", "ravi", "its Hindi text is wrong")
			if err != nil || status.Why != "its Hindi text is wrong" {
				t.Fatalf("%+v, %v", status, err)
			}
			_, err = d.Pause(t.Context(), "wrong", "ravi", "again")
			wants(t, err, ErrConflict, "cannot be told to pause")
			resumed, err := d.ResumeAll(t.Context(), "asha", hold.restore)
			if err != nil || len(resumed) != 1 || resumed[0].ID != right.RunID {
				t.Errorf("resumed %+v, %v; want run %d alone", resumed, err, right.RunID)
			}
			d.advance(t, wrong.RunID)
			if state := d.stateOf(t, wrong.RunID); state != RunPaused {
				t.Errorf("what a person paused is %s", state)
			}
			if _, err := d.Resume(t.Context(), "wrong", "ravi"); err != nil {
				t.Errorf("resume: %v", err)
			}
		})
	}
}
