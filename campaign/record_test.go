package campaign

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// waiting is a row of redo.
type waiting struct {
	Seq   int32
	Part  int16
	Bind  string
	Tries int16
	Wait  time.Duration
}

func (o *office) redo(t tester, run int32, since time.Time) []waiting {
	t.Helper()
	rows, err := o.db.Query(t.(*testing.T).Context(), `SELECT seq, part, bind, tries, not_before - $2::timestamptz FROM redo WHERE run_id = $1 ORDER BY seq, part`, run, since)
	if err != nil {
		t.Fatalf("%v", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i := range list {
		list[i].Wait = list[i].Wait.Round(time.Second) // the statements themselves take milliseconds
	}
	return list
}

func TestRecord(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()

	t.Run("every result", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 7})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1, 1, 1, 1, 1)
		results := resultsOf(s, Accepted)
		for i, result := range []Result{Accepted, Refused, Throttled, Transient, NotSent, InDoubt} {
			results[i] = withResult(s, PartResult{Seq: int32(i) + 1, Part: 1, Parts: 1}, result)
		}
		results[1].Status = 0x0B
		at := results[5].At
		o.record(t, s, results)
		o.wantStates(t, run, Sent, Rejected, Pending, Pending, Pending, Unknown, Pending)
		want := []waiting{{3, 1, "", 0, time.Second}, {4, 1, "", 1, 5 * time.Second}, {5, 1, "", 0, 0}}
		if diff := cmp.Diff(want, o.redo(t, run, at)); diff != "" {
			t.Error(diff)
		}
		type row struct {
			Seq, Part, Parts int32
			Bind             string
			Result           Result
			Status           int32
			Key              int64
			ID               string
		}
		rows, err := o.db.Query(ctx, `
			SELECT seq, part, parts, bind, result, status, coalesce(smsc_key, 0), coalesce(smsc_id, '') FROM submission
			WHERE run_id = $1 AND stride_id = $2 ORDER BY seq`, run, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		if err != nil {
			t.Fatal(err)
		}
		id := idOf(run, 1, 1)
		written := []row{
			{1, 1, 1, "main-1", Accepted, 0, MessageKey(testCentre, id), id}, {2, 1, 1, "main-1", Refused, 0x0B, 0, ""},
			{3, 1, 1, "main-1", Throttled, 0, 0, ""}, {4, 1, 1, "main-1", Transient, 0, 0, ""},
			{5, 1, 1, "main-1", NotSent, 0, 0, ""}, {6, 1, 1, "main-1", InDoubt, 0, 0, ""},
		}
		if diff := cmp.Diff(written, got); diff != "" {
			t.Error(diff)
		}
		if newest := one[time.Time](t, o, `SELECT last_result FROM outcome WHERE run_id = $1`, run); !newest.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("the newest result is of %s, want %s", newest, at)
		}
		if open := one[bool](t, o, `SELECT closed_at IS NULL FROM stride WHERE id = $1`, s.ID); open {
			t.Error("the stride is still open")
		}
	})

	t.Run("again with the same token after a lost answer", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1)
		const token = 42
		rule := RedoRule{OnUnknown: "hold"}
		if err := o.ledger.record(ctx, s, token, resultsOf(s, Accepted), rule); err != nil {
			t.Fatal(err)
		}
		if err := o.ledger.record(ctx, s, token, resultsOf(s, Accepted), rule); !errors.Is(err, errRecorded) {
			t.Errorf("the recording is not recognised: %v", err)
		}
		if submissions := one[int](t, o, `SELECT count(*) FROM submission WHERE run_id = $1`, run); submissions != 1 {
			t.Errorf("%d submissions were written, want the one of the first time", submissions)
		}
		if err := o.ledger.record(ctx, s, token+1, resultsOf(s, Accepted), rule); err != nil {
			t.Errorf("somebody else's recording was taken for one's own: %v", err)
		}
	})

	t.Run("after recovery the facts count and nothing follows", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1, 1)
		o.ageStrides(t, run)
		if unknown := o.recover(t); unknown != 3 {
			t.Fatalf("%d parts became unknown, want 3", unknown)
		}
		results := resultsOf(s, Accepted)
		results[1].Result, results[2].Result = Throttled, Refused
		o.record(t, s, results)
		o.wantStates(t, run, Sent, Unknown, Rejected)
		if _, _, redo := o.written(t, run); redo != 0 {
			t.Errorf("%d parts are to be redone although they may have left", redo)
		}
	})

	t.Run("a late response", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 2})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1, 1)
		results := resultsOf(s, InDoubt)
		o.record(t, s, results)
		o.wantStates(t, run, Unknown, Unknown)
		for i, result := range []Result{Accepted, Transient} {
			if err := o.ledger.Late(ctx, s, withResult(s, results[i], result)); err != nil {
				t.Fatal(err)
			}
		}
		o.wantStates(t, run, Sent, Unknown)
		if _, _, redo := o.written(t, run); redo != 0 {
			t.Errorf("%d parts are redone because of a late response", redo)
		}
	})

	t.Run("a late acceptance spares the part a second sending", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1, onUnknown: "resend"})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1)
		results := resultsOf(s, InDoubt)
		o.record(t, s, results)
		if err := o.ledger.Late(ctx, s, withResult(s, results[0], Accepted)); err != nil {
			t.Fatal(err)
		}
		o.wantStates(t, run, Sent)
		if _, _, redo := o.written(t, run); redo != 0 {
			t.Error("it is sent again although it was accepted")
		}
	})

	t.Run("recipients of two blocks", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1500})
		lease := o.claim(t, run, 0)
		o.send(t, lease, 990)
		s := o.open(t, lease, slices.Repeat([]byte{2}, 20)...)
		o.record(t, s, resultsOf(s, Accepted))
		states := o.states(t, run)
		if n := len(slices.DeleteFunc(states[:1010:1010], func(s State) bool { return s == Sent })); n != 0 {
			t.Errorf("%d of the first 1010 are not sent", n)
		}
		if totals, _ := o.ledger.Totals(ctx, run); totals != (Totals{Pending: 490, Sent: 1010}) {
			t.Errorf("totals are %+v", totals)
		}
	})

	t.Run("a recipient that the run does not have", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 1)
		for _, seq := range []int32{2, 5000} {
			result := withResult(s, PartResult{Seq: seq, Part: 1, Parts: 1}, Accepted)
			if err := o.ledger.Record(ctx, s, []PartResult{result}, RedoRule{}); err == nil {
				t.Errorf("a result for recipient %d of 1 was recorded", seq)
			}
		}
		o.wantStates(t, run, Pending)
	})
}

func TestRecordMessagesOfSeveralParts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()

	t.Run("once a part is out the rest stays on its bind", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 4})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 2, 2, 2, 1)
		results := resultsOf(s, NotSent)
		results[0] = withResult(s, results[0], Accepted)
		results[2] = withResult(s, results[2], InDoubt)
		at := time.Now()
		o.record(t, s, results)
		want := []waiting{{1, 2, "main-1", 0, 0}, {2, 2, "main-1", 0, 0}, {3, 1, "", 0, 0}, {3, 2, "", 0, 0}, {4, 1, "", 0, 0}}
		if diff := cmp.Diff(want, o.redo(t, run, at)); diff != "" {
			t.Error(diff)
		}
		o.wantStates(t, run, Pending, Unknown, Pending, Pending)

		// Trying again in vain changes nothing about that.
		o.ageRedo(t, run)
		due := o.due(t, lease)
		if bound := due[len(due)-1].Bind; bound != "main-1" || due[0].Bind != "" {
			t.Errorf("parts are not read bind by bind: %+v", due)
		}
		again := redoStride(lease, due[3:], 2)
		if _, err := o.ledger.OpenRedo(ctx, lease, again, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		at = time.Now()
		o.record(t, again, resultsOf(again, Throttled))
		got := o.redo(t, run, at)
		if diff := cmp.Diff([]waiting{{1, 2, "main-1", 0, time.Second}, {2, 2, "main-1", 0, time.Second}}, got[:2]); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("a refusal fails the whole message", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 3})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 3, 3, 1)
		results := resultsOf(s, Throttled)
		results[1] = withResult(s, results[1], Refused)
		o.record(t, s, results)
		o.wantStates(t, run, Rejected, Pending, Pending)
		at := time.Now()
		var left []int32
		for _, w := range o.redo(t, run, at) {
			left = append(left, w.Seq)
		}
		if !slices.Equal(left, []int32{2, 2, 2, 3}) {
			t.Errorf("to be redone are parts of %v, want nothing of 1", left)
		}
		// And when the refusal comes to a part that was tried again.
		o.ageRedo(t, run)
		redo := redoStride(lease, o.due(t, lease)[:1], 3)
		if _, err := o.ledger.OpenRedo(ctx, lease, redo, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		o.record(t, redo, resultsOf(redo, Refused))
		o.wantStates(t, run, Rejected, Rejected, Pending)
		if left := o.redo(t, run, at); len(left) != 1 || left[0].Seq != 3 {
			t.Errorf("to be redone are %+v, want only recipient 3", left)
		}
	})
}
