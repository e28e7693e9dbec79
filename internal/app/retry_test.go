package app

import (
	"fmt"
	"slices"
	"testing"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// people of the report by their outcome.
func (b *bench) whoIs(name string, outcomes ...string) []string {
	b.t.Helper()
	var numbers []string
	for number, row := range b.report(name) {
		if slices.Contains(outcomes, row.outcome) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

func (b *bench) retry(name string, states ...campaign.State) *campaign.Status {
	b.t.Helper()
	status, err := b.app.Campaigns.Retry(b.t.Context(), name, campaign.RetryOptions{States: states, Actor: "test"})
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}

// messages counts the messages of each number that the centre took.
func (b *bench) messages() map[string]int {
	n := make(map[string]int)
	for number, parts := range b.accepted() {
		references := make(map[string]bool)
		for _, s := range parts {
			if s.esmClass&0x40 == 0 || s.payload[s.payload[0]] == 1 { // the whole, or the first part of several: the number of a part ends its header
				references[fmt.Sprint(s.at.UnixNano(), string(s.payload))] = true
			}
		}
		n[number] = len(references)
	}
	return n
}

func TestARetryReachesExactlyThoseWhoWereNotReached(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{FailRatio: 0.3, ExpireRatio: 0.2}, nil)
	b.run()
	const people = 300
	b.people(people)
	b.launch("again")
	first := b.done("again")
	missed := b.whoIs("again", "failed", "expired")
	if len(missed) == 0 || len(missed) == people || first.Totals.Expired == 0 || first.Totals.Failed == 0 {
		t.Fatalf("the first run ended with %+v: the test shows nothing", first.Totals)
	}
	// One of them says stop in between.
	stopped := missed[0]
	if err := b.centre.Inject(stopped, "56161", "STOP"); err != nil {
		t.Fatal(err)
	}
	plan, err := b.app.Campaigns.PlanRetry(t.Context(), "again", campaign.RetryOptions{States: []campaign.State{campaign.Failed, campaign.Expired}})
	if err != nil || plan.Targeted != int64(len(missed)) || plan.Excluded != 1 || plan.ByReason[0].Name != "suppressed" {
		t.Fatalf("the plan is %+v, %v; %d were missed and one said stop", plan, err, len(missed))
	}
	reached := b.whoIs("again", "delivered")
	retried := missed[1:]
	for round := int32(2); round <= 4 && len(retried) > 0; round++ {
		status := b.retry("again", campaign.Failed, campaign.Expired)
		if status.Run != round || status.RetryOf != 1 || status.Recipients != int64(len(retried)) || status.Excluded != 1 {
			t.Fatalf("retry %d is %+v; want %d people", round, status, len(retried))
		}
		b.done("again")
		rows := b.report("again")
		for _, number := range retried {
			if rows[number].outcome == "" {
				t.Errorf("run %d does not have %s", round, number)
			}
		}
		if len(rows) != len(retried) {
			t.Errorf("run %d has %d people, want %d", round, len(rows), len(retried))
		}
		reached = append(reached, b.whoIs("again", "delivered")...)
		retried = b.whoIs("again", "failed", "expired")
	}
	slices.Sort(reached)
	if len(slices.Compact(slices.Clone(reached))) != len(reached) {
		t.Error("somebody was written to again after she was reached")
	}
	tree, err := campaign.ReadTree(t.Context(), b.app.Pool, first.RunID)
	if err != nil || tree.Totals().Delivered != int64(len(reached)) || tree.Totals().Sum() != people {
		t.Errorf("the tree says %+v, %v; reached are %d", tree.Totals(), err, len(reached))
	}
	if stats := b.centre.Stats(); stats.AfterStop != 0 {
		t.Errorf("the centre counts %d parts after a stop", stats.AfterStop)
	}
	// By the centre's own record: a message for each run that a person was in, and no more.
	runs := make(map[string]int64)
	for i := range people {
		runs[numberOf(i)] = b.count(`SELECT count(*) FROM recipient WHERE msisdn = $1`, firstNumber+i)
	}
	for number, n := range b.messages() {
		if int64(n) != runs[number] {
			t.Errorf("%s got %d messages in %d runs", number, n, runs[number])
		}
	}
}

func TestARetryOfUnknownMessages(t *testing.T) {
	t.Parallel()
	// Nothing is said of these: neither a response nor, on this route, a receipt.
	b := newBench(t, smsc.Options{SilentRatio: 0.1, DeliverRatio: 1e-9}, nil)
	b.config.Routes[0].Receipts = false
	b.run()
	const people = 60
	b.people(people)
	b.launch("silent")
	status := b.done("silent")
	unknown := b.whoIs("silent", "unknown")
	if len(unknown) == 0 || status.Totals.Unknown != int64(len(unknown)) || status.Totals.Sent != int64(people-len(unknown)) {
		t.Fatalf("the run ended with %+v", status.Totals)
	}
	again := b.retry("silent", campaign.Unknown)
	if again.Recipients != int64(len(unknown)) || again.RetryOf != 1 {
		t.Fatalf("the retry is %+v, want %d people", again, len(unknown))
	}
	b.done("silent")
	messages := b.messages()
	for i := range people {
		want := 1
		if slices.Contains(unknown, numberOf(i)) {
			want = 2
		}
		if got := messages[numberOf(i)]; got != want {
			t.Errorf("person %d got %d messages, want %d", i, got, want)
		}
	}
}

func TestACapHoldsBetweenTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{ResponseDelay: 1}, nil)
	b.run()
	const people = 600
	b.people(people)
	capped := introCampaign + "caps: {per_contact: 1 sms / 7 days}\n"
	for _, name := range []string{"left", "right", "third"} {
		b.create(introTemplate, fmt.Sprintf(capped, name))
	}
	names := []string{"left", "right"}
	errs := make(chan error, len(names))
	for _, name := range names {
		go func() {
			_, err := b.app.Campaigns.Launch(t.Context(), name, campaign.LaunchOptions{Actor: "test"})
			errs <- err
		}()
	}
	for range names {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	left, right := b.done("left"), b.done("right")
	if left.Totals.Delivered+right.Totals.Delivered != people {
		t.Errorf("left %+v, right %+v: everybody was to get one message", left.Totals, right.Totals)
	}
	if left.Totals.Skipped+right.Totals.Skipped+left.Excluded+right.Excluded != people {
		t.Errorf("left %+v, right %+v: everybody was to be spared the other", left, right)
	}
	for number, n := range b.messages() {
		if n != 1 {
			t.Errorf("%s got %d messages", number, n)
		}
	}
	if _, err := b.app.Campaigns.Launch(t.Context(), "third", campaign.LaunchOptions{Actor: "test"}); err == nil {
		t.Error("a third campaign found somebody to write to")
	}
}
