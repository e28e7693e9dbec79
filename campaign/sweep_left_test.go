package campaign

import "testing"

// A message of two parts, one of them unknown and the other still to be sent, is not pending. When the run is cancelled and
// a late response accepts the first part, she must not be left pending in a run that is over.
func TestWhoIsLeftInPartsIsSkippedWhenCancelled(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 1})
	s := o.open(t, o.claim(t, run, 0), 2)
	results := resultsOf(s, InDoubt)
	results[1].Result = NotSent
	o.record(t, s, results)
	o.wantStates(t, run, Unknown)
	o.move(t, run, RunCancelling)
	for range 3 {
		o.advance(t, run)
	}
	if state := o.stateOf(t, run); state != RunCancelled {
		t.Fatalf("the run is %s", state)
	}
	if err := o.ledger.Late(t.Context(), s, withResult(s, results[0], Accepted)); err != nil {
		t.Fatal(err)
	}
	o.wantStates(t, run, Skipped)
}
