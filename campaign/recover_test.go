package campaign

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecover(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()

	t.Run("not before its time", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		o.open(t, o.claim(t, run, 0), 1)
		o.exec(t, `UPDATE stride SET send_by = now() - $2::interval WHERE run_id = $1`, run, testResponseTimeout+time.Second)
		if unknown := o.recover(t); unknown != 0 {
			t.Error("the holder was not left the time to record what it knows")
		}
		o.exec(t, `UPDATE stride SET send_by = now() - $2::interval WHERE run_id = $1`, run, testResponseTimeout+3*time.Second)
		if unknown := o.recover(t); unknown != 0 {
			t.Error("a holder that renews its lease was not left to record what it knows")
		}
		o.exec(t, `UPDATE batch SET lease_until = now() - interval '1 second' WHERE run_id = $1`, run)
		if unknown := o.recover(t); unknown != 1 {
			t.Errorf("%d parts became unknown, want 1", unknown)
		}
		if unknown := o.recover(t); unknown != 0 {
			t.Errorf("%d parts became unknown a second time", unknown)
		}
		o.wantStates(t, run, Unknown)
	})

	t.Run("who was left out stays out", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 5})
		lease := o.claim(t, run, 0)
		o.stop(t, 2)
		s := firstStride(lease, 1, 1, 0, 3, 1)
		if _, err := o.ledger.OpenFirst(ctx, lease, s, testPurpose, []Skip{{Seq: 3, Reason: "render"}}, 0); err != nil {
			t.Fatal(err)
		}
		o.ageStrides(t, run)
		if unknown := o.recover(t); unknown != 5 {
			t.Errorf("%d parts became unknown, want 5", unknown)
		}
		o.wantStates(t, run, Unknown, Suppressed, Skipped, Unknown, Unknown)
		lines := one[int](t, o, `SELECT count(*) FROM submission WHERE run_id = $1 AND result = 'unknown' AND seq IN (1, 4, 5)`, run)
		if all := one[int](t, o, `SELECT count(*) FROM submission WHERE run_id = $1`, run); all != 5 || lines != 5 {
			t.Errorf("%d submissions, %d of them unknown and of 1, 4 and 5; want 5", all, lines)
		}
		o.exec(t, `UPDATE suppression SET lifted_at = now(), lifted_by = 'test'`)
	})

	t.Run("a redo", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 2, 2)
		results := resultsOf(s, Accepted)
		results[1], results[3] = withResult(s, results[1], Throttled), withResult(s, results[3], Throttled)
		o.record(t, s, results)
		o.ageRedo(t, run)
		redo := redoStride(lease, o.due(t, lease)[:1], 2)
		if _, err := o.ledger.OpenRedo(ctx, lease, redo, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		o.ageStrides(t, run)
		if unknown := o.recover(t); unknown != 1 {
			t.Errorf("%d parts became unknown, want 1", unknown)
		}
		o.wantStates(t, run, Unknown, Pending)
		facts := o.facts(t, run)[0]
		if want := (Facts{Parts: 2, Accepted: Part(1), Unknown: Part(2)}); facts != want {
			t.Errorf("facts are %+v, want %+v", facts, want)
		}
	})

	t.Run("sent again where the campaign asks for it", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2, onUnknown: "resend"})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 2)
		if err := o.ledger.Release(ctx, lease, 0); err != nil {
			t.Fatal(err)
		}
		o.ageStrides(t, run)
		at := time.Now()
		if unknown := o.recover(t); unknown != 3 {
			t.Errorf("%d parts became unknown, want 3", unknown)
		}
		o.wantStates(t, run, Pending, Pending)
		want := []waiting{{1, 1, "", 1, 5 * time.Second}, {2, 1, "main-1", 1, 5 * time.Second}, {2, 2, "main-1", 1, 5 * time.Second}}
		if diff := cmp.Diff(want, o.redo(t, run, at)); diff != "" {
			t.Error(diff)
		}
		// A single part may take any bind, however often it was lost.
		o.ageRedo(t, run)
		lease = o.claim(t, run, 0)
		redo := redoStride(lease, o.due(t, lease)[:1], 1)
		if _, err := o.ledger.OpenRedo(ctx, lease, redo, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		o.ageStrides(t, run)
		o.recover(t)
		if got := o.redo(t, run, time.Now())[0]; got.Bind != "" || got.Tries != 2 {
			t.Errorf("it waits for bind %q with %d tries, want any bind and 2", got.Bind, got.Tries)
		}
		// What the centre had all along is not sent again.
		o.record(t, s, resultsOf(s, Accepted))
		o.wantStates(t, run, Sent, Sent)
		if left := o.redo(t, run, time.Now()); len(left) != 0 {
			t.Errorf("%+v is to be sent although it was accepted", left)
		}
	})

	t.Run("what came meanwhile corrects it", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1, 1)
		o.ageStrides(t, run)
		o.recover(t)
		o.wantStates(t, run, Unknown, Unknown, Unknown)
		if err := o.ledger.Late(ctx, s, withResult(s, PartResult{Seq: 1, Part: 1, Parts: 1}, Accepted)); err != nil {
			t.Fatal(err)
		}
		named := receiptFor("elsewhere", 2, "delivered")
		named.Run, named.Seq, named.Part = run, 2, 1
		o.receive(t, time.Now(), named)
		o.settle(t)
		o.wantStates(t, run, Sent, Delivered, Unknown)
	})

	t.Run("a batch that is done is opened for what is sent again", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1, onUnknown: "resend"})
		o.open(t, o.claim(t, run, 0), 1)
		o.exec(t, `UPDATE batch SET state = 'done' WHERE run_id = $1`, run)
		o.ageStrides(t, run)
		o.recover(t)
		if state := one[string](t, o, `SELECT state FROM batch WHERE run_id = $1`, run); state != "ready" {
			t.Error("nobody will come for what is to be sent again")
		}
	})
}

func TestRecoverersAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var runs []int32
	const strides, recipients = 30, 3
	for range 3 {
		run := o.newRun(t, terms{recipients: strides * recipients})
		lease := o.claim(t, run, 0)
		for range strides {
			o.open(t, lease, 1, 1, 1)
		}
		o.ageStrides(t, run)
		runs = append(runs, run)
	}
	var unknown atomic.Int64
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() { unknown.Add(int64(o.recover(t))) })
	}
	working.Wait()
	if unknown.Load() != 3*strides*recipients {
		t.Errorf("%d parts became unknown, want %d", unknown.Load(), 3*strides*recipients)
	}
	for _, run := range runs {
		o.wantStates(t, run, slices.Repeat([]State{Unknown}, strides*recipients)...)
		if lines := one[int](t, o, `SELECT count(*) FROM submission WHERE run_id = $1`, run); lines != strides*recipients {
			t.Errorf("run %d has %d submissions, want %d", run, lines, strides*recipients)
		}
	}
}
