package campaign

import (
	"slices"
	"testing"
	"time"
)

// A retry waits for its window, and what was missing of the attempts before comes meanwhile.
func TestARetryLeavesOutWhomAnEarlierAttemptReachedMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "", "", "", "")
	first := d.launch(t, "tree")
	d.ended(t, first.RunID, Failed, Unknown, NoReceipt, Expired, Unknown)
	second := d.retry(t, Unknown)
	d.ended(t, second.RunID, Rejected, NoReceipt)
	third := d.retry(t, Failed, NoReceipt, Expired, Rejected)
	run, err := d.office.ledger.Run(t.Context(), third.RunID)
	if err != nil || run.Root != first.RunID || third.Recipients != 5 {
		t.Fatalf("%d recipients of a retry of %d, %v", third.Recipients, run.Root, err)
	}
	// The third of the first run has it, the first is still without; the fifth has it from the retry. The fourth has said stop besides.
	d.learn(t, first.RunID, 3, Delivered)
	d.learn(t, first.RunID, 4, Delivered)
	d.learn(t, second.RunID, 2, Delivered)
	d.exec(t, `INSERT INTO suppression (msisdn_key, scope, purpose, source, evidence, actor, added_at)
SELECT msisdn_key, 'all', '', 'agent', 'said so', 'test', now() FROM recipient WHERE run_id = $1 AND seq = 4`, first.RunID)
	lease := d.claim(t, third.RunID, 0)
	s := firstStride(lease, 1, 1, 1, 1, 1)
	s.Root = run.Root
	spared, err := d.office.ledger.OpenFirst(t.Context(), lease, s, testPurpose, nil, 0)
	slices.Sort(spared)
	if err != nil || !slices.Equal(spared, []int32{3, 4, 5}) {
		t.Fatalf("spared are %v, %v", spared, err)
	}
	d.wantStates(t, third.RunID, Pending, Pending, Skipped, Suppressed, Skipped)
	if n := one[int](t, d.office, `SELECT count(*) FROM skip WHERE run_id = $1 AND reason = 'cancelled' AND detail = $2`, third.RunID, reachedDetail); n != 2 {
		t.Errorf("%d are skipped for it", n)
	}

	// Once more before what did not get through is tried again; the second had it accepted meanwhile.
	results := resultsOf(s, NotSent)
	d.record(t, s, slices.DeleteFunc(results, func(r PartResult) bool { return r.Seq > 2 }))
	d.learn(t, first.RunID, 2, Sent)
	d.exec(t, `UPDATE redo SET not_before = now() - interval '1 second'`)
	redo := redoStride(lease, d.due(t, lease), 1)
	redo.Root = run.Root
	if spared, err = d.office.ledger.OpenRedo(t.Context(), lease, redo, testPurpose, nil, 0); err != nil || !slices.Equal(spared, []int32{2}) {
		t.Errorf("spared of the redo are %v, %v", spared, err)
	}
	d.wantStates(t, third.RunID, Pending, Skipped, Skipped, Suppressed, Skipped)
}

// learn puts what brings a recipient into a state beside what is known.
func (d *desk) learn(t *testing.T, run, seq int32, state State) {
	t.Helper()
	tx, err := d.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := observe(t.Context(), tx, run, []observation{{seq: seq, facts: factsOf[state]}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
