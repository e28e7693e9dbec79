package campaign

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var allRunStates = []RunState{RunRunning, RunPausing, RunPaused, RunSettling, RunDone, RunEnding, RunCancelling, RunCancelled, RunFailed}

func finished(s RunState) bool {
	return slices.Contains([]RunState{RunDone, RunCancelled, RunFailed}, s)
}

// TestLegalMoves draws the table of moves once more, from the words of the states.
func TestLegalMoves(t *testing.T) {
	t.Parallel()
	want := map[RunState][]string{
		RunRunning: {"paused", "pausing", "settling"}, RunPausing: {"running"}, RunPaused: {"pausing", "running", "settling"}, RunSettling: {"ending", "running"}, RunDone: {"settling"},
		RunEnding:     {"paused", "pausing", "running"},
		RunCancelling: {"ending", "paused", "pausing", "running", "settling"}, RunCancelled: {"cancelling"}, RunFailed: {"running"},
	}
	got := map[RunState][]string{}
	for _, state := range allRunStates {
		got[state] = movesTo(state)
		if _, known := runMoves[state]; !known {
			t.Errorf("%s has no moves", state)
		}
		if finished(state) && len(runMoves[state]) > 0 {
			t.Errorf("%s is an end and leads to %v", state, runMoves[state])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMovesByHand tries to pause, resume and cancel a run in every state.
func TestMovesByHand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	allowed := map[string][]RunState{
		"pause": {RunRunning}, "cancel": {RunRunning, RunPausing, RunPaused, RunSettling, RunEnding}, "resume": {RunPausing, RunPaused},
	}
	for _, state := range allRunStates {
		for verb, move := range map[string]func(run int32) bool{
			"pause":  func(run int32) bool { return o.move(t, run, RunPausing) },
			"cancel": func(run int32) bool { return o.move(t, run, RunCancelling) },
			"resume": func(run int32) bool { return o.resume(t, run) },
		} {
			run := o.newRun(t, terms{recipients: 1})
			o.exec(t, `UPDATE run SET state = $2, finished_at = CASE WHEN $3 THEN now() END WHERE id = $1`, run, string(state), finished(state))
			fence := one[int64](t, o, `SELECT fence FROM batch WHERE run_id = $1`, run)
			moved := move(run)
			if want := slices.Contains(allowed[verb], state); moved != want {
				t.Errorf("%s when %s: %v, want %v", verb, state, moved, want)
			}
			if !moved && o.stateOf(t, run) != state {
				t.Errorf("%s when %s left it %s", verb, state, o.stateOf(t, run))
			}
			raised := one[int64](t, o, `SELECT fence FROM batch WHERE run_id = $1`, run) > fence
			if want := moved && verb != "resume"; raised != want {
				t.Errorf("%s when %s raised the fence: %v", verb, state, raised)
			}
		}
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	type situation struct {
		open, ready                        bool // a stride is open; a batch has work
		pending, sent, unknown, noReceipts bool
	}
	tests := []struct {
		name string
		from RunState
		in   situation
		want RunState
	}{
		{"work is left", RunRunning, situation{ready: true, pending: true}, RunRunning},
		{"the last stride is on the wire", RunRunning, situation{open: true, pending: true}, RunRunning},
		{"everybody was tried", RunRunning, situation{sent: true}, RunSettling},
		{"pausing with something on the wire", RunPausing, situation{open: true, ready: true, pending: true}, RunPausing},
		{"pausing with nothing on the wire", RunPausing, situation{ready: true, pending: true}, RunPaused},
		{"a paused run stays", RunPaused, situation{ready: true, pending: true}, RunPaused},
		{"cancelling with something on the wire", RunCancelling, situation{open: true, pending: true}, RunCancelling},
		{"cancelling with people left", RunCancelling, situation{ready: true, pending: true}, RunCancelling},
		{"cancelling with nobody left", RunCancelling, situation{sent: true}, RunCancelled},
		{"ending with something on the wire", RunEnding, situation{open: true, ready: true, pending: true}, RunEnding},
		{"ending with people left", RunEnding, situation{ready: true, pending: true}, RunEnding},
		{"ending with nobody left", RunEnding, situation{ready: true, sent: true}, RunSettling},
		{"receipts are awaited", RunSettling, situation{sent: true}, RunSettling},
		{"no receipts come by this route", RunSettling, situation{sent: true, noReceipts: true}, RunDone},
		{"unknown does not hold it", RunSettling, situation{unknown: true}, RunDone},
		{"something is to be sent again", RunSettling, situation{ready: true, pending: true}, RunRunning},
		{"on the wire while settling", RunSettling, situation{open: true, unknown: true}, RunSettling},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run := o.newRun(t, terms{recipients: 1, noReceipts: test.in.noReceipts})
			facts := Facts{Parts: 1}
			counts := make([]int32, stateCount)
			switch {
			case test.in.sent:
				facts.Accepted, counts[Sent] = Part(1), 1
			case test.in.unknown:
				facts.Unknown, counts[Unknown] = Part(1), 1
			default:
				counts[Pending] = 1
			}
			o.exec(t, `UPDATE outcome SET facts = $2, counts = $3 WHERE run_id = $1`, run, EncodeBlock([]Facts{facts}), counts)
			if test.in.open {
				o.open(t, o.claim(t, run, 0), 1)
			}
			if !test.in.ready {
				o.exec(t, `UPDATE batch SET state = 'done', sent_upto = hi WHERE run_id = $1`, run)
			}
			o.exec(t, `UPDATE run SET state = $2 WHERE id = $1`, run, string(test.from))
			if got := o.advance(t, run); got != test.want {
				t.Errorf("it is %s, want %s", got, test.want)
			}
			if ended := one[bool](t, o, `SELECT finished_at IS NOT NULL FROM run WHERE id = $1`, run); ended != finished(test.want) {
				t.Errorf("it is %s and finished_at is set: %v", test.want, ended)
			}
		})
	}

	t.Run("somebody else moved it", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1, state: RunPausing})
		old := OpenRun{ID: run, State: RunPausing}
		o.resume(t, run)
		if state, err := o.ledger.Advance(t.Context(), old); err != nil || state != RunPausing || o.stateOf(t, run) != RunRunning {
			t.Errorf("it answers %s (%v), and the run is %s", state, err, o.stateOf(t, run))
		}
	})
	t.Run("a batch that recovery emptied is done", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2})
		lease := o.claim(t, run, 0)
		o.open(t, lease, 1, 1)
		if err := o.ledger.Release(t.Context(), lease, 0); err != nil {
			t.Fatal(err)
		}
		o.ageStrides(t, run)
		o.recover(t)
		for _, want := range []RunState{RunSettling, RunDone, RunDone} {
			if got := o.advance(t, run); got != want {
				t.Errorf("it is %s, want %s", got, want)
			}
		}
	})
	t.Run("a batch that is held is not done", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		o.send(t, lease, 1)
		if got := o.advance(t, run); got != RunRunning {
			t.Errorf("it is %s while somebody holds its batch", got)
		}
		o.ageLeases(t, run)
		if got := o.advance(t, run); got != RunSettling {
			t.Errorf("it is %s after the lease ran out", got)
		}
	})
}

func TestCancelSkipsThePending(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const recipients = 3500
	run := o.newRun(t, terms{recipients: recipients})
	lease := o.claim(t, run, 0)
	o.send(t, lease, 990)
	s := o.open(t, lease, slices.Repeat([]byte{2}, 20)...)
	results := resultsOf(s, Throttled)
	for i := range results[:10] { // the first five have both parts accepted
		results[i] = withResult(s, results[i], Accepted)
	}
	o.record(t, s, results)
	flying := o.open(t, lease, 1, 1)
	o.move(t, run, RunCancelling)
	if got := o.advance(t, run); got != RunCancelling {
		t.Errorf("it is %s with a stride on the wire", got)
	}
	o.record(t, flying, []PartResult{withResult(flying, PartResult{Seq: flying.Lo, Part: 1, Parts: 1}, Accepted), withResult(flying, PartResult{Seq: flying.Hi, Part: 1, Parts: 1}, NotSent)})
	for _, want := range []RunState{RunCancelling, RunCancelled} {
		if got := o.advance(t, run); got != want {
			t.Errorf("it is %s, want %s", got, want)
		}
	}
	o.facts(t, run)
	totals, err := o.ledger.Totals(t.Context(), run)
	if want := (Totals{Sent: 996, Skipped: recipients - 996}); err != nil || totals != want {
		t.Errorf("totals are %+v (%v), want %+v", totals, err, want)
	}
	skips := one[int](t, o, `SELECT count(DISTINCT seq) FROM skip WHERE run_id = $1 AND reason = 'cancelled'`, run)
	if _, lines, redo := o.written(t, run); skips != recipients-996 || lines != skips || redo != 0 {
		t.Errorf("%d skips of %d recipients, %d parts to redo", lines, skips, redo)
	}
}

func TestExpireReceipts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	now := time.Now()
	run := o.newRun(t, terms{recipients: 2004, wait: time.Hour})
	lease := o.claim(t, run, 0)
	results := func(s *Stride, at time.Time) []PartResult {
		list := resultsOf(s, Accepted)
		for i := range list {
			list[i].At = at
		}
		return list
	}
	early := o.open(t, lease, slices.Repeat([]byte{1}, 1000)...)
	o.record(t, early, results(early, now))
	late := o.open(t, lease, slices.Repeat([]byte{1}, 1000)...)
	o.record(t, late, results(late, now.Add(30*time.Minute)))
	o.receive(t, now, receiptFor(idOf(run, 1, 1), 1, "delivered"))
	o.settle(t)
	open := o.openRuns(t)[0]
	if open.Wait != time.Hour || !open.Receipts || open.Priority != "normal" {
		t.Fatalf("the run is listed as %+v", open)
	}
	for _, step := range []struct {
		after  time.Duration
		marked int
	}{{59 * time.Minute, 0}, {61 * time.Minute, 999}, {62 * time.Minute, 0}, {91 * time.Minute, 1000}, {100 * time.Hour, 0}} {
		marked, err := o.ledger.ExpireReceipts(t.Context(), open, now.Add(step.after))
		if err != nil || marked != step.marked {
			t.Errorf("after %s %d were marked (%v), want %d", step.after, marked, err, step.marked)
		}
	}
	o.facts(t, run)
	totals, err := o.ledger.Totals(t.Context(), run)
	if want := (Totals{Pending: 4, Delivered: 1, NoReceipt: 1999}); err != nil || totals != want {
		t.Errorf("totals are %+v (%v), want %+v", totals, err, want)
	}
}

func TestOpenRuns(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var want []int32
	for _, priority := range []string{"bulk", "urgent", "normal", "urgent"} {
		want = append(want, o.newRun(t, terms{recipients: 1, priority: priority}))
	}
	o.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE id = $1`, o.newRun(t, terms{recipients: 1, priority: "urgent"}))
	want = []int32{want[1], want[3], want[2], want[0]}
	var got []int32
	for _, run := range o.openRuns(t) {
		got = append(got, run.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("open are %v, want %v: the urgent first", got, want)
	}
}

func TestEnsurePartitions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	now := time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC)
	// A clock that was wrong has left a fact in the default partition.
	o.exec(t, `INSERT INTO submission (stride_id, run_id, seq, part, parts, bind, result, status, at) VALUES (1, 1, 1, 1, 1, '', 'unknown', 0, '2026-11-25 12:00:00+00')`)
	var making sync.WaitGroup
	for range 3 {
		making.Go(func() {
			if err := o.ledger.EnsurePartitions(context.WithoutCancel(ctx), now); err != nil {
				t.Error(err)
			}
		})
	}
	making.Wait()
	exists := func(name string) bool { return one[bool](t, o, `SELECT to_regclass($1::text) IS NOT NULL`, name) }
	for _, name := range []string{"submission_20261122", "submission_20261123", "submission_20261130", "inbox_20261122", "inbox_20261130", "inbox_20261125"} {
		if !exists(name) {
			t.Errorf("%s is missing", name)
		}
	}
	if exists("submission_20261121") || exists("submission_20261201") {
		t.Error("there are more partitions than asked for")
	}
	o.exec(t, `INSERT INTO submission (stride_id, run_id, seq, part, parts, bind, result, status, at) VALUES (1, 1, 1, 1, 1, '', 'unknown', 0, $1)`, now)
	if where := one[string](t, o, `SELECT tableoid::regclass::text FROM submission WHERE at = $1`, now); where != "submission_20261123" {
		t.Errorf("a fact of %s is in %s", now, where)
	}
}

// Those that wait for receipts or a person for days do not keep the others from being swept, however many they are.
func TestOpenRunsBeginWithThoseThatHaveSomethingToDo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var ids []int32
	for _, state := range []RunState{RunPaused, RunSettling, RunCancelling, RunEnding, RunPausing, RunRunning} {
		ids = append(ids, o.newRun(t, terms{recipients: 1, state: state, priority: "bulk"}))
	}
	ids = append(ids, o.newRun(t, terms{recipients: 1, state: RunSettling, priority: "urgent"}))
	var got []int32
	for _, run := range o.openRuns(t) {
		got = append(got, run.ID)
	}
	if want := []int32{ids[2], ids[3], ids[4], ids[5], ids[6], ids[1], ids[0]}; !slices.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
}
