package campaign

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// factsOf are such that a message of one part is in the state.
var factsOf = map[State]Facts{
	Pending:    {},
	Suppressed: {Flags: FlagSuppressed},
	Skipped:    {Flags: FlagSkipped},
	Unknown:    {Parts: 1, Unknown: Part(1)},
	Rejected:   {Parts: 1, Refused: Part(1)},
	Sent:       {Parts: 1, Accepted: Part(1)},
	Delivered:  {Parts: 1, Accepted: Part(1), Delivered: Part(1)},
	Failed:     {Parts: 1, Accepted: Part(1), Failed: Part(1)},
	Expired:    {Parts: 1, Accepted: Part(1), Expired: Part(1)},
	NoReceipt:  {Parts: 1, Accepted: Part(1), Flags: FlagWaited},
}

// ended puts the recipients of a run into the states, beginning with the first, and ends it.
func (o *office) ended(t tester, run int32, states ...State) {
	t.Helper()
	seen := make([]observation, len(states))
	for i, state := range states {
		seen[i] = observation{seq: int32(i) + 1, facts: factsOf[state]}
	}
	err := pgx.BeginFunc(context.Background(), o.db, func(tx pgx.Tx) error {
		return observe(context.Background(), tx, run, seen, time.Now())
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	o.wantStates(t, run, states...)
	o.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE id = $1`, run)
}

// allStates has ten people, one in each state, in the order of the states.
func allStates(t *testing.T) (*desk, int32) {
	t.Helper()
	d := newDesk(t, make([]string, stateCount)...)
	first := d.launch(t, "tree")
	d.ended(t, first.RunID, Pending, Suppressed, Skipped, Unknown, Rejected, Sent, Delivered, Failed, Expired, NoReceipt)
	return d, first.RunID
}

func (d *desk) retry(t tester, states ...State) *Status {
	t.Helper()
	status, err := d.Retry(context.Background(), "tree", RetryOptions{States: states, Actor: "asha"})
	if err != nil {
		t.Fatalf("retry: %v", err)
	}
	return status
}

// contacts lists who is in a run.
func (d *desk) contacts(t tester, run int32) []int64 {
	t.Helper()
	var list []int64
	for _, r := range d.recipients(t, run) {
		list = append(list, r.Contact)
	}
	return list
}

func TestRetryWritesToThoseInTheStatesOnly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		states []State
		who    []int64 // contact 1 is pending, 2 suppressed …
	}{
		"failed":                {[]State{Failed}, []int64{8}},
		"rejected":              {[]State{Rejected}, []int64{5}},
		"expired":               {[]State{Expired}, []int64{9}},
		"unknown":               {[]State{Unknown}, []int64{4}},
		"no receipt":            {[]State{NoReceipt}, []int64{10}},
		"several":               {[]State{NoReceipt, Failed, Expired}, []int64{8, 9, 10}},
		"all that can be asked": {RetryStates(), []int64{4, 5, 8, 9, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, first := allStates(t)
			plan, err := d.PlanRetry(t.Context(), "tree", RetryOptions{States: test.states})
			if err != nil {
				t.Fatal(err)
			}
			if plan.RetryOf != 1 || plan.Targeted != int64(len(test.who)) || plan.Recipients != plan.Targeted || len(plan.ByOutcome) != len(test.states) {
				t.Errorf("the plan is %+v", plan)
			}
			status := d.retry(t, test.states...)
			if got := d.contacts(t, status.RunID); !slices.Equal(got, test.who) {
				t.Errorf("written to are %v, want %v", got, test.who)
			}
			if status.Run != 2 || status.RetryOf != 1 || status.State != "running" || status.Kind != "campaign" {
				t.Errorf("the status is %+v", status)
			}
			if parent := one[int32](t, d.office, `SELECT parent_run FROM run WHERE id = $1`, status.RunID); parent != first {
				t.Errorf("it is linked to run %d, want %d", parent, first)
			}
			if !slices.Contains(d.hints, status.RunID) {
				t.Error("nobody is told to begin")
			}
			type event struct {
				RetryOf int      `json:"retry_of"`
				Run     int      `json:"run"`
				States  []string `json:"states"`
			}
			after := one[event](t, d.office, `SELECT after FROM audit_event WHERE action = 'campaign.retry'`)
			if diff := cmp.Diff(event{1, 2, stateNamesOf(test.states)}, after); diff != "" {
				t.Errorf("the record (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetryOfARetryCountsTheNewestAttempt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, make([]string, 6)...)
	first := d.launch(t, "tree")
	d.ended(t, first.RunID, Failed, Failed, Failed, Failed, Expired, Delivered)
	second := d.retry(t, Failed)
	// Of the four: one reached, one awaited, one not come to, one failed again.
	d.ended(t, second.RunID, Delivered, Sent, Skipped, Failed)
	third := d.retry(t, Failed)
	if got := d.contacts(t, third.RunID); !slices.Equal(got, []int64{3, 4}) {
		t.Errorf("the third run writes to %v; want who was not come to and who failed again, 3 and 4", got)
	}
	if third.Run != 3 || third.RetryOf != 1 {
		t.Errorf("it is run %d, a retry of run %d", third.Run, third.RetryOf)
	}
	d.ended(t, third.RunID, Delivered, Expired)
	fourth := d.retry(t, Expired)
	if got := d.contacts(t, fourth.RunID); !slices.Equal(got, []int64{4, 5}) {
		t.Errorf("the fourth run writes to %v, want 4 and 5", got)
	}
	d.ended(t, fourth.RunID, Delivered, Delivered)
	if _, err := d.Retry(t.Context(), "tree", RetryOptions{States: RetryStates()}); !errors.Is(err, ErrConflict) {
		t.Errorf("with nobody left: %v", err)
	}
	tree, err := ReadTree(t.Context(), d.db, first.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if totals := tree.Totals(); totals != (Totals{Delivered: 5, Sent: 1}) || tree.Retries != 3 || tree.People() != 6 {
		t.Errorf("the tree ended with %+v over %d retries of %d people", totals, tree.Retries, tree.People())
	}
}

func TestRetryAsksAnewWhoMayBeWrittenTo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, make([]string, 7)...)
	first := d.launch(t, "tree")
	d.ended(t, first.RunID, slices.Repeat([]State{Failed}, 7)...)
	d.stop(t, 1)
	for _, change := range []string{
		`consent_sms = false WHERE id = 2`, `age = 15, age_on = '2026-11-01' WHERE id = 3`, `msisdn = msisdn + 1000 WHERE id = 4`, `invented = true WHERE id = 6`,
	} {
		d.exec(t, `UPDATE contact SET `+change)
	}
	d.exec(t, `DELETE FROM contact WHERE id = 5`)
	status := d.retry(t, Failed)
	want := map[int64]string{1: "suppressed", 2: "no_consent", 3: "under_18", 4: "number_removed", 5: "number_removed", 6: "invented"}
	if diff := cmp.Diff(want, d.reasons(t, status.RunID)); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	if got := d.contacts(t, status.RunID); !slices.Equal(got, []int64{7}) {
		t.Errorf("written to are %v, want 7", got)
	}
	if status.Targeted != 7 || status.Excluded != 6 {
		t.Errorf("targeted %d, left out %d", status.Targeted, status.Excluded)
	}
	hash := one[[]byte](t, d.office, `SELECT snapshot_hash FROM run WHERE id = $1`, status.RunID)
	err := pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) error {
		again, err := HashRun(t.Context(), tx, status.RunID)
		if !slices.Equal(again, hash) || len(hash) == 0 {
			t.Errorf("the run's hash is %x, its rows say %x", hash, again)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// Whoever is left out of a retry is not tried by it, and can be in the next one.
	d.ended(t, status.RunID, Delivered)
	d.exec(t, `UPDATE contact SET consent_sms = true WHERE id = 2`)
	if next := d.retry(t, Failed); !slices.Equal(d.contacts(t, next.RunID), []int64{2}) {
		t.Errorf("the next retry writes to %v", d.contacts(t, next.RunID))
	}
}

func TestRetrySendsWhatWasFrozen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "language='hi'", "")
	first := d.launch(t, "tree")
	before := d.recipients(t, first.RunID)
	d.ended(t, first.RunID, Failed, Failed)
	// Since then she moved, took another name and language, and the template got another version.
	d.exec(t, `UPDATE contact SET name = 'Mina', language = 'en', home_district = NULL, home_state = NULL`)
	newer := strings.ReplaceAll(introTemplate, "your ration card works", "your card works")
	if _, _, err := templates.NewStore(d.db).Add(t.Context(), []byte(newer), "test"); err != nil {
		t.Fatal(err)
	}
	status := d.retry(t, Failed)
	if diff := cmp.Diff(before, d.recipients(t, status.RunID)); diff != "" {
		t.Errorf("words and values are not those of the first run (-want +got):\n%s", diff)
	}
	if version := one[int](t, d.office, `SELECT template_version FROM run WHERE id = $1`, status.RunID); version != 1 {
		t.Errorf("version %d of the template goes out", version)
	}
	if one[string](t, d.office, `SELECT forecast ->> 'recipients' FROM run WHERE id = $1`, status.RunID) != "2" {
		t.Error("the retry has no forecast of its own")
	}
}

func TestRetryOfAnOlderRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	first := d.launch(t, "tree")
	d.ended(t, first.RunID, Failed, Delivered)
	again, err := d.Launch(t.Context(), "tree", LaunchOptions{Again: true, Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	d.ended(t, again.RunID, Delivered, Failed)
	third := d.retry(t, Failed)
	if got := d.contacts(t, third.RunID); !slices.Equal(got, []int64{2}) || third.RetryOf != 2 {
		t.Errorf("the newest run's retry is of run %d, to %v", third.RetryOf, got)
	}
	d.ended(t, third.RunID, Delivered)
	older, err := d.Retry(t.Context(), "tree", RetryOptions{States: []State{Failed}, Run: 1, Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.contacts(t, older.RunID); !slices.Equal(got, []int64{1}) || older.RetryOf != 1 || older.Run != 4 {
		t.Errorf("run %d is a retry of run %d, to %v", older.Run, older.RetryOf, got)
	}
}

func TestRetryKeepsHolidays(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	d.Holidays = shipped(t)
	d.create(t, "tree", "window: {holidays: [national, BR]}")
	first, err := d.Launch(t.Context(), "tree", LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	d.ended(t, first.RunID, Failed, Delivered)
	d.now = time.Date(2026, 12, 25, 11, 0, 0, 0, India)
	plan, err := d.PlanRetry(t.Context(), "tree", RetryOptions{States: []State{Failed}})
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 12, 26, 10, 0, 0, 0, India); !plan.StartsAt.Equal(want) || !strings.Contains(plan.Window, "national, BR") {
		t.Errorf("on Christmas it would start at %s in window %s, want %s", plan.StartsAt, plan.Window, want)
	}
	if status := d.retry(t, Failed); status.WaitingUntil == nil || !strings.Contains(status.Why, "Christmas") {
		t.Errorf("the retry's status is %+v", status)
	}
}

func TestRetryRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ask := func(what string, opt RetryOptions, kind error, mend string) {
		t.Helper()
		for how, err := range map[string]error{
			"retry": func() error { _, err := d.Retry(t.Context(), "tree", opt); return err }(),
			"plan":  func() error { _, err := d.PlanRetry(t.Context(), "tree", opt); return err }(),
		} {
			if !errors.Is(err, kind) || !strings.Contains(err.Error(), mend) {
				t.Errorf("%s, %s: %v; want %v that says %q", what, how, err, kind, mend)
			}
		}
	}
	failed := RetryOptions{States: []State{Failed}}
	ask("no campaign", failed, ErrNotFound, "campaign list")
	d.create(t, "tree")
	ask("no run", failed, ErrConflict, "has not been launched")
	first, err := d.Launch(t.Context(), "tree", LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	ask("a run that is going", failed, ErrConflict, "wait for it or cancel it")
	d.ended(t, first.RunID, Failed, Delivered)
	ask("no state", RetryOptions{}, ErrInvalid, "--failed, --rejected, --expired, --unknown, --no-receipt")
	ask("who was reached", RetryOptions{States: []State{Delivered}}, ErrInvalid, "--failed")
	ask("who said stop", RetryOptions{States: []State{Failed, Suppressed}}, ErrInvalid, "--failed")
	ask("nobody in the state", RetryOptions{States: []State{Expired}}, ErrConflict, "pukar report summary tree")
	ask("a run that is not there", RetryOptions{States: []State{Failed}, Run: 7}, ErrNotFound, "no run 7")
	d.exec(t, `UPDATE contact SET consent_sms = false WHERE id = 1`)
	ask("everybody left out", failed, ErrInvalid, "no_consent 1")
	d.exec(t, `UPDATE contact SET consent_sms = true`)
	if _, err := d.Retry(t.Context(), "tree", RetryOptions{States: []State{Failed}, Expected: 2}); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "--dry-run") {
		t.Errorf("another number of people: %v", err)
	}
	d.exec(t, `INSERT INTO restoration (noticed_at, found) VALUES (now(), 'a test')`)
	ask("a restoration", failed, ErrConflict, "resume-all --after-restore")
	d.exec(t, `UPDATE restoration SET cleared_at = now(), cleared_by = 'test'`)
	d.Approval = true
	ask("no approval", failed, ErrConflict, "campaign submit")
	d.Approval = false
	second := d.retry(t, Failed)
	ask("a retry that is going", failed, ErrConflict, "wait for it or cancel it")
	d.ended(t, second.RunID, Failed)
	ask("a retry's number", RetryOptions{States: []State{Failed}, Run: 2}, ErrConflict, "--run 1")
	if n := one[int](t, d.office, `SELECT count(*) FROM run`); n != 2 {
		t.Errorf("%d runs were made, want 2", n)
	}
}

func TestRetryOfUnknownSaysThatItMayArriveTwice(t *testing.T) {
	t.Parallel()
	d, _ := allStates(t)
	plan, err := d.PlanRetry(t.Context(), "tree", RetryOptions{States: []State{Unknown, Failed}})
	if err != nil {
		t.Fatal(err)
	}
	twice := func(w string) bool { return strings.Contains(w, "twice") }
	if !slices.ContainsFunc(plan.Warnings, twice) {
		t.Errorf("the warnings are %q", plan.Warnings)
	}
	if plan, err = d.PlanRetry(t.Context(), "tree", RetryOptions{States: []State{Failed}}); err != nil || slices.ContainsFunc(plan.Warnings, twice) {
		t.Errorf("a failed message is said to come twice: %q, %v", plan.Warnings, err)
	}
}

func TestAFreezeLeavesOutWhoReachedTheCap(t *testing.T) {
	t.Parallel()
	d := newDesk(t, make([]string, 4)...)
	for range 2 { // persons 1 and 2 get two messages, 3 one
		run := d.newRun(t, terms{recipients: 2})
		d.send(t, d.claim(t, run, 0), 2)
	}
	run := d.newRun(t, terms{recipients: 3})
	lease := d.claim(t, run, 0)
	s := d.open(t, lease, 1, 1, 1)
	results := resultsOf(s, Refused)
	results[2] = withResult(s, results[2], InDoubt)
	d.record(t, s, results)
	d.create(t, "tree", "caps: {per_contact: 2 sms / 7 days}")
	plan, err := d.Plan(t.Context(), "tree")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Tally{{"contact_cap", 2}}, plan.ByReason); diff != "" || plan.Recipients != 2 {
		t.Errorf("%d people would be written to; left out (-want +got):\n%s", plan.Recipients, diff)
	}
	status, err := d.Launch(t.Context(), "tree", LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int64]string{1: "contact_cap", 2: "contact_cap"}, d.reasons(t, status.RunID)); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	d.create(t, "stricter", "caps: {per_contact: 1 sms / 7 days}")
	if plan, err = d.Plan(t.Context(), "stricter"); err != nil || plan.Recipients != 1 {
		t.Errorf("a cap of one leaves %d, %v; want the one who got nothing", plan.Recipients, err)
	}
	d.create(t, "free")
	if plan, err = d.Plan(t.Context(), "free"); err != nil || plan.Recipients != 4 {
		t.Errorf("without a cap %d, %v", plan.Recipients, err)
	}
}

// What did not reach her is no message that she got: it can be tried again under any cap. What may have
// reached her counts, for as long as the cap says.
func TestACapAndTheRetryOfItsOwnRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, make([]string, 3)...)
	first := d.launch(t, "tree", "caps: {per_contact: 1 sms / 7 days}")
	lease := d.claim(t, first.RunID, 0)
	s := d.open(t, lease, 1, 1, 1)
	results := resultsOf(s, Accepted)
	results[1] = withResult(s, results[1], InDoubt)
	d.record(t, s, results)
	failed := Facts{Parts: 1, Failed: Part(1)}
	err := pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) error {
		return observe(t.Context(), tx, first.RunID, []observation{{seq: 1, facts: failed}}, time.Time{})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.ended(t, first.RunID, Failed, Unknown, Sent)
	second := d.retry(t, Failed, Unknown)
	if diff := cmp.Diff(map[int64]string{2: "contact_cap"}, d.reasons(t, second.RunID)); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	// And the stride lets her through as the freeze did.
	lease = d.claim(t, second.RunID, 0)
	retried, spared := d.openCapped(t, lease, once, 1)
	if len(spared) != 0 {
		t.Error("the stride holds back whom the freeze let through")
	}
	d.record(t, retried, resultsOf(retried, Refused))
	d.ended(t, second.RunID, Rejected)
	// After its time the other one can be written to as well.
	d.exec(t, `UPDATE submission SET at = at - interval '8 days'`)
	d.exec(t, `UPDATE outcome SET last_result = last_result - interval '8 days'`)
	third := d.retry(t, Unknown)
	if got := d.contacts(t, third.RunID); !slices.Equal(got, []int64{2}) {
		t.Errorf("after the period it is written to %v", got)
	}
	// Another campaign's message counts against a retry too.
	d.ended(t, third.RunID, Failed)
	other := d.newRun(t, terms{recipients: 3})
	d.send(t, d.claim(t, other, 0), 3)
	if _, err := d.Retry(t.Context(), "tree", RetryOptions{States: []State{Failed}}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "contact_cap 1") {
		t.Errorf("a retry after another campaign's message: %v", err)
	}
}

// The frozen campaign names its holidays; which days those are, the installation says.
func TestARetryKeepsTheHolidaysOfItsCampaign(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.Holidays = shipped(t)
	first := d.launch(t, "tree", "window: {holidays: national}")
	d.ended(t, first.RunID, Failed)
	d.now = time.Date(2026, 11, 24, 12, 0, 0, 0, India) // Guru Nanak's birthday
	plan, err := d.PlanRetry(t.Context(), "tree", RetryOptions{States: []State{Failed}})
	if want := time.Date(2026, 11, 25, 10, 0, 0, 0, India); err != nil || !plan.StartsAt.Equal(want) {
		t.Fatalf("%+v, %v, want it to begin after the holiday", plan, err)
	}
	if status := d.retry(t, Failed); status.Recipients != 1 || status.WaitingUntil == nil || !status.WaitingUntil.Equal(plan.StartsAt) {
		t.Errorf("%+v", status)
	}
}
