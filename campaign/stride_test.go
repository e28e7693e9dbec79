package campaign

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
)

// written counts what strides leave behind in a run.
func (o *office) written(t tester, run int32) (strides, skips, redo int) {
	t.Helper()
	strides = one[int](t, o, `SELECT count(*) FROM stride WHERE run_id = $1`, run)
	skips = one[int](t, o, `SELECT count(*) FROM skip WHERE run_id = $1`, run)
	redo = one[int](t, o, `SELECT count(*) FROM redo WHERE run_id = $1`, run)
	return strides, skips, redo
}

func TestOpenFirst(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 6})
	lease := o.claim(t, run, 0)
	s := firstStride(lease, 1, 2, 0)
	begun := time.Now()
	stopped, err := o.ledger.OpenFirst(t.Context(), lease, s, testPurpose, []Skip{{Seq: 3, Reason: "render", Detail: "name: too long"}}, 3*time.Second)
	if err != nil || len(stopped) != 0 {
		t.Fatalf("stopped %v, error %v", stopped, err)
	}
	if lease.SentUpto != 3 {
		t.Errorf("the lease stands at %d, want 3", lease.SentUpto)
	}
	if s.SendBy.Before(begun.Add(4*time.Second)) || s.SendBy.After(time.Now().Add(4*time.Second)) {
		t.Errorf("parts may be written until %s after opening, want a second and the pace", s.SendBy.Sub(begun))
	}
	type row struct {
		Batch, Lo, Hi, Parts int32
		Kind, Route, Bind    string
		Centre               string
		PartCounts           []byte
		Fence                int64
		Left                 time.Duration
		Open                 bool
	}
	rows, err := o.db.Query(t.Context(), `
		SELECT batch, lo, hi, parts, kind, route, bind, centre, part_counts, fence, send_by - opened_at, closed_at IS NULL FROM stride WHERE id = $1`, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	want := row{0, 1, 3, 3, "first", "main", "main-1", testCentre, []byte{1, 2, 0}, lease.Fence, 4 * time.Second, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	o.wantStates(t, run, Pending, Pending, Skipped, Pending, Pending, Pending)
	if detail := one[string](t, o, `SELECT detail FROM skip WHERE run_id = $1 AND seq = 3 AND reason = 'render'`, run); detail != "name: too long" {
		t.Errorf("the skip says %q", detail)
	}
}

func TestOpenLeavesNothingBehindTheFence(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	tests := []struct {
		name  string
		fence func(run int32, lease *Lease)
	}{
		{"another claimed it", func(run int32, _ *Lease) { o.ageLeases(t, run); o.claim(t, run, 0) }},
		{"the run was paused", func(run int32, _ *Lease) { o.move(t, run, RunPausing) }},
		{"the run was cancelled", func(run int32, _ *Lease) { o.move(t, run, RunCancelling) }},
		{"paused and resumed", func(run int32, _ *Lease) { o.move(t, run, RunPausing); o.resume(t, run) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run := o.newRun(t, terms{recipients: 4})
			lease := o.claim(t, run, 0)
			s := o.open(t, lease, 1)
			o.record(t, s, resultsOf(s, NotSent))
			due := o.due(t, lease)
			test.fence(run, lease)
			strides, skips, redo := o.written(t, run)
			skip := []Skip{{Seq: 2, Reason: "render"}}
			if _, err := o.ledger.OpenFirst(ctx, lease, firstStride(lease, 1, 1), testPurpose, skip, 0); !errors.Is(err, ErrFenced) {
				t.Errorf("OpenFirst: %v, want ErrFenced", err)
			}
			if _, err := o.ledger.OpenRedo(ctx, lease, redoStride(lease, due, 1), testPurpose, []Skip{{Seq: 1, Reason: "render"}}, 0); !errors.Is(err, ErrFenced) {
				t.Errorf("OpenRedo: %v, want ErrFenced", err)
			}
			if a, b, c := o.written(t, run); a != strides || b != skips || c != redo {
				t.Errorf("strides, skips, redo went from %d, %d, %d to %d, %d, %d", strides, skips, redo, a, b, c)
			}
			if upto := one[int32](t, o, `SELECT sent_upto FROM batch WHERE run_id = $1`, run); upto != 1 || lease.SentUpto != 1 {
				t.Errorf("the batch stands at %d, the lease at %d, want 1", upto, lease.SentUpto)
			}
			o.wantStates(t, run, Pending, Pending, Pending, Pending)
		})
	}
	t.Run("the range was taken before", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 4})
		lease := o.claim(t, run, 0)
		behind := *lease
		o.open(t, lease, 1)
		if _, err := o.ledger.OpenFirst(ctx, &behind, firstStride(&behind, 1), testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
			t.Errorf("one range was opened twice: %v", err)
		}
	})
	t.Run("the parts were taken before", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 4})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1)
		o.record(t, s, resultsOf(s, NotSent))
		due := o.due(t, lease)
		if _, err := o.ledger.OpenRedo(ctx, lease, redoStride(lease, due[:1], 1), testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ledger.OpenRedo(ctx, lease, redoStride(lease, due, 1), testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
			t.Errorf("a part was taken twice: %v", err)
		}
		if left := o.due(t, lease); len(left) != 1 || left[0].Seq != 2 {
			t.Errorf("to be redone is %+v, want recipient 2 as before", left)
		}
	})
}

func TestOpenReadsWhoSaidStop(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	all := func(seq int32, scope, purpose string) audience.Suppression {
		return audience.Suppression{MSISDN: numberOf(seq), Key: keyOf(seq), Scope: scope, Purpose: purpose}
	}
	o.suppress(t, all(1, audience.ScopeAll, ""))
	o.suppress(t, all(2, audience.ScopeSMS, ""))
	o.suppress(t, all(3, audience.ScopeCall, ""))
	o.suppress(t, all(4, audience.ScopeAll, testPurpose))
	o.suppress(t, all(5, audience.ScopeAll, "another purpose"))
	o.suppress(t, all(6, audience.ScopeAll, ""))
	if _, err := audience.Lift(ctx, o.db, keyOf(6), "", "test", "start"); err != nil {
		t.Fatal(err)
	}
	want := []State{Suppressed, Suppressed, Pending, Suppressed, Pending, Pending, Pending}

	run := o.newRun(t, terms{recipients: 7})
	lease := o.claim(t, run, 0)
	s := firstStride(lease, 1, 1, 1, 1, 1, 1, 1)
	stopped, err := o.ledger.OpenFirst(ctx, lease, s, testPurpose, nil, 0)
	slices.Sort(stopped)
	if err != nil || !slices.Equal(stopped, []int32{1, 2, 4}) {
		t.Errorf("stopped are %v (%v), want 1, 2 and 4", stopped, err)
	}
	o.wantStates(t, run, want...)

	// The same people at a second attempt.
	run = o.newRun(t, terms{recipients: 8})
	o.exec(t, `UPDATE suppression SET lifted_at = now(), lifted_by = 'test' WHERE lifted_at IS NULL`)
	lease = o.claim(t, run, 0)
	s = o.open(t, lease, 1, 1, 1, 1, 1, 1, 1, 1)
	results := resultsOf(s, NotSent)
	results[7] = withResult(s, results[7], Accepted)
	o.record(t, s, results)
	o.exec(t, `UPDATE suppression SET lifted_at = NULL, lifted_by = NULL WHERE msisdn_key <> $1`, keyOf(6))
	o.stop(t, 8)
	due := o.due(t, lease)
	stopped, err = o.ledger.OpenRedo(ctx, lease, redoStride(lease, due, 1), testPurpose, nil, 0)
	slices.Sort(stopped)
	if err != nil || !slices.Equal(stopped, []int32{1, 2, 4}) {
		t.Errorf("stopped at the second attempt are %v (%v), want 1, 2 and 4", stopped, err)
	}
	o.wantStates(t, run, append(want, Sent)...)
}

func TestReadAhead(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 25, batch: 10})
	lease := o.claim(t, run, 1)
	var seqs []int32
	for after := lease.SentUpto; ; {
		some, err := o.ledger.ReadAhead(t.Context(), lease, after, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for _, r := range some {
			if r.MSISDN != numberOf(r.Seq) || r.Key != keyOf(r.Seq) || r.Language != "en" || !slices.Equal(r.Vars, []string{"Asha"}) {
				t.Errorf("recipient %+v is not as it was frozen", r)
			}
			seqs = append(seqs, r.Seq)
		}
		after = some[len(some)-1].Seq
	}
	if !slices.Equal(seqs, []int32{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}) {
		t.Errorf("read %v, want batch 1 and no more", seqs)
	}
}

// TestAbandon settles the doubt about an opening whose COMMIT was not answered.
func TestAbandon(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	hold := RedoRule{OnUnknown: "hold"}

	t.Run("it was committed", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		o.stop(t, 2)
		s := o.open(t, lease, 1, 1, 2)
		forgotten := *s
		forgotten.ID, forgotten.SendBy = 0, time.Time{}
		if err := o.ledger.Abandon(ctx, lease, &forgotten, hold); err != nil {
			t.Fatal(err)
		}
		var again []int32
		for _, p := range o.due(t, lease) {
			again = append(again, p.Seq)
		}
		if !slices.Equal(again, []int32{1, 3, 3}) {
			t.Errorf("to be redone are %v, want the parts of 1 and 3", again)
		}
		o.wantStates(t, run, Pending, Suppressed, Pending)
		o.ageStrides(t, run)
		if unknown := o.recover(t); unknown != 0 {
			t.Errorf("%d parts became unknown although none was written", unknown)
		}
		o.exec(t, `UPDATE suppression SET lifted_at = now(), lifted_by = 'test'`)
	})

	t.Run("it was not", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		if err := o.ledger.Abandon(ctx, lease, firstStride(lease, 1, 1), hold); err != nil {
			t.Fatal(err)
		}
		if strides, _, redo := o.written(t, run); strides+redo != 0 {
			t.Errorf("%d strides and %d parts to redo came from nothing", strides, redo)
		}
		o.open(t, lease, 1, 1) // and the range is free
	})

	t.Run("it is still being committed", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		tx, err := o.db.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s := firstStride(lease, 1, 1)
		var stopped []int32
		err = tx.QueryRow(ctx, sqlOpenFirst, run, 0, lease.Fence, s.Hi, s.Lo-1, s.Lo, s.PartCounts, s.Parts, s.Route, s.Bind,
			sendWithin, testPurpose, LeaseTime, s.Centre).Scan(new(int64), &stopped)
		if err != nil {
			t.Fatal(err)
		}
		abandoned := make(chan error)
		go func() {
			abandoned <- o.ledger.Abandon(context.WithoutCancel(ctx), lease, firstStride(lease, 1, 1), hold)
		}()
		o.waitForLock(t)
		if err := tx.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-abandoned; err != nil {
			t.Fatal(err)
		}
		if due := o.due(t, lease); len(due) != 2 {
			t.Errorf("%d parts are to be redone, want both", len(due))
		}
	})

	t.Run("a redo beside another of the same message", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 2)
		o.record(t, s, resultsOf(s, NotSent))
		due := o.due(t, lease)
		flying := redoStride(lease, due[:1], 2)
		if _, err := o.ledger.OpenRedo(ctx, lease, flying, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := o.ledger.Abandon(ctx, lease, redoStride(lease, due[1:], 2), hold); err != nil {
			t.Fatal(err)
		}
		o.record(t, flying, resultsOf(flying, Throttled))
		o.ageRedo(t, run)
		if due := o.due(t, lease); len(due) != 2 {
			t.Errorf("to be redone is %+v, want both parts: the stride on the wire was taken for the one that never was", due)
		}
	})

	t.Run("a redo", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1, 1)
		o.record(t, s, resultsOf(s, NotSent))
		redo := o.openRedo(t, lease, 1)
		redo.ID = 0
		if err := o.ledger.Abandon(ctx, lease, redo, hold); err != nil {
			t.Fatal(err)
		}
		if due := o.due(t, lease); len(due) != 3 {
			t.Errorf("%d parts are to be redone, want all three", len(due))
		}
	})
}

// waitForLock returns once some session of the database waits for a lock.
func (o *office) waitForLock(t testing.TB) {
	t.Helper()
	eventually(t, "a session that waits for a lock", func() bool {
		return one[bool](t, o, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	})
}

// copies counts the COPYs that go over a pool.
type copies struct{ atomic.Int64 }

func (c *copies) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*copies) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *copies) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	c.Add(1)
	return ctx
}
func (*copies) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// PostgreSQL ends no session that is stopped in the middle of a COPY, and its batch could not be fenced meanwhile.
func TestNothingIsCopiedBehindTheBatchsLock(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lease := o.claim(t, o.newRun(t, terms{recipients: 2}), 0)
	count := &copies{}
	config := o.db.Config()
	config.ConnConfig.Tracer = count
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := firstStride(lease, 0, 1)
	if _, err := NewLedger(pool).OpenFirst(t.Context(), lease, s, testPurpose, []Skip{{Seq: 1, Reason: "render", Detail: "too long"}}, 0); err != nil {
		t.Fatal(err)
	}
	o.wantStates(t, lease.Run, Skipped, Pending)
	if n := count.Load(); n != 0 {
		t.Errorf("%d COPYs while the batch is locked", n)
	}
}
