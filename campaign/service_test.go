package campaign

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/internal/auditlog"
)

// wants fails unless err is of the kind and says the words.
func wants(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %v", err, kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// events lists what is on record: actor, action and subject.
func (d *desk) events(t *testing.T) []string {
	t.Helper()
	if v, err := auditlog.Verify(t.Context(), d.db); err != nil || !v.OK() {
		t.Errorf("the record does not verify: %+v, %v", v, err)
	}
	list, err := auditlog.List(t.Context(), d.db, auditlog.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, e := range list {
		events = append(events, fmt.Sprintf("%s %s %s", e.Actor, e.Action, e.Subject))
	}
	slices.Sort(events)
	return events
}

func TestCreateAndUpdate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	created, err := d.Create(ctx, campaignFile("first"), "asha")
	if err != nil {
		t.Fatal(err)
	}
	if created.Name != "first" || created.Stage != StageDraft || created.Actor != "asha" || created.Source != string(campaignFile("first")) {
		t.Errorf("created %+v", created)
	}
	_, err = d.Create(ctx, campaignFile("first", "priority: bulk"), "asha")
	wants(t, err, ErrConflict, `there is a campaign "first" already`, "pukar campaign update")
	updated, err := d.Update(ctx, campaignFile("first", "priority: bulk"), "bela")
	if err != nil || !strings.Contains(updated.Source, "priority: bulk") {
		t.Errorf("updated %+v, %v", updated, err)
	}
	_, err = d.Update(ctx, campaignFile("second"), "bela")
	wants(t, err, ErrNotFound, `there is no campaign "second"`, "pukar campaign list")
	_, err = d.Get(ctx, "second")
	wants(t, err, ErrNotFound, `there is no campaign "second"`)

	for _, test := range []struct {
		line  string
		words []string
	}{
		{"steps: [{sms: {template: intro, route: away}}]", []string{`no route "away"`, "main, sim"}},
		{"steps: [{sms: {template: outro, route: main}}]", []string{`no template "outro"`, "pukar template add"}},
		{"audience: {scheme: onrc}", []string{"audience:", "onrc"}},
		{"audience: {home: [Atlantis]}", []string{"audience:", "Atlantis"}},
		{`audience: {where: "age >="}`, []string{"audience:"}},
		{`audience: {where: "age == 'x'"}`, []string{"audience:"}},
		{`window: {days: sun, from: "21:00", to: "22:00"}`, nil},
	} {
		lines := []string{test.line}
		if test.words == nil {
			lines = append(lines, "steps: [{sms: {template: offer, route: main}}]")
			test.words = []string{"window:", "outside the hours", "promotional", "10:00 to 21:00", "widen it"}
		}
		_, err := d.Create(ctx, campaignFile("bad", lines...), "asha")
		wants(t, err, ErrInvalid, test.words...)
		_, err = d.Update(ctx, campaignFile("first", lines...), "asha")
		wants(t, err, ErrInvalid, test.words...)
	}
	if again, err := d.Get(ctx, "first"); err != nil || again.Source != updated.Source {
		t.Errorf("a bad file changed the campaign: %+v, %v", again, err)
	}
	if diff := cmp.Diff([]string{"asha campaign.create first", "bela campaign.update first"}, d.events(t)); diff != "" {
		t.Error(diff)
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.Approval = true
	ctx := t.Context()
	d.create(t, "approved")
	_, err := d.Launch(ctx, "approved", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, `campaign "approved" is draft`, "asks for an approval", "pukar campaign submit approved")
	_, err = d.Approve(ctx, "approved", "bela")
	wants(t, err, ErrConflict, "is draft: submit it first")
	submitted, err := d.Submit(ctx, "approved", "asha")
	if err != nil || submitted.Stage != StageSubmitted || submitted.SubmittedBy != "asha" {
		t.Errorf("%+v, %v", submitted, err)
	}
	_, err = d.Submit(ctx, "approved", "asha")
	wants(t, err, ErrConflict, "is submitted: only a draft can be submitted")
	_, err = d.Update(ctx, campaignFile("approved"), "asha")
	wants(t, err, ErrConflict, "is submitted: only a draft can be changed")
	_, err = d.Launch(ctx, "approved", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, "is submitted")
	_, err = d.Approve(ctx, "approved", "asha")
	wants(t, err, ErrConflict, "submitted by asha: somebody else has to approve it")
	approved, err := d.Approve(ctx, "approved", "bela")
	if err != nil || approved.Stage != StageApproved || approved.ApprovedBy != "bela" || approved.SubmittedBy != "asha" {
		t.Errorf("%+v, %v", approved, err)
	}
	if status, err := d.Status(ctx, "approved"); err != nil || *status != (Status{Name: "approved", State: "approved"}) {
		t.Errorf("status is %+v, %v", status, err)
	}
	if _, err := d.Launch(ctx, "approved", LaunchOptions{Actor: "asha"}); err != nil {
		t.Error(err)
	}
	_, err = d.Submit(ctx, "approved", "asha")
	wants(t, err, ErrConflict, "is launched")
	_, err = d.Submit(ctx, "none", "asha")
	wants(t, err, ErrNotFound, `no campaign "none"`)
	_, err = d.Approve(ctx, "none", "asha")
	wants(t, err, ErrNotFound, `no campaign "none"`)
	want := []string{"asha campaign.create approved", "asha campaign.launch approved", "asha campaign.submit approved", "bela campaign.approve approved"}
	if diff := cmp.Diff(want, d.events(t)); diff != "" {
		t.Error(diff)
	}
}

func TestLaunchAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ctx := t.Context()
	again := LaunchOptions{Again: true, Actor: "asha"}
	_, err := d.Launch(ctx, "twice", again)
	wants(t, err, ErrNotFound, `no campaign "twice"`)
	first := d.launch(t, "twice")
	if first.Run != 1 || first.State != "running" || first.Kind != "campaign" || first.Route != "main" || len(first.SnapshotHash) != 64 || first.StartedAt == nil || first.ForecastEnd == nil {
		t.Errorf("status is %+v", first)
	}
	_, err = d.Update(ctx, campaignFile("twice"), "asha")
	wants(t, err, ErrConflict, "is launched: only a draft can be changed")
	for _, opt := range []LaunchOptions{again, {Actor: "asha"}} {
		_, err = d.Launch(ctx, "twice", opt)
		wants(t, err, ErrConflict, `run 1 of campaign "twice" is running`, "wait for it or cancel it")
	}
	d.exec(t, `UPDATE run SET state = 'done', finished_at = now()`)
	_, err = d.Launch(ctx, "twice", LaunchOptions{Actor: "asha"})
	wants(t, err, ErrConflict, "ran before (run 1, done)", "--again")
	second, err := d.Launch(ctx, "twice", again)
	if err != nil || second.Run != 2 || second.RunID == first.RunID || second.SnapshotHash != first.SnapshotHash {
		t.Errorf("%+v, %v", second, err)
	}
	old, err := d.RunStatus(ctx, "twice", "campaign", 1)
	if err != nil || old.RunID != first.RunID || old.State != "done" || old.FinishedAt == nil {
		t.Errorf("run 1 is %+v, %v", old, err)
	}
	_, err = d.RunStatus(ctx, "twice", "campaign", 3)
	wants(t, err, ErrNotFound, `campaign "twice" has no campaign run 3`)
}

func TestPauseResumeCancel(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ctx := t.Context()
	d.create(t, "moves")
	for verb, move := range map[string]func() error{
		"pause":  func() error { _, err := d.Pause(ctx, "moves", "asha", ""); return err },
		"resume": func() error { _, err := d.Resume(ctx, "moves", "asha"); return err },
		"cancel": func() error { _, err := d.Cancel(ctx, "moves", "asha", ""); return err },
	} {
		wants(t, move(), ErrConflict, `campaign "moves" has not been launched`)
		_ = verb
	}
	_, err := d.Pause(ctx, "none", "asha", "")
	wants(t, err, ErrNotFound, `no campaign "none"`)

	run, err := d.Launch(ctx, "moves", LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Resume(ctx, "moves", "asha")
	wants(t, err, ErrConflict, "is running: it cannot be told to resume")
	lease := d.claim(t, run.RunID, 0)
	paused, err := d.Pause(ctx, "moves", "bela", "wrong text")
	if err != nil || paused.State != "pausing" || paused.Why != "wrong text" {
		t.Errorf("%+v, %v", paused, err)
	}
	if _, err := d.office.ledger.OpenFirst(ctx, lease, firstStride(lease, 1), testPurpose, nil, 0); !errors.Is(err, ErrFenced) {
		t.Errorf("a stride was opened after the pause: %v", err)
	}
	_, err = d.Pause(ctx, "moves", "asha", "")
	wants(t, err, ErrConflict, "is pausing: it cannot be told to pause")
	if state := d.advance(t, run.RunID); state != RunPaused {
		t.Errorf("it is %s, want paused", state)
	}
	d.hints = nil
	resumed, err := d.Resume(ctx, "moves", "asha")
	if err != nil || resumed.State != "running" || resumed.Why != "" || !slices.Equal(d.hints, []int32{run.RunID}) {
		t.Errorf("%+v, %v, hints %v", resumed, err, d.hints)
	}
	cancelled, err := d.Cancel(ctx, "moves", "asha", "enough")
	if err != nil || cancelled.State != "cancelling" || cancelled.Why != "enough" {
		t.Errorf("%+v, %v", cancelled, err)
	}
	for range 3 {
		d.advance(t, run.RunID)
	}
	over, err := d.Status(ctx, "moves")
	if err != nil || over.State != "cancelled" || over.FinishedAt == nil || over.Totals != (Totals{Skipped: 2}) || over.Why != "enough" {
		t.Errorf("%+v, %v", over, err)
	}
	_, err = d.Cancel(ctx, "moves", "asha", "")
	wants(t, err, ErrConflict, "is cancelled: it cannot be told to cancel")
	_, err = d.Resume(ctx, "moves", "asha")
	wants(t, err, ErrConflict, "is cancelled: it cannot be told to resume")
	want := []string{
		"asha campaign.cancel moves", "asha campaign.create moves", "asha campaign.launch moves", "asha campaign.resume moves", "bela campaign.pause moves",
	}
	if diff := cmp.Diff(want, d.events(t)); diff != "" {
		t.Error(diff)
	}
}

func TestStatusSaysWhatHolds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	why := ""
	d.RouteState = func(route string) string {
		if route != "main" {
			t.Errorf("asked for route %q", route)
		}
		return why
	}
	d.launch(t, "held")
	status := func() *Status {
		t.Helper()
		s, err := d.Status(ctx, "held")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); s.WaitingUntil != nil || s.Why != "" {
		t.Errorf("it waits for %v, %q", s.WaitingUntil, s.Why)
	}
	d.now = ist("2026-11-23 19:00:00")
	if s := status(); s.WaitingUntil == nil || !s.WaitingUntil.Equal(ist("2026-11-24 10:00:00")) {
		t.Errorf("it waits until %v, want the next morning", s.WaitingUntil)
	}
	why = "no bind is up"
	if s := status(); s.Why != "route main: no bind is up" {
		t.Errorf("why is %q", s.Why)
	}
	plan, err := d.Plan(ctx, "held")
	if err != nil || !slices.Contains(plan.Warnings, "route main cannot send now: no bind is up") {
		t.Errorf("the plan warns of %q, %v", plan.Warnings, err)
	}
}

func TestTestRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", fmt.Sprintf("msisdn=%d, language='hi'", firstNumber+90))
	ctx := t.Context()
	d.create(t, "tested", "priority: bulk")
	listed, other := fmt.Sprint(firstNumber+90), fmt.Sprint(firstNumber)
	_, err := d.Test(ctx, "tested", "12345", "", "asha")
	wants(t, err, ErrInvalid, "--to:")
	_, err = d.Test(ctx, "tested", other, "", "asha")
	wants(t, err, ErrInvalid, "--to:", "test_numbers")
	_, err = d.Test(ctx, "none", listed, "", "asha")
	wants(t, err, ErrNotFound, `no campaign "none"`)
	_, err = d.Test(ctx, "tested", listed, "ta", "asha")
	wants(t, err, ErrInvalid, "--language", "en, hi")
	if runs := one[int](t, d.office, `SELECT count(*) FROM run`) + one[int](t, d.office, `SELECT count(*) FROM recipient`); runs != 0 {
		t.Errorf("%d rows are left of tests that were refused", runs)
	}
	for i, language := range []string{"", "en"} {
		status, err := d.Test(ctx, "tested", listed, language, "asha")
		if err != nil {
			t.Fatal(err)
		}
		if status.Kind != "test" || status.Run != int32(i)+1 || status.Priority != "urgent" || status.Recipients != 1 || status.Totals != (Totals{Pending: 1}) {
			t.Errorf("status is %+v", status)
		}
		got := d.recipients(t, status.RunID)
		if want := []string{"hi", "en"}[i]; len(got) != 1 || got[0].Language != want || len(got[0].Vars) != 2 {
			t.Errorf("it goes to %+v, want in %s", got, want)
		}
		run, err := d.office.ledger.Run(ctx, status.RunID)
		if err != nil || run.Window("service", nil) != AlwaysWindow() || run.Window("promotional", nil) != LegalWindow("promotional") {
			t.Errorf("a test keeps the law's window only: %+v, %v", run, err)
		}
	}
	// A test is no run of the campaign.
	if status, err := d.Status(ctx, "tested"); err != nil || status.State != "draft" || status.Run != 0 {
		t.Errorf("status is %+v, %v", status, err)
	}
	if _, err := d.Launch(ctx, "tested", LaunchOptions{Actor: "asha"}); err != nil {
		t.Error(err)
	}
	for _, e := range d.events(t) {
		if strings.Contains(e, listed) {
			t.Errorf("a number is on record: %s", e)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ctx := t.Context()
	d.create(t, "b-draft")
	d.launch(t, "a-running")
	d.launch(t, "c-done")
	d.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE id = (SELECT max(id) FROM run)`)
	if _, err := d.Launch(ctx, "c-done", LaunchOptions{Again: true, Actor: "asha"}); err != nil {
		t.Fatal(err)
	}
	list := func(after string) []Line {
		lines, err := d.List(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		for i := range lines {
			lines[i].UpdatedAt = time.Time{}
		}
		return lines
	}
	want := []Line{{Name: "a-running", State: "running", Run: 1, Recipients: 2}, {Name: "b-draft", State: "draft"}, {Name: "c-done", State: "running", Run: 2, Recipients: 2}}
	if diff := cmp.Diff(want, list("")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[2:], list("b-draft")); diff != "" {
		t.Error(diff)
	}
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for kind, err := range map[error]error{ErrNotFound: notFound("no %s", "x"), ErrConflict: conflict("no %s", "x"), ErrInvalid: invalid("no %s", "x")} {
		wrapped := fmt.Errorf("operation: %w", err)
		for _, other := range []error{ErrNotFound, ErrConflict, ErrInvalid} {
			if errors.Is(wrapped, other) != errors.Is(other, kind) {
				t.Errorf("%v is %v: %v", wrapped, other, errors.Is(wrapped, other))
			}
		}
		if err.Error() != "no x" {
			t.Errorf("the text is %q", err)
		}
	}
}
