package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// accepted records recipients 1 … as accepted under the given ids, at the given time, and answers the run.
func (o *office) accepted(t tester, at time.Time, ids ...string) int32 {
	t.Helper()
	run := o.newRun(t, terms{recipients: int32(len(ids))})
	s := o.open(t, o.claim(t, run, 0), slices.Repeat([]byte{1}, len(ids))...)
	results := resultsOf(s, Accepted)
	for i := range results {
		results[i].ID, results[i].Key, results[i].At = ids[i], MessageKey(testCentre, ids[i]), at
	}
	o.record(t, s, results)
	return run
}

// matches lists the receipts that were matched after they were stored, with the reading of their id.
func (o *office) matches(t tester, run int32) []string {
	t.Helper()
	list := one[string](t, o, `SELECT coalesce(string_agg(seq || ' ' || part || ' ' || how, ', ' ORDER BY seq, part), '') FROM receipt_match WHERE run_id = $1`, run)
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

func (o *office) parkedCount(t tester) int {
	t.Helper()
	return one[int](t, o, `SELECT count(*) FROM parked WHERE NOT orphan`)
}

func TestSettleByWhatIsRemembered(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.accepted(t, time.Now(), "a", "b", "c", "d", "e")
	named := func(seq int32, state string) Incoming {
		in := receiptFor("whatever", seq, state)
		in.Run, in.Seq, in.Part = run, seq, 1
		return in
	}
	o.receive(t, time.Now(), named(1, "delivered"), named(2, "failed"), named(3, "expired"), named(4, ""),
		Incoming{Kind: "sms", MSISDN: numberOf(5)}, Incoming{Kind: "missed_call", MSISDN: numberOf(5)})
	if done := o.settle(t); done != (Settled{Chunks: 1, Matched: 4}) {
		t.Errorf("settled %+v, want one chunk with four receipts", done)
	}
	o.wantStates(t, run, Delivered, Failed, Expired, Sent, Sent)
	if done := o.settle(t); done != (Settled{}) {
		t.Errorf("settled %+v once more", done)
	}
	if got := o.matches(t, run); got != nil {
		t.Errorf("what names its submission was looked for: %v", got)
	}
}

func TestSettleByID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, submitted, receipt string
		how                      string // "" when it must not match
	}{
		{"the same text", "0A1b", "0A1b", "exact"},
		{"other case", "0a1b", "0A1B", "folded"},
		{"zeros dropped", "000123", "123", "folded"},
		{"zeros added", "123", "0000123", "folded"},
		{"the receipt is decimal", "1a2b3c", "1715004", "decimal"},
		{"the receipt is decimal with zeros", "1A2B3C", "0001715004", "decimal"},
		{"the receipt is hexadecimal", "1715004", "1A2B3C", "hex"},
		{"64 bits", "ffffffffffffffff", "18446744073709551615", "decimal"},
		{"a UUID", "0c6f3fd4-8d3e-4a53-9d6a-2f5b3e1c7a10", "0C6F3FD4-8D3E-4A53-9D6A-2F5B3E1C7A10", "folded"},
		{"blanks around it", "77", " 77 ", "folded"},
		{"another id", "1234567", "7654321", ""},
		{"no id", "1234", "", ""},
		{"a longer id", "abc-1", "abc-10", ""},
		{"zero", "0", "0", "exact"},
	}
	o := newOffice(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run := o.accepted(t, time.Now(), test.submitted)
			o.receive(t, time.Now(), receiptFor(test.receipt, 1, "delivered"))
			done := o.settle(t)
			if test.how == "" {
				if done.Matched != 0 || done.Parked != 1 {
					t.Errorf("settled %+v, want it parked", done)
				}
				o.wantStates(t, run, Sent)
				return
			}
			if diff := cmp.Diff([]string{"1 1 " + test.how}, o.matches(t, run)); diff != "" || done.Matched != 1 {
				t.Errorf("settled %+v: %s", done, diff)
			}
			o.wantStates(t, run, Delivered)
			o.exec(t, `DELETE FROM submission`) // ids are not to meet those of the next case
		})
		o.exec(t, `DELETE FROM submission`)
		o.exec(t, `DELETE FROM parked`)
	}
}

func TestSettleNeverGuesses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	parks := func(t *testing.T, run int32, receipt Incoming, at time.Time) {
		t.Helper()
		o.receive(t, at, receipt)
		if done := o.settle(t); done.Matched != 0 || done.Parked != 1 {
			t.Errorf("settled %+v, want it parked", done)
		}
		if got := o.matches(t, run); got != nil {
			t.Errorf("it was matched: %v", got)
		}
		o.exec(t, `DELETE FROM parked`)
	}
	now := time.Now()

	t.Run("one id for two messages to one number", func(t *testing.T) {
		one, other := o.accepted(t, now, "twice-1"), o.accepted(t, now, "twice-1")
		parks(t, one, receiptFor("twice-1", 1, "delivered"), now)
		o.wantStates(t, one, Sent)
		o.wantStates(t, other, Sent)
	})
	t.Run("the very same text wins over other case", func(t *testing.T) {
		one, other := o.accepted(t, now, "case-Ab"), o.accepted(t, now, "case-aB")
		o.receive(t, now, receiptFor("case-aB", 1, "delivered"))
		o.settle(t)
		o.wantStates(t, one, Sent)
		o.wantStates(t, other, Delivered)
	})
	t.Run("other case wins over another base", func(t *testing.T) {
		one, other := o.accepted(t, now, "4660"), o.accepted(t, now, "00001234")
		o.receive(t, now, receiptFor("1234", 1, "delivered")) // 0x1234 is 4660
		o.settle(t)
		o.wantStates(t, one, Sent)
		o.wantStates(t, other, Delivered)
	})
	t.Run("one id for two parts", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		s := o.open(t, o.claim(t, run, 0), 2)
		results := resultsOf(s, Accepted)
		for i := range results {
			results[i].ID, results[i].Key = "both-parts", MessageKey(testCentre, "both-parts")
		}
		o.record(t, s, results)
		parks(t, run, receiptFor("both-parts", 1, "delivered"), now)
	})
	t.Run("another number", func(t *testing.T) {
		run := o.accepted(t, now, "number-1")
		parks(t, run, receiptFor("number-1", 2, "delivered"), now)
	})
	t.Run("no number of ours", func(t *testing.T) {
		run := o.accepted(t, now, "number-2")
		receipt := receiptFor("number-2", 1, "delivered")
		receipt.MSISDN = 0
		parks(t, run, receipt, now)
	})
	t.Run("another centre", func(t *testing.T) {
		run := o.accepted(t, now, "centre-1")
		receipt := receiptFor("centre-1", 1, "delivered")
		receipt.Centre = "elsewhere"
		parks(t, run, receipt, now)
	})
	t.Run("older than a receipt can be", func(t *testing.T) {
		run := o.accepted(t, now.Add(-ReceiptValidity-time.Minute), "old-1")
		parks(t, run, receiptFor("old-1", 1, "delivered"), now)
		run = o.accepted(t, now.Add(-ReceiptValidity+time.Minute), "old-2")
		o.receive(t, now, receiptFor("old-2", 1, "delivered"))
		o.settle(t)
		o.wantStates(t, run, Delivered)
	})
	t.Run("what was refused has no id", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		s := o.open(t, o.claim(t, run, 0), 1)
		o.record(t, s, resultsOf(s, Refused))
		parks(t, run, receiptFor("", 1, "delivered"), now)
	})
}

func TestSettleInAnyOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	now := time.Now()

	t.Run("twice the same", func(t *testing.T) {
		run := o.accepted(t, now, "same-1")
		for range 2 {
			o.receive(t, now, receiptFor("same-1", 1, "delivered"), receiptFor("same-1", 1, "delivered"))
			o.settle(t)
		}
		o.wantStates(t, run, Delivered)
	})
	t.Run("failed and delivered", func(t *testing.T) {
		for _, order := range [][2]string{{"failed", "delivered"}, {"delivered", "failed"}, {"delivered", "expired"}, {"expired", "delivered"}} {
			id := order[0] + "-" + order[1]
			run := o.accepted(t, now, id)
			for _, state := range order {
				o.receive(t, now, receiptFor(id, 1, state))
				o.settle(t)
			}
			o.wantStates(t, run, Delivered)
		}
	})
	t.Run("before the response is recorded", func(t *testing.T) {
		run := o.newRun(t, terms{recipients: 1})
		s := o.open(t, o.claim(t, run, 0), 1)
		o.receive(t, now, receiptFor(idOf(run, 1, 1), 1, "delivered"))
		if done := o.settle(t); done.Parked != 1 {
			t.Fatalf("settled %+v, want it parked", done)
		}
		if matched := o.retryParked(t, time.Minute); matched != 0 {
			t.Errorf("it was matched to nothing: %d", matched)
		}
		o.record(t, s, resultsOf(s, Accepted))
		o.wantStates(t, run, Sent)
		if matched := o.retryParked(t, 0); matched != 0 {
			t.Error("it was tried before its time")
		}
		if matched := o.retryParked(t, 2*time.Minute); matched != 1 || o.parkedCount(t) != 0 {
			t.Errorf("matched %d, %d are still parked", matched, o.parkedCount(t))
		}
		o.wantStates(t, run, Delivered)
	})
	t.Run("after it expired", func(t *testing.T) {
		run := o.accepted(t, now, "late-1")
		marked, err := o.ledger.ExpireReceipts(t.Context(), OpenRun{ID: run, Wait: time.Hour}, now.Add(2*time.Hour))
		if err != nil || marked != 1 {
			t.Fatalf("marked %d, %v", marked, err)
		}
		o.wantStates(t, run, NoReceipt)
		o.receive(t, now, receiptFor("late-1", 1, "delivered"))
		o.settle(t)
		o.wantStates(t, run, Delivered)
	})
}

func TestSettlersAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const recipients, chunks = 200, 40
	var runs []int32
	for range 2 {
		ids := make([]string, recipients)
		for i := range ids {
			ids[i] = fmt.Sprintf("run-%d-%d", len(runs), i+1)
		}
		runs = append(runs, o.accepted(t, time.Now(), ids...))
	}
	// Every chunk holds receipts of both runs, so that settlers meet on the same blocks.
	for chunk := range chunks {
		var in []Incoming
		for seq := int32(chunk + 1); seq <= recipients; seq += chunks {
			for i := range runs {
				r := receiptFor(fmt.Sprintf("run-%d-%d", i, seq), seq, "delivered")
				if seq%2 == 0 {
					r.Run, r.Seq, r.Part = runs[i], seq, 1
				}
				in = append(in, r)
			}
		}
		o.receive(t, time.Now(), in...)
	}
	var taken, matched atomic.Int64
	var settling sync.WaitGroup
	for range 3 {
		settling.Go(func() {
			for {
				done, err := o.ledger.Settle(context.Background(), 3)
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(int64(done.Chunks))
				matched.Add(int64(done.Matched))
				if done.Chunks == 0 {
					return
				}
			}
		})
	}
	settling.Wait()
	if taken.Load() != chunks || matched.Load() != 2*recipients {
		t.Errorf("%d chunks with %d receipts were settled, want %d with %d", taken.Load(), matched.Load(), chunks, 2*recipients)
	}
	for _, run := range runs {
		o.wantStates(t, run, slices.Repeat([]State{Delivered}, recipients)...)
	}
}

func TestParked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	now := time.Now()
	// unknown makes a run whose only recipient's message may have left.
	unknown := func(t *testing.T, seq int32, parts byte) int32 {
		t.Helper()
		run := o.newRun(t, terms{recipients: seq})
		lease := o.claim(t, run, 0)
		if seq > 1 {
			o.send(t, lease, int(seq)-1)
		}
		s := o.open(t, lease, parts)
		o.record(t, s, resultsOf(s, InDoubt))
		return run
	}
	stateOf := func(run int32) State { return o.states(t, run)[len(o.states(t, run))-1] }
	park := func(t *testing.T, receipts ...Incoming) {
		t.Helper()
		o.receive(t, now, receipts...)
		if done := o.settle(t); done.Parked != len(receipts) {
			t.Fatalf("settled %+v, want %d parked", done, len(receipts))
		}
	}
	clear := func() { o.exec(t, `DELETE FROM parked`) }

	t.Run("the only unknown message to the number, after ten minutes", func(t *testing.T) {
		run := unknown(t, 1, 1)
		park(t, receiptFor("nowhere-1", 1, "delivered"))
		if matched := o.retryParked(t, 9*time.Minute); matched != 0 {
			t.Error("it was given away before its own answer can have come")
		}
		if matched := o.retryParked(t, 11*time.Minute); matched != 1 {
			t.Fatalf("matched %d, want 1", matched)
		}
		if diff := cmp.Diff([]string{"1 1 number"}, o.matches(t, run)); diff != "" {
			t.Error(diff)
		}
		o.wantStates(t, run, Delivered)
		// A second receipt has nothing left that it may belong to.
		park(t, receiptFor("nowhere-2", 1, "failed"))
		if matched := o.retryParked(t, 22*time.Minute); matched != 0 {
			t.Error("two receipts were given to one part")
		}
		clear()
	})
	t.Run("two receipts in one round", func(t *testing.T) {
		run := unknown(t, 2, 1)
		park(t, receiptFor("round-1", 2, "delivered"), receiptFor("round-2", 2, "failed"))
		if matched := o.retryParked(t, 11*time.Minute); matched != 1 {
			t.Errorf("matched %d, want 1", matched)
		}
		if got := o.matches(t, run); len(got) != 1 {
			t.Errorf("matches are %v", got)
		}
		clear()
	})
	t.Run("two unknown messages to the number", func(t *testing.T) {
		runs := []int32{unknown(t, 3, 1), unknown(t, 3, 1)}
		park(t, receiptFor("either", 3, "delivered"))
		if matched := o.retryParked(t, 11*time.Minute); matched != 0 {
			t.Error("it was guessed")
		}
		if why := one[string](t, o, `SELECT why FROM parked`); why != "several messages fit" {
			t.Errorf("it stays because of %q", why)
		}
		for _, run := range runs {
			if s := stateOf(run); s != Unknown {
				t.Errorf("it is %s", s)
			}
		}
		clear()
	})
	t.Run("two unknown parts", func(t *testing.T) {
		run := unknown(t, 4, 2)
		park(t, receiptFor("part", 4, "delivered"))
		if matched := o.retryParked(t, 11*time.Minute); matched != 0 || stateOf(run) != Unknown {
			t.Error("it was guessed")
		}
		clear()
	})
	t.Run("beside an accepted message whose receipt is out", func(t *testing.T) {
		run := unknown(t, 5, 1)
		other := o.newRun(t, terms{recipients: 5})
		o.send(t, o.claim(t, other, 0), 5)
		park(t, receiptFor("form-that-we-do-not-know", 5, "delivered"))
		if matched := o.retryParked(t, 11*time.Minute); matched != 0 || stateOf(run) != Unknown {
			t.Error("it may belong to the accepted message, and was given to the unknown one")
		}
		// Once that one has its own receipt, only the unknown one is left.
		o.receive(t, now, receiptFor(idOf(other, 5, 1), 5, "delivered"))
		o.settle(t)
		if matched := o.retryParked(t, 22*time.Minute); matched != 1 || stateOf(run) != Delivered {
			t.Error("it was not given to the only message that is left")
		}
		clear()
	})
	t.Run("another centre, another number, an intermediate state", func(t *testing.T) {
		run := unknown(t, 6, 1)
		elsewhere := receiptFor("x1", 6, "delivered")
		elsewhere.Centre = "elsewhere"
		park(t, elsewhere, receiptFor("x2", 60, "delivered"), receiptFor("x3", 6, ""))
		if matched := o.retryParked(t, 11*time.Minute); matched != 0 || stateOf(run) != Unknown {
			t.Error("it was guessed")
		}
		clear()
	})
	t.Run("what was accepted after all", func(t *testing.T) {
		run := unknown(t, 7, 1)
		var s Stride
		s.ID, s.Run, s.Centre, s.Bind = one[int64](t, o, `SELECT max(id) FROM stride`), run, testCentre, "main-1"
		if err := o.ledger.Late(ctx, &s, withResult(&s, PartResult{Seq: 7, Part: 1, Parts: 1}, Accepted)); err != nil {
			t.Fatal(err)
		}
		park(t, receiptFor("y1", 7, "failed"))
		if matched := o.retryParked(t, 11*time.Minute); matched != 0 || stateOf(run) != Sent {
			t.Error("it was given to a message that has an id of its own")
		}
		clear()
	})
	t.Run("the wait grows, and ends", func(t *testing.T) {
		park(t, receiptFor("nobody's-70", 70, "delivered"))
		var waits []time.Duration
		for range 13 {
			at := one[time.Time](t, o, `SELECT next_try FROM parked`)
			if _, err := o.ledger.RetryParked(ctx, at); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, one[time.Time](t, o, `SELECT next_try FROM parked`).Sub(at))
		}
		if waits[0] != 4*time.Second || waits[1] != 8*time.Second || waits[12] != time.Hour || !slices.IsSorted(waits) {
			t.Errorf("the waits are %v", waits)
		}
		if o.parkedCount(t) != 1 {
			t.Error("it was given up early")
		}
		o.retryParked(t, ReceiptValidity+time.Minute)
		if orphans := one[int](t, o, `SELECT count(*) FROM parked WHERE orphan AND why = 'no message fits'`); orphans != 1 {
			t.Error("what outlived its validity is not an orphan")
		}
		ids := make([]string, 70)
		for i := range ids {
			ids[i] = fmt.Sprintf("nobody's-%d", i+1)
		}
		o.accepted(t, now, ids...)
		if matched := o.retryParked(t, 3*ReceiptValidity); matched != 0 {
			t.Error("an orphan was tried again")
		}
	})
}
