package campaign

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestOldTestsAreCancelled(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	d.create(t, "tried")
	now := time.Now()
	var tests []int32
	for range 5 {
		status, err := d.Test(ctx, "tried", "919800000091", "", "asha")
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, status.RunID)
	}
	waits, paused, young, left, over := tests[0], tests[1], tests[2], tests[3], tests[4]
	d.exec(t, `UPDATE run SET started_at = $1`, now.Add(-testTime-time.Second))
	d.exec(t, `UPDATE run SET started_at = $2 WHERE id = $1`, young, now.Add(-testTime+time.Second))
	d.exec(t, `UPDATE run SET state = 'paused' WHERE id = $1`, paused)
	d.exec(t, `UPDATE run SET state = 'settling' WHERE id = $1`, left)
	d.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE id = $1`, over)
	campaign := d.launch(t, "old")
	d.exec(t, `UPDATE run SET started_at = $2 WHERE id = $1`, campaign.RunID, now.Add(-time.Hour))
	lease := d.claim(t, waits, 0)

	if n, err := d.office.ledger.CancelOldTests(ctx, now); err != nil || n != 2 {
		t.Errorf("%d tests were cancelled (%v), want 2", n, err)
	}
	if n, err := d.office.ledger.CancelOldTests(ctx, now); err != nil || n != 0 {
		t.Errorf("%d tests were cancelled once more (%v)", n, err)
	}
	for run, want := range map[int32]RunState{
		waits: RunCancelling, paused: RunCancelling, young: RunRunning, left: RunSettling, over: RunDone, campaign.RunID: RunRunning,
	} {
		if state := d.stateOf(t, run); state != want {
			t.Errorf("run %d is %s, want %s", run, state, want)
		}
	}
	if _, err := d.office.ledger.OpenFirst(ctx, lease, firstStride(lease, 1), testPurpose, nil, 0); err == nil {
		t.Error("a cancelled test was still sent")
	}
	for range 3 {
		d.advance(t, waits)
	}
	status, err := d.RunStatus(ctx, "tried", "test", 1)
	wantWhy := "a test ends after 10m0s: it could not leave by route main, or its window was closed; test again when `pukar route list` shows the route bound"
	if err != nil || status.State != "cancelled" || status.Why != wantWhy || status.Totals != (Totals{Skipped: 1}) {
		t.Errorf("%+v, %v", status, err)
	}
	var cancels []string
	for _, e := range d.events(t) {
		if e == "pukar campaign.test.cancel tried" {
			cancels = append(cancels, e)
		}
	}
	if len(cancels) != 2 {
		t.Errorf("on record are %q", d.events(t))
	}
}

func TestReceiptsOfCancelledRunsExpire(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	now := time.Now()
	run := o.newRun(t, terms{recipients: 3, wait: time.Hour})
	o.send(t, o.claim(t, run, 0), 2)
	o.move(t, run, RunCancelling)
	for range 3 {
		o.advance(t, run)
	}
	o.wantStates(t, run, Sent, Sent, Skipped)
	silent := o.newRun(t, terms{recipients: 1, noReceipts: true})
	done := o.newRun(t, terms{recipients: 1})
	o.exec(t, `UPDATE run SET state = 'cancelled', finished_at = now() WHERE id = $1`, silent)
	o.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE id = $1`, done)
	o.newRun(t, terms{recipients: 1}) // is still running
	for _, step := range []struct {
		after  time.Duration
		listed bool
		marked int
	}{{0, true, 0}, {59 * time.Minute, true, 0}, {61 * time.Minute, true, 2}, {24 * time.Hour, true, 0}, {26 * time.Hour, false, 0}} {
		at := now.Add(step.after)
		runs, err := o.ledger.AwaitingRuns(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		var want []OpenRun
		if step.listed {
			want = []OpenRun{{ID: run, State: RunCancelled, Priority: "normal", Receipts: true, Wait: time.Hour}}
		}
		if diff := cmp.Diff(want, runs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %s: %s", step.after, diff)
		}
		marked := 0
		for _, r := range runs {
			n, err := o.ledger.ExpireReceipts(t.Context(), r, at)
			if err != nil {
				t.Fatal(err)
			}
			marked += n
		}
		if marked != step.marked {
			t.Errorf("after %s %d were marked, want %d", step.after, marked, step.marked)
		}
	}
	o.wantStates(t, run, NoReceipt, NoReceipt, Skipped)
	o.receive(t, now, receiptFor(idOf(run, 1, 1), 1, "delivered")) // counts all the same
	o.settle(t)
	o.wantStates(t, run, Delivered, NoReceipt, Skipped)
}
