package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var once = Cap{Messages: 1, Period: 7 * day}

// openCapped opens a stride over the next recipients, a part each, and answers to whom nothing may be sent.
func (o *office) openCapped(t tester, lease *Lease, limit Cap, recipients int) (*Stride, []int32) {
	t.Helper()
	s := firstStride(lease, slices.Repeat([]byte{1}, recipients)...)
	s.Cap = limit
	spared, err := o.ledger.OpenFirst(context.Background(), lease, s, testPurpose, nil, 0)
	if err != nil {
		t.Fatalf("open a stride: %v", err)
	}
	return s, spared
}

// sent writes to everybody of a new run of one recipient.
func (o *office) sent(t tester, result Result) int32 {
	t.Helper()
	run := o.newRun(t, terms{recipients: 1})
	lease := o.claim(t, run, 0)
	s := o.open(t, lease, 1)
	o.record(t, s, resultsOf(s, result))
	return run
}

func TestWhatCountsAgainstACap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(t *testing.T, o *office)
		spared bool
	}{
		{"nothing", func(*testing.T, *office) {}, false},
		{"a message that was accepted", func(t *testing.T, o *office) { o.sent(t, Accepted) }, true},
		{"a message that may have left", func(t *testing.T, o *office) { o.sent(t, InDoubt) }, true},
		{"a message that was refused", func(t *testing.T, o *office) { o.sent(t, Refused) }, false},
		{"a message that was refused for now", func(t *testing.T, o *office) { o.sent(t, Transient) }, false},
		{"a message that was throttled", func(t *testing.T, o *office) { o.sent(t, Throttled) }, false},
		{"a message that was not sent", func(t *testing.T, o *office) { o.sent(t, NotSent) }, false},
		{"a message that ended before the period", func(t *testing.T, o *office) {
			run := o.sent(t, Accepted)
			o.exec(t, `UPDATE submission SET at = now() - interval '7 days 1 minute' WHERE run_id = $1`, run)
			o.exec(t, `UPDATE run SET frozen_at = now() - interval '8 days' WHERE id = $1`, run)
		}, false},
		{"a message at the period's beginning", func(t *testing.T, o *office) {
			run := o.sent(t, Accepted)
			o.exec(t, `UPDATE submission SET at = now() - interval '6 days 23 hours' WHERE run_id = $1`, run)
			o.exec(t, `UPDATE run SET frozen_at = now() - interval '8 days', state = 'done', finished_at = now() - interval '6 days' WHERE id = $1`, run)
		}, true},
		{"a test", func(t *testing.T, o *office) {
			o.exec(t, `UPDATE run SET kind = 'test' WHERE id = $1`, o.sent(t, Accepted))
		}, false},
		{"a message that is on its way", func(t *testing.T, o *office) {
			o.open(t, o.claim(t, o.newRun(t, terms{recipients: 1}), 0), 1)
		}, true},
		{"a message that is on its way again", func(t *testing.T, o *office) {
			run := o.newRun(t, terms{recipients: 1})
			lease := o.claim(t, run, 0)
			s := o.open(t, lease, 1)
			o.record(t, s, resultsOf(s, Transient))
			o.ageRedo(t, run)
			o.openRedo(t, lease, 1)
		}, true},
		{"a stride of others that leaves her out", func(t *testing.T, o *office) {
			lease := o.claim(t, o.newRun(t, terms{recipients: 1}), 0)
			skips := []Skip{{Seq: 1, Reason: "render"}}
			if _, err := o.ledger.OpenFirst(t.Context(), lease, firstStride(lease, 0), testPurpose, skips, 0); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a run that has not come to her", func(t *testing.T, o *office) { o.newRun(t, terms{recipients: 1}) }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			test.before(t, o)
			run := o.newRun(t, terms{recipients: 1})
			s, spared := o.openCapped(t, o.claim(t, run, 0), once, 1)
			if got := slices.Equal(spared, []int32{1}); got != test.spared {
				t.Fatalf("spared are %v, want her: %t", spared, test.spared)
			}
			want := Pending
			if test.spared {
				want = Skipped
				if reason := one[string](t, o, `SELECT reason || ': ' || detail FROM skip WHERE run_id = $1`, run); reason != "contact_cap: 1 sms / 7 days" {
					t.Errorf("she is skipped because of %q", reason)
				}
			}
			o.wantStates(t, run, want)
			var results []PartResult
			if !test.spared {
				results = resultsOf(s, Accepted)
			}
			o.record(t, s, results)
		})
	}
}

// A retry tries the same message again: what its freeze has let through is not held up by its own tree.
func TestARetryIsNotHeldUpByItsOwnTree(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.sent(t, Accepted)
	retried := o.sent(t, Accepted)
	o.exec(t, `UPDATE run SET parent_run = $1 WHERE id = $2`, first, retried)
	run := o.newRun(t, terms{recipients: 1})
	o.exec(t, `UPDATE run SET parent_run = $1 WHERE id = $2`, first, run)
	lease := o.claim(t, run, 0)
	if _, spared := o.openCapped(t, lease, once, 1); len(spared) != 0 {
		t.Error("the runs that it retries count against it")
	}
	// And what others send does.
	o.sent(t, Accepted)
	again := o.newRun(t, terms{recipients: 1})
	o.exec(t, `UPDATE run SET parent_run = $1 WHERE id = $2`, first, again)
	if _, spared := o.openCapped(t, o.claim(t, again, 0), once, 1); len(spared) != 1 {
		t.Error("a message of another campaign does not count against a retry")
	}
}

func TestACapCountsMessagesAndNotParts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lease := o.claim(t, o.newRun(t, terms{recipients: 1}), 0)
	s := o.open(t, lease, 3)
	o.record(t, s, resultsOf(s, Accepted))
	twice := Cap{Messages: 2, Period: day}
	if _, spared := o.openCapped(t, o.claim(t, o.newRun(t, terms{recipients: 1}), 0), twice, 1); len(spared) != 0 {
		t.Error("three parts count as more than one message")
	}
	if _, spared := o.openCapped(t, o.claim(t, o.newRun(t, terms{recipients: 1}), 0), twice, 1); len(spared) != 1 {
		t.Error("two messages do not reach a cap of two")
	}
}

func TestACapHoldsWhenAPartIsTriedAgain(t *testing.T) {
	t.Parallel()
	redoCapped := func(t *testing.T, o *office, lease *Lease, due []RedoPart, parts byte) ([]int32, error) {
		s := redoStride(lease, due, parts)
		s.Cap = once
		return o.ledger.OpenRedo(t.Context(), lease, s, testPurpose, nil, 0)
	}

	t.Run("nothing of it is out", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 2)
		o.record(t, s, resultsOf(s, Transient))
		o.sent(t, Accepted)
		o.ageRedo(t, run)
		spared, err := redoCapped(t, o, lease, o.due(t, lease)[:1], 2)
		if err != nil || !slices.Equal(spared, []int32{1}) {
			t.Fatalf("spared are %v, %v", spared, err)
		}
		o.wantStates(t, run, Skipped)
		if left := o.due(t, lease); len(left) != 0 {
			t.Errorf("parts of a message that is not sent wait to be sent: %+v", left)
		}
	})

	t.Run("a part of it is out", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		run := o.newRun(t, terms{recipients: 1})
		lease := o.claim(t, run, 0)
		s := o.open(t, lease, 2)
		results := resultsOf(s, Throttled)
		o.record(t, s, results)
		o.ageRedo(t, run)
		due := o.due(t, lease)
		// Its second part goes out by itself; the first was to wait for longer.
		alone := redoStride(lease, due[1:], 2)
		if _, err := o.ledger.OpenRedo(t.Context(), lease, alone, testPurpose, nil, 0); err != nil {
			t.Fatal(err)
		}
		o.record(t, alone, resultsOf(alone, Accepted))
		o.sent(t, Accepted)
		if spared, err := redoCapped(t, o, lease, due[:1], 2); err != nil || len(spared) != 0 {
			t.Fatalf("half a message is kept back: %v, %v", spared, err)
		}
	})
}

// Several campaigns go to the same people at once, with a hundred workers: everybody gets as many messages as
// the cap allows, nobody one more, and nobody one less.
func TestACapIsExactHoweverManyWriteAtOnce(t *testing.T) {
	t.Parallel()
	const (
		campaigns, people, batch, stride = 6, 200, 10, 5
		workers                          = 100
	)
	limit := Cap{Messages: 2, Period: day}
	o := newOffice(t)
	type work struct{ run, batch int32 }
	var queue []work
	for range campaigns {
		run := o.newRun(t, terms{recipients: people, batch: batch})
		for no := range int32(people / batch) {
			queue = append(queue, work{run, no})
		}
	}
	// All campaigns come to the same people at about the same time.
	slices.SortStableFunc(queue, func(a, b work) int { return int(a.batch - b.batch) })
	jobs := make(chan work, len(queue))
	for _, w := range queue {
		jobs <- w
	}
	close(jobs)
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for w := range jobs {
				if err := o.writeAll(w.run, w.batch, limit, stride); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	rows, err := o.db.Query(t.Context(), `
		SELECT n, count(*)
		FROM (SELECT count(*) AS n FROM submission s JOIN recipient r USING (run_id, seq) WHERE s.result = 'accepted' GROUP BY r.msisdn) got
		GROUP BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[int]int{}
	for rows.Next() {
		var messages, who int
		if err := rows.Scan(&messages, &who); err != nil {
			t.Fatal(err)
		}
		got[messages] = who
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[limit.Messages] != people {
		t.Errorf("people by the number of their messages: %v; want %d with %d each", got, people, limit.Messages)
	}
	if skips := one[int](t, o, `SELECT count(*) FROM skip WHERE reason = 'contact_cap'`); skips != people*(campaigns-limit.Messages) {
		t.Errorf("%d messages were held back, want %d", skips, people*(campaigns-limit.Messages))
	}
}

// writeAll opens strides over a batch until its end, and records them as accepted.
func (o *office) writeAll(run, batch int32, limit Cap, stride int) error {
	ctx := context.Background()
	lease, err := o.ledger.Claim(ctx, run, batch, fmt.Sprint(run, batch))
	if err != nil {
		return err
	}
	for lease.SentUpto < lease.Hi {
		s := firstStride(lease, slices.Repeat([]byte{1}, stride)...)
		s.Cap = limit
		spared, err := o.ledger.OpenFirst(ctx, lease, s, testPurpose, nil, 0)
		if err != nil {
			return err
		}
		if time.Until(s.SendBy) <= 0 {
			return errors.New("the wait for others took all the time that a stride has")
		}
		results := slices.DeleteFunc(resultsOf(s, Accepted), func(r PartResult) bool { return slices.Contains(spared, r.Seq) })
		if err := o.ledger.Record(ctx, s, results, RedoRule{OnUnknown: "hold"}); err != nil {
			return err
		}
	}
	return nil
}

// A test goes to a listed number, which may have had messages of many campaigns.
func TestATestIsNotHeldBackByTheCap(t *testing.T) {
	t.Parallel()
	limit := Cap{Messages: 1, Period: day}
	for kind, want := range map[string]Cap{"test": {}, "campaign": limit} {
		if got := (&Run{Kind: kind, Spec: Spec{PerContact: limit}}).Cap(); got != want {
			t.Errorf("a %s is held to %q, want %q", kind, got, want)
		}
	}
}
