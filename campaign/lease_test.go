package campaign

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestLease(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()

	t.Run("claim, renew and release", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 25, batch: 10})
		lease := o.claim(t, run, 2)
		if want := (Lease{Run: run, Batch: 2, Lo: 21, Hi: 25, SentUpto: 20, Fence: 1}); *lease != want {
			t.Errorf("got %+v, want %+v", *lease, want)
		}
		if _, err := o.ledger.Claim(ctx, run, 2, "other"); !errors.Is(err, ErrNotLeased) {
			t.Errorf("a leased batch was claimed: %v", err)
		}
		o.exec(t, `UPDATE batch SET lease_until = now() + interval '1 second' WHERE run_id = $1 AND no = 2`, run)
		if err := o.ledger.Renew(ctx, lease); err != nil {
			t.Error(err)
		}
		left := one[time.Duration](t, o, `SELECT lease_until - now() FROM batch WHERE run_id = $1 AND no = 2`, run)
		if left < LeaseTime-5*time.Second || left > LeaseTime {
			t.Errorf("a renewed lease has %s left, want %s", left, LeaseTime)
		}
		if err := o.ledger.Release(ctx, lease, 0); err != nil {
			t.Error(err)
		}
		if again := o.claim(t, run, 2); again.Fence != 2 {
			t.Errorf("the fence after a release is %d, want 2", again.Fence)
		}
	})

	t.Run("what runs out goes to the next, and the old holder can do nothing more", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 10})
		old := o.claim(t, run, 0)
		o.ageLeases(t, run)
		next := o.claim(t, run, 0)
		if next.Fence <= old.Fence {
			t.Errorf("the fence went from %d to %d", old.Fence, next.Fence)
		}
		if err := o.ledger.Renew(ctx, old); !errors.Is(err, ErrFenced) {
			t.Errorf("the old holder renewed: %v", err)
		}
		if err := o.ledger.Release(ctx, old, 0); err != nil {
			t.Errorf("losing a lease is no error: %v", err)
		}
		if err := o.ledger.Renew(ctx, next); err != nil {
			t.Errorf("the old holder's release took the lease of the new one: %v", err)
		}
	})

	t.Run("no batch of a run that does not run", func(t *testing.T) {
		for _, state := range []RunState{RunPausing, RunPaused, RunSettling, RunCancelling} {
			run := o.newRun(t, terms{recipients: 10, state: state})
			if _, err := o.ledger.Claim(ctx, run, 0, "test"); !errors.Is(err, ErrNotLeased) {
				t.Errorf("a batch of a run that is %s was claimed: %v", state, err)
			}
		}
	})

	t.Run("no batch that is done or not there", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		if _, err := o.ledger.Claim(ctx, run, 7, "test"); !errors.Is(err, ErrNotLeased) {
			t.Errorf("a batch that is not there was claimed: %v", err)
		}
		if _, err := o.ledger.Claim(ctx, 999_999, 0, "test"); !errors.Is(err, ErrNotLeased) {
			t.Errorf("a batch of no run was claimed: %v", err)
		}
		lease := o.claim(t, run, 0)
		o.send(t, lease, 1)
		if err := o.ledger.Release(ctx, lease, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ledger.Claim(ctx, run, 0, "test"); !errors.Is(err, ErrNotLeased) {
			t.Errorf("a batch that is done was claimed: %v", err)
		}
	})

	t.Run("release says when a batch is done", func(t *testing.T) {
		state := func(run int32) string {
			return one[string](t, o, `SELECT state FROM batch WHERE run_id = $1 AND no = 0`, run)
		}
		release := func(lease *Lease) {
			t.Helper()
			if err := o.ledger.Release(ctx, lease, 0); err != nil {
				t.Fatal(err)
			}
		}
		run := o.newRun(t, terms{recipients: 2})
		lease := o.claim(t, run, 0)
		o.send(t, lease, 1)
		release(lease)
		if state(run) != "ready" {
			t.Error("a batch with recipients left is done")
		}
		lease = o.claim(t, run, 0)
		last := o.open(t, lease, 1)
		release(lease)
		if state(run) != "ready" {
			t.Error("a batch with a stride on the wire is done")
		}
		lease = o.claim(t, run, 0)
		o.record(t, last, resultsOf(last, Throttled))
		release(lease)
		if state(run) != "ready" {
			t.Error("a batch with something to be redone is done")
		}
		lease = o.claim(t, run, 0)
		o.ageRedo(t, run)
		redo := o.openRedo(t, lease, 1)
		o.record(t, redo, resultsOf(redo, Accepted))
		release(lease)
		if state(run) != "done" {
			t.Error("a batch without anything left is not done")
		}
	})
}

func TestTwoClaimersAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 50, batch: 10})
	const claimers = 8
	var won [5]int
	var mu sync.Mutex
	var working sync.WaitGroup
	for range claimers {
		working.Go(func() {
			for batch := range int32(5) {
				_, err := o.ledger.Claim(context.Background(), run, batch, "test")
				switch {
				case err == nil:
					mu.Lock()
					won[batch]++
					mu.Unlock()
				case !errors.Is(err, ErrNotLeased):
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	if won != [5]int{1, 1, 1, 1, 1} {
		t.Errorf("the batches were claimed %v times, want once each", won)
	}
}

// TestPauseAgainstClaim holds a pause and claims against each other: whoever claims after the pause has
// committed gets nothing, and whoever claimed before has lost his fence.
func TestPauseAgainstClaim(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for range 10 {
		run := o.newRun(t, terms{recipients: 4, batch: 1})
		var working sync.WaitGroup
		leases := make([]*Lease, 4)
		for i := range leases {
			working.Go(func() {
				lease, err := o.ledger.Claim(context.Background(), run, int32(i), "test")
				if err != nil && !errors.Is(err, ErrNotLeased) {
					t.Error(err)
				}
				leases[i] = lease
			})
		}
		working.Go(func() { o.move(t, run, RunPausing) })
		working.Wait()
		for _, lease := range leases {
			if lease == nil {
				continue
			}
			if _, err := o.ledger.OpenFirst(t.Context(), lease, firstStride(lease, 1), testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
				t.Errorf("a stride was opened in a paused run: %v", err)
			}
		}
	}
}

func TestNextHints(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	next := func(t *testing.T, run int32) []Hint {
		t.Helper()
		hints, err := o.ledger.NextHints(ctx, run)
		if err != nil {
			t.Fatal(err)
		}
		return hints
	}
	batches := func(hints []Hint) (nos []int32) {
		for _, h := range hints {
			nos = append(nos, h.Batch)
		}
		return nos
	}

	t.Run("at most four are out", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 60, batch: 10})
		first := next(t, run)
		if len(first) != HintsPerRun {
			t.Fatalf("%d hints, want %d", len(first), HintsPerRun)
		}
		if more := next(t, run); len(more) != 0 {
			t.Errorf("%v were hinted beside %v", more, first)
		}
		lease := o.claim(t, run, first[0].Batch) // leased is out too
		if more := next(t, run); len(more) != 0 {
			t.Errorf("%v were hinted beside a lease", more)
		}
		if err := o.ledger.Release(ctx, lease, 0); err != nil {
			t.Fatal(err)
		}
		if more := next(t, run); len(more) != 1 {
			t.Errorf("a release made room for %d hints, want 1", len(more))
		}
	})

	t.Run("what nobody took is hinted again after half a minute", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 20, batch: 10})
		next(t, run)
		o.exec(t, `UPDATE batch SET hinted_at = hinted_at - interval '29 seconds' WHERE run_id = $1`, run)
		if again := next(t, run); len(again) != 0 {
			t.Errorf("%v were hinted twice within 30 s", again)
		}
		o.exec(t, `UPDATE batch SET hinted_at = hinted_at - interval '1 second' WHERE run_id = $1`, run)
		again := next(t, run)
		if len(again) != 2 || again[0].No != 2 {
			t.Errorf("after 30 s the hints are %v, want both batches with number 2", again)
		}
	})

	t.Run("a lease that ran out is hinted at once", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 10})
		next(t, run)
		o.claim(t, run, 0)
		if hints := next(t, run); len(hints) != 0 {
			t.Errorf("a leased batch was hinted: %v", hints)
		}
		o.ageLeases(t, run)
		if hints := next(t, run); len(hints) != 1 || hints[0].No != 2 {
			t.Errorf("a lease that ran out is hinted as %v", hints)
		}
		o.claim(t, run, 0)
	})

	t.Run("a hint that was not handed out is taken back", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 10})
		hints := next(t, run)
		stale := Hint{Batch: 0, No: hints[0].No - 1}
		if err := o.ledger.Unhint(ctx, run, stale); err != nil {
			t.Fatal(err)
		}
		if again := next(t, run); len(again) != 0 {
			t.Error("an old hint took the new one back")
		}
		if err := o.ledger.Unhint(ctx, run, hints[0]); err != nil {
			t.Fatal(err)
		}
		if again := next(t, run); len(again) != 1 {
			t.Error("a hint that was taken back is not given again")
		}
	})

	t.Run("only where there is work", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2, batch: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1)
		o.record(t, s, resultsOf(s, Throttled))
		if err := o.ledger.Release(ctx, lease, 0); err != nil {
			t.Fatal(err)
		}
		if hints := next(t, run); len(hints) != 1 || hints[0].Batch != 1 {
			t.Errorf("hinted %v, want only batch 1: what batch 0 has to redo is not due", batches(hints))
		}
		o.ageRedo(t, run)
		if hints := next(t, run); len(hints) != 1 || hints[0].Batch != 0 {
			t.Errorf("hinted %v, want batch 0: its redo is due", batches(hints))
		}
	})

	t.Run("only a run that runs", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 10, state: RunPaused})
		if hints := next(t, run); len(hints) != 0 {
			t.Errorf("a paused run was hinted: %v", hints)
		}
	})

	t.Run("many asking at once", func(t *testing.T) {
		for range 5 {
			run := o.newRun(t, terms{recipients: 40, batch: 1})
			var mu sync.Mutex
			var out []Hint
			var asking sync.WaitGroup
			for range 6 {
				asking.Go(func() {
					hints, err := o.ledger.NextHints(ctx, run)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					out = append(out, hints...)
				})
			}
			asking.Wait()
			if len(out) > HintsPerRun {
				t.Fatalf("%d hints are out, want at most %d", len(out), HintsPerRun)
			}
		}
	})
}
