package campaign

import (
	"errors"
	"testing"
)

// A COMMIT whose answer was lost can meet a stride that recovery has closed: its token is not there to tell.
func TestWhatIsRecordedLateIsRecordedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	rule := RedoRule{OnUnknown: "hold"}
	submissions := func(run int32) int {
		t.Helper()
		return one[int](t, o, `SELECT count(*) FROM submission WHERE run_id = $1 AND result = 'accepted'`, run)
	}

	t.Run("after recovery", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2})
		s := o.open(t, o.claim(t, run, 0), 1, 1)
		o.ageStrides(t, run)
		o.recover(t)
		results := resultsOf(s, Accepted)
		const token = 42
		if err := o.ledger.record(ctx, s, token, results, rule); err != nil {
			t.Fatal(err)
		}
		if err := o.ledger.record(ctx, s, token, results, rule); !errors.Is(err, errRecorded) {
			t.Errorf("the recording is not recognised: %v", err)
		}
		if n := submissions(run); n != 2 {
			t.Errorf("%d submissions, want one for each part", n)
		}
	})

	t.Run("a response", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		s := o.open(t, o.claim(t, run, 0), 1)
		results := resultsOf(s, InDoubt)
		o.record(t, s, results)
		late := withResult(s, results[0], Accepted)
		for range 2 {
			if err := o.ledger.Late(ctx, s, late); err != nil {
				t.Fatal(err)
			}
		}
		if n := submissions(run); n != 1 {
			t.Errorf("%d submissions, want 1", n)
		}
		o.wantStates(t, run, Sent)
	})
}
