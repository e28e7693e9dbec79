package campaign

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/internal/mark"
)

const testFound = "its write-ahead log ends early"

func (o *office) noticeRestore(t tester) int {
	t.Helper()
	paused, err := o.ledger.NoticeRestore(context.Background(), testFound, noon)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return paused
}

func TestRestorePausesEveryRun(t *testing.T) {
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
	if paused := d.noticeRestore(t); paused != 3 {
		t.Errorf("paused %d runs, want those that were running, settling and pausing", paused)
	}
	for state, run := range runs {
		want := state
		if slices.Contains([]RunState{RunRunning, RunPausing, RunSettling}, state) {
			want = RunPaused
		}
		if got := d.stateOf(t, run); got != want {
			t.Errorf("what was %s is %s, want %s", state, got, want)
		}
		ours := one[string](t, d.office, `SELECT why FROM run WHERE id = $1`, run) != "a person"
		if want := state == RunRunning || state == RunSettling; ours != want {
			t.Errorf("what was %s says why: %v, want %v", state, ours, want)
		}
		fence := one[int64](t, d.office, `SELECT fence FROM batch WHERE run_id = $1`, run)
		if lifted := fence >= restoreFenceStep; lifted == finished(state) {
			t.Errorf("the fence of what was %s is %d", state, fence)
		}
	}
	// Told again, as by a second process, it changes nothing.
	if paused := d.noticeRestore(t); paused != 0 {
		t.Errorf("paused %d more runs", paused)
	}
	resumed, err := d.ResumeAll(t.Context(), "asha", true)
	if err != nil || len(resumed) != 2 {
		t.Errorf("resumed %+v, %v: want those that had been running and settling", resumed, err)
	}
	for state, run := range runs {
		want := state
		switch state {
		case RunPausing:
			want = RunPaused
		case RunSettling:
			want = RunRunning // and settling again with the next step
		}
		if got := d.stateOf(t, run); got != want {
			t.Errorf("after all was resumed what was %s is %s, want %s", state, got, want)
		}
	}
	s := firstStride(lease, 1)
	if _, err := d.office.ledger.OpenFirst(t.Context(), lease, s, testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
		t.Errorf("a lease from before opens a stride: %v", err)
	}
	want := []string{"asha database.resume_all database", "pukar database.restored database"}
	if diff := cmp.Diff(want, d.events(t)); diff != "" {
		t.Errorf("on record (-want +got):\n%s", diff)
	}
}

func TestNothingGoesOnBeforeResumeAll(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	status := d.launch(t, "before")
	d.create(t, "after")
	_, err := d.ResumeAll(ctx, "asha", true)
	wants(t, err, ErrConflict, "no restore is pending")
	d.noticeRestore(t)
	said, err := d.Status(ctx, "before")
	if err != nil || said.State != string(RunPaused) {
		t.Errorf("status %+v, %v", said, err)
	}
	const why = "the database was restored or failed over to older data, noticed at 2026-"
	mend := "then `pukar resume-all --after-restore`"
	wants(t, conflict("%s", said.Why), ErrConflict, why, "message centre's records", mend)
	_, err = d.Resume(ctx, "before", "asha")
	wants(t, err, ErrConflict, why, mend)
	_, err = d.Launch(ctx, "after", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, why, mend)
	_, err = d.Test(ctx, "after", "919800000091", "", "asha")
	wants(t, err, ErrConflict, why, mend)
	_, err = d.ResumeAll(ctx, "asha", false)
	wants(t, err, ErrConflict, why, mend)
	if runs := one[int](t, d.office, `SELECT count(*) FROM run`); runs != 1 || d.stateOf(t, status.RunID) != RunPaused {
		t.Errorf("%d runs, the first is %s", runs, d.stateOf(t, status.RunID))
	}
	resumed, err := d.ResumeAll(ctx, "asha", true)
	if diff := cmp.Diff([]Resumed{{ID: status.RunID, Campaign: "before", Kind: "campaign", Number: 1}}, resumed); err != nil || diff != "" {
		t.Errorf("resumed %v\n%s", err, diff)
	}
	if !slices.Contains(d.hints, status.RunID) {
		t.Error("no hint was asked for")
	}
	if said, err := d.Status(ctx, "before"); err != nil || said.State != string(RunRunning) || said.Why != "" {
		t.Errorf("status %+v, %v", said, err)
	}
	if _, err := d.Launch(ctx, "after", LaunchOptions{Actor: "asha"}); err != nil {
		t.Error(err)
	}
}

// What makes a run run and what pauses everything cannot pass each other by.
func TestRestoreMeetsAResume(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	run := o.newRun(t, terms{recipients: 1, state: RunPaused})
	noticed := make(chan error, 1)
	err := pgx.BeginFunc(ctx, o.db, func(tx pgx.Tx) error {
		if _, err := o.ledger.resume(ctx, tx, run); err != nil {
			return err
		}
		if err := refuseAfterRestore(ctx, tx); err != nil {
			return err
		}
		go func() {
			_, err := o.ledger.NoticeRestore(context.WithoutCancel(ctx), testFound, time.Now())
			noticed <- err
		}()
		eventually(t, "the restore to wait for the resume", func() bool {
			return one[bool](t, o, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'run'::regclass AND NOT granted)`)
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-noticed; err != nil {
		t.Error(err)
	}
	if state := o.stateOf(t, run); state != RunPaused {
		t.Errorf("the run is %s", state)
	}
	if _, err := o.ledger.Claim(ctx, run, 0, "test"); !errors.Is(err, ErrNotLeased) {
		t.Errorf("claimed: %v", err)
	}
}

// Between a failover and the moment in which it is noticed nothing new is begun.
func TestNoClaimUnderAnotherOrigin(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	run := o.newRun(t, terms{recipients: 1})
	origin := one[string](t, o, `SELECT `+mark.OriginSQL)
	o.ledger.SendOnlyUnder(origin + "0")
	if _, err := o.ledger.Claim(ctx, run, 0, "test"); !errors.Is(err, ErrMoved) {
		t.Errorf("claimed: %v", err)
	}
	o.ledger.SendOnlyUnder(origin)
	o.claim(t, run, 0)
}

// A data folder that was put back under a running process is on the same server and timeline; only its log tells.
func TestNoClaimOnALogThatEndsEarlier(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 1})
	var known, later mark.LSN
	if err := known.UnmarshalText([]byte(one[string](t, o, `SELECT `+mark.ReachedSQL))); err != nil {
		t.Fatal(err)
	}
	later = known + 1<<40
	o.ledger.SendOnlyBeyond(func() mark.LSN { return later })
	if _, err := o.ledger.Claim(t.Context(), run, 0, "test"); !errors.Is(err, ErrMoved) {
		t.Errorf("claimed: %v", err)
	}
	later = known
	o.claim(t, run, 0)
}

func TestANewDatabaseWasNotRestored(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if paused := o.noticeRestore(t); paused != 0 {
		t.Errorf("paused %d runs", paused)
	}
	if pending, err := o.ledger.PendingRestoration(t.Context()); err != nil || pending != nil {
		t.Errorf("pending: %+v, %v", pending, err)
	}
}
