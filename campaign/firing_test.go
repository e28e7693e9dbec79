package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// schedule puts a schedule in force, at the desk's time.
func (d *desk) schedule(t tester, name string, s Schedule) *Scheduled {
	t.Helper()
	put, err := d.Schedule(context.Background(), name, ScheduleOptions{Schedule: s, Actor: "asha"})
	if err != nil {
		t.Fatalf("schedule %s: %v", name, err)
	}
	return put
}

// fire decides what is due at a time of Indian clocks.
func (d *desk) fire(t tester, name, at string) []Firing {
	t.Helper()
	now := ist(at)
	d.now = now
	names, err := d.Due(context.Background(), now)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !slices.Contains(names, name) {
		return nil
	}
	fired, err := d.Fire(context.Background(), name, now)
	if err != nil {
		t.Fatalf("fire %s at %s: %v", name, at, err)
	}
	return fired
}

// firings are the rows of a campaign: first due time, how many, state and reason up to a comma or colon.
func (d *desk) firings(t tester, name string) []string {
	t.Helper()
	rows, err := d.db.Query(context.Background(), sqlPastFirings[:strings.Index(sqlPastFirings, "WHERE")]+"WHERE c.name = $1 ORDER BY f.due_at", name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	list, err := pgx.CollectRows(rows, scanFiring)
	if err != nil {
		t.Fatalf("%v", err)
	}
	lines := []string{}
	for _, f := range list {
		lines = append(lines, firingLine(f))
	}
	return lines
}

func firingLine(f Firing) string {
	line := f.DueAt.In(India).Format("02 15:04")
	if f.Times > 1 {
		line += fmt.Sprintf(" to %s (%d)", f.LastDueAt.In(India).Format("02 15:04"), f.Times)
	}
	line += " " + string(f.State)
	if f.Run > 0 {
		line += fmt.Sprintf(" %d", f.Run)
	}
	return line
}

// end ends every run of the desk.
func (d *desk) end(t tester) {
	t.Helper()
	d.exec(t, `UPDATE run SET state = 'done', finished_at = now() WHERE finished_at IS NULL`)
}

func (d *desk) runs(t tester) int {
	t.Helper()
	return one[int](t, d.office, `SELECT count(*) FROM run`)
}

func (d *desk) wantFirings(t tester, name string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), d.firings(t, name)); diff != "" {
		t.Errorf("%s", diff)
	}
}

// noon of the desk is Monday, 23 November 2026.

func TestAScheduledCampaignFires(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ctx := t.Context()
	d.create(t, "weekly", `schedule: {cron: "30 10 * * MON", until: 2026-12-07}`)
	put := d.schedule(t, "weekly", Schedule{})
	if want := []time.Time{ist("2026-11-30 10:30:00"), ist("2026-12-07 10:30:00")}; !slices.EqualFunc(put.Next, want, time.Time.Equal) || put.Recipients != 2 || put.Parts != 2 {
		t.Errorf("%+v", put)
	}
	status, err := d.Status(ctx, "weekly")
	if err != nil || status.State != "scheduled" || status.NextFiring == nil || !status.NextFiring.Equal(put.Next[0]) || status.LastFiring != nil {
		t.Errorf("%+v, %v", status, err)
	}
	if fired := d.fire(t, "weekly", "2026-11-30 10:29:59"); fired != nil {
		t.Errorf("too early: %+v", fired)
	}
	d.people(t, "msisdn=919800000050") // whoever is in the register when it fires
	fired := d.fire(t, "weekly", "2026-11-30 10:30:00")
	if len(fired) != 1 || fired[0].State != FiringFired || fired[0].Run != 1 || !slices.Contains(d.hints, one[int32](t, d.office, `SELECT id FROM run`)) {
		t.Fatalf("fired %+v, hints %v", fired, d.hints)
	}
	status, err = d.Status(ctx, "weekly")
	if err != nil || status.State != "running" || status.Recipients != 3 || !status.NextFiring.Equal(put.Next[1]) || status.LastFiring.Run != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	if parts := one[int](t, d.office, `SELECT parts FROM schedule`); parts != 3 {
		t.Errorf("the forecast goes by %d parts, want those of the last firing", parts)
	}
	if again := d.fire(t, "weekly", "2026-11-30 10:30:01"); again != nil {
		t.Errorf("fired again: %+v", again)
	}
	list, err := d.List(ctx, "")
	if err != nil || len(list) != 1 || !list[0].NextFiring.Equal(put.Next[1]) {
		t.Errorf("%+v, %v", list, err)
	}
	d.end(t)
	d.fire(t, "weekly", "2026-12-07 10:30:20")
	d.wantFirings(t, "weekly", "30 10:30 fired 1", "07 10:30 fired 2")
	c, err := d.Get(ctx, "weekly")
	if err != nil || c.Stage != StageLaunched {
		t.Errorf("after its last firing it is %+v, %v", c, err)
	}
	status, err = d.Status(ctx, "weekly")
	if err != nil || status.NextFiring != nil || status.LastFiring.Run != 2 {
		t.Errorf("%+v, %v", status, err)
	}
	want := []string{"asha campaign.create weekly", "asha campaign.schedule weekly", "pukar campaign.fire weekly", "pukar campaign.fire weekly"}
	if diff := cmp.Diff(want, d.events(t)); diff != "" {
		t.Error(diff)
	}
	by := one[string](t, d.office, `SELECT after ->> 'scheduled_by' FROM audit_event WHERE action = 'campaign.fire' LIMIT 1`)
	if by != "asha" {
		t.Errorf("the record names %q as who scheduled it", by)
	}
}

// What is missed, and what comes while the run before is sending, in all four combinations of catch_up and overlap. Each
// step is a time at which it is looked at; "end" ends the runs.
func TestCatchUpAndOverlap(t *testing.T) {
	t.Parallel()
	daily := Schedule{Cron: "0 10 * * *"}
	for _, tt := range []struct {
		name    string
		catchUp string
		overlap string
		steps   []string
		want    []string
	}{
		{"late by five minutes is not missed", "skip", "skip", []string{"2026-11-24 10:05:00"}, []string{"24 10:00 fired 1"}},
		{"late by more is", "skip", "skip", []string{"2026-11-24 10:05:01"}, []string{"24 10:00 skipped"}},
		{"late by more, caught up", "once", "skip", []string{"2026-11-24 10:05:01"}, []string{"24 10:00 fired 1"}},
		{"days missed", "skip", "skip", []string{"2026-11-27 09:00:00", "2026-11-27 10:00:00"},
			[]string{"24 10:00 to 26 10:00 (3) skipped", "27 10:00 fired 1"}},
		{"days missed, the latest caught up", "once", "skip", []string{"2026-11-27 09:00:00", "2026-11-27 10:00:00"},
			[]string{"24 10:00 to 25 10:00 (2) skipped", "26 10:00 fired 1", "27 10:00 skipped"}},
		{"days missed, the latest caught up, the next waits", "once", "queue", []string{"2026-11-27 09:00:00", "2026-11-27 10:00:00", "end", "2026-11-27 11:00:00"},
			[]string{"24 10:00 to 25 10:00 (2) skipped", "26 10:00 fired 1", "27 10:00 fired 2"}},
		{"days missed, and one is on time", "once", "skip", []string{"2026-11-27 10:01:00"},
			[]string{"24 10:00 to 26 10:00 (3) skipped", "27 10:00 fired 1"}},
		{"still sending", "skip", "skip", []string{"2026-11-24 10:00:00", "2026-11-25 10:00:00", "end", "2026-11-26 10:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 skipped", "26 10:00 fired 2"}},
		{"one waits, a second does not", "skip", "queue", []string{"2026-11-24 10:00:00", "2026-11-25 10:00:00", "2026-11-26 10:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 queued", "26 10:00 skipped"}},
		{"what waited fires once the run has ended, however late", "skip", "queue",
			[]string{"2026-11-24 10:00:00", "2026-11-25 10:00:00", "2026-11-26 10:00:00", "end", "2026-11-26 18:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 fired 2", "26 10:00 skipped"}},
		{"what waited goes before what is due", "skip", "queue",
			[]string{"2026-11-24 10:00:00", "2026-11-25 10:00:00", "end", "2026-11-26 10:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 fired 2", "26 10:00 queued"}},
		{"missed while one is sending", "once", "skip", []string{"2026-11-24 10:00:00", "2026-11-26 12:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 skipped", "26 10:00 skipped"}},
		{"missed while one is sending, and waits", "once", "queue", []string{"2026-11-24 10:00:00", "2026-11-26 12:00:00", "end", "2026-11-26 13:00:00"},
			[]string{"24 10:00 fired 1", "25 10:00 skipped", "26 10:00 fired 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			d.create(t, "daily")
			s := daily
			s.CatchUp, s.Overlap, s.From = tt.catchUp, tt.overlap, "2026-11-24"
			d.schedule(t, "daily", s)
			for _, step := range tt.steps {
				if step == "end" {
					d.end(t)
				} else {
					d.fire(t, "daily", step)
				}
			}
			d.wantFirings(t, "daily", tt.want...)
		})
	}
}

// A run that has tried everybody waits for receipts for days: the next firing does not wait for those, while one that is
// paused or being cancelled still holds it up.
func TestOverlapIsWithARunThatIsSending(t *testing.T) {
	t.Parallel()
	for state, want := range map[RunState]string{
		RunRunning: "25 10:00 skipped", RunPausing: "25 10:00 skipped", RunPaused: "25 10:00 skipped",
		RunEnding: "25 10:00 skipped", RunCancelling: "25 10:00 skipped",
		RunSettling: "25 10:00 fired 2", RunDone: "25 10:00 fired 2", RunCancelled: "25 10:00 fired 2", RunFailed: "25 10:00 fired 2",
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			d.create(t, "daily")
			d.schedule(t, "daily", Schedule{Cron: "0 10 * * *", From: "2026-11-24"})
			d.fire(t, "daily", "2026-11-24 10:00:00")
			d.exec(t, `UPDATE run SET state = $1, finished_at = CASE WHEN $1 IN ('done', 'cancelled', 'failed') THEN now() END`, string(state))
			d.fire(t, "daily", "2026-11-25 10:00:00")
			d.wantFirings(t, "daily", "24 10:00 fired 1", want)
		})
	}
}

// A year of minutes that nobody looked at is one row, or two where the latest fires.
func TestAYearOfMinutesIsOneRow(t *testing.T) {
	t.Parallel()
	for catchUp, want := range map[string][]string{
		"skip": {"23 12:01 to 23 11:59 (10000) skipped"},
		"once": {"23 12:01 to 23 11:58 (10000) skipped", "23 11:59 fired 1"},
	} {
		t.Run(catchUp, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			d.create(t, "minutely")
			// Until the end of what was missed, so that nothing is on time.
			d.schedule(t, "minutely", Schedule{Cron: "* 0-11 * * *", CatchUp: catchUp})
			d.exec(t, `UPDATE schedule SET next_at = $1, cron = '* * * * *'`, ist("2026-11-23 12:01:00"))
			d.exec(t, `UPDATE schedule SET cron = '* 0-11 * * *'`)
			d.fire(t, "minutely", "2027-11-23 12:10:00")
			d.wantFirings(t, "minutely", want...)
			if next := one[time.Time](t, d.office, `SELECT next_at FROM schedule`); !next.Equal(ist("2027-11-24 00:00:00")) {
				t.Errorf("it goes on at %v", next)
			}
		})
	}
}

// A clock that is put back fires nothing twice, whatever is scheduled anew meanwhile.
func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "daily")
	daily := Schedule{Cron: "0 10 * * *"}
	d.schedule(t, "daily", daily)
	d.fire(t, "daily", "2026-11-24 10:00:00")
	d.end(t)
	for _, back := range []string{"2026-11-24 09:59:00", "2026-11-24 10:00:00", "2026-11-24 10:00:30", "2026-11-23 10:00:00"} {
		if fired := d.fire(t, "daily", back); fired != nil {
			t.Errorf("back at %s: %+v", back, fired)
		}
	}
	d.now = ist("2026-11-24 09:59:00")
	d.schedule(t, "daily", daily)
	if fired := d.fire(t, "daily", "2026-11-24 10:00:00"); fired != nil {
		t.Errorf("scheduled anew: %+v", fired)
	}
	// Forward by three days: those are missed.
	d.fire(t, "daily", "2026-11-27 12:00:00")
	d.wantFirings(t, "daily", "24 10:00 fired 1", "25 10:00 to 27 10:00 (3) skipped")
	// And back again: they were decided.
	d.now = ist("2026-11-25 09:00:00")
	d.schedule(t, "daily", daily)
	d.fire(t, "daily", "2026-11-25 10:00:00")
	d.wantFirings(t, "daily", "24 10:00 fired 1", "25 10:00 to 27 10:00 (3) skipped")
	if d.runs(t) != 1 {
		t.Errorf("%d runs", d.runs(t))
	}
}

// What a person has to mend is recorded and told, and the schedule goes on.
func TestAFiringThatCannotLaunch(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, tt := range []struct {
		name   string
		spoil  func(t *testing.T, d *desk)
		reason string
		mend   func(t *testing.T, d *desk)
	}{
		{"nobody is left", func(t *testing.T, d *desk) { d.exec(t, `UPDATE contact SET consent_sms = false`) },
			"all 1 people of the audience are excluded", func(t *testing.T, d *desk) { d.exec(t, `UPDATE contact SET consent_sms = true`) }},
		{"the route is gone", func(_ *testing.T, d *desk) { delete(d.Routes, "main") },
			`there is no route "main"`, func(_ *testing.T, d *desk) { d.Routes["main"] = RouteTerms{Name: "main"} }},
		{"the template is newer than the approval", func(t *testing.T, d *desk) { d.reword(t, introTemplate) },
			"with version 1 of its template", func(t *testing.T, d *desk) {
				if c, err := d.Submit(ctx, "daily", "asha"); err != nil || c.Stage != StageSubmitted {
					t.Fatalf("%+v, %v", c, err)
				}
				if c, err := d.Approve(ctx, "daily", "bela"); err != nil || c.Stage != StageScheduled {
					t.Fatalf("approved anew it is %+v, %v; its schedule went on", c, err)
				}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			d.Approval = true
			d.create(t, "daily")
			_, err := d.Schedule(ctx, "daily", ScheduleOptions{Schedule: Schedule{Cron: "0 10 * * *"}, Actor: "asha"})
			wants(t, err, ErrConflict, "asks for an approval", "pukar campaign submit daily")
			if _, err := d.Submit(ctx, "daily", "asha"); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Approve(ctx, "daily", "bela"); err != nil {
				t.Fatal(err)
			}
			d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
			tt.spoil(t, d)
			fired := d.fire(t, "daily", "2026-11-24 10:00:00")
			if len(fired) != 1 || fired[0].State != FiringFailed || !strings.Contains(fired[0].Reason, tt.reason) {
				t.Fatalf("%+v", fired)
			}
			status, err := d.Status(ctx, "daily")
			if err != nil || status.State != "scheduled" || status.LastFiring.State != FiringFailed || !strings.Contains(status.LastFiring.Reason, tt.reason) {
				t.Errorf("%+v, %v", status, err)
			}
			tt.mend(t, d)
			d.fire(t, "daily", "2026-11-25 10:00:00")
			d.wantFirings(t, "daily", "24 10:00 failed", "25 10:00 fired 1")
		})
	}
}

// While a restoration is pending nothing is decided; afterwards what is late was missed.
func TestNothingFiresBeforeResumeAll(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "daily")
	d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
	if _, err := d.office.ledger.NoticeRestore(t.Context(), "a test", noon); err != nil {
		t.Fatal(err)
	}
	d.fire(t, "daily", "2026-11-24 10:00:00")
	// Also where it was seen to be due before.
	if fired, err := d.Fire(t.Context(), "daily", ist("2026-11-24 10:01:00")); err != nil || fired != nil {
		t.Errorf("%+v, %v", fired, err)
	}
	d.wantFirings(t, "daily")
	if _, err := d.ResumeAll(t.Context(), "asha", true); err != nil {
		t.Fatal(err)
	}
	d.fire(t, "daily", "2026-11-24 10:04:00")
	d.end(t)
	d.wantFirings(t, "daily", "24 10:00 fired 1")
}

// The same while everything is stopped; what is then late by more was missed.
func TestNothingFiresWhileEverythingIsStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "daily")
	d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
	if _, err := d.StopAll(t.Context(), "a test", "asha"); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-11-24 10:00:00", "2026-11-24 11:00:00"} {
		if names, err := d.Due(t.Context(), ist(at)); err != nil || names != nil {
			t.Errorf("due are %v, %v", names, err)
		}
		if fired, err := d.Fire(t.Context(), "daily", ist(at)); err != nil || fired != nil {
			t.Errorf("%+v, %v", fired, err)
		}
	}
	if _, err := d.ResumeAll(t.Context(), "asha", false); err != nil {
		t.Fatal(err)
	}
	d.fire(t, "daily", "2026-11-24 11:00:00")
	d.fire(t, "daily", "2026-11-25 10:00:00")
	d.wantFirings(t, "daily", "24 10:00 skipped", "25 10:00 fired 1")
}

// Any number of schedulers may find the same due time: one run comes of it.
func TestManySchedulersFireOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	d.create(t, "daily")
	d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
	d.now = ist("2026-11-24 10:00:00")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := d.Fire(t.Context(), "daily", d.now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d.wantFirings(t, "daily", "24 10:00 fired 1")
	if d.runs(t) != 1 {
		t.Errorf("%d runs", d.runs(t))
	}
}

// A scheduler that dies before the commit leaves nothing: the next one fires.
func TestAFiringThatIsCutOffFiresLater(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "daily")
	d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
	d.now = ist("2026-11-24 10:00:00")
	p, err := d.planLaunch(t.Context(), "daily")
	if err != nil {
		t.Fatal(err)
	}
	killed := errors.New("killed")
	f := &fire{service: d.Service, seen: d.now, planned: p}
	err = pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) error {
		if err := f.decide(t.Context(), tx, "daily"); err != nil {
			return err
		}
		return killed
	})
	if !errors.Is(err, killed) || len(f.decided) != 1 || f.run == 0 {
		t.Fatalf("%v, %+v", err, f)
	}
	d.wantFirings(t, "daily")
	if d.runs(t) != 0 {
		t.Errorf("%d runs", d.runs(t))
	}
	d.fire(t, "daily", "2026-11-24 10:00:01")
	d.wantFirings(t, "daily", "24 10:00 fired 1")
}

func TestScheduleAndOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ctx := t.Context()
	d.create(t, "plain")
	schedule := func(s Schedule) error {
		_, err := d.Schedule(ctx, "plain", ScheduleOptions{Schedule: s, Actor: "asha"})
		return err
	}
	wants(t, schedule(Schedule{}), ErrInvalid, "no schedule in its file", "--at", "--cron")
	wants(t, schedule(Schedule{At: "2026-11-23T11:59"}), ErrInvalid, "is over", "--at")
	wants(t, schedule(Schedule{Cron: "@every 1h"}), ErrInvalid, "no fixed times")
	_, err := d.Schedule(ctx, "none", ScheduleOptions{Schedule: Schedule{At: "2026-12-01T10:00"}, Actor: "asha"})
	wants(t, err, ErrNotFound, `no campaign "none"`)
	_, err = d.Unschedule(ctx, "plain", "asha")
	wants(t, err, ErrConflict, "no schedule of it is in force")

	d.schedule(t, "plain", Schedule{At: "2026-12-01T10:00"})
	_, err = d.Update(ctx, campaignFile("plain"), "asha")
	wants(t, err, ErrConflict, "is scheduled", "pukar campaign schedule plain --off")
	c, err := d.Unschedule(ctx, "plain", "asha")
	if err != nil || c.Stage != StageDraft {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := d.Update(ctx, campaignFile("plain", "priority: bulk"), "asha"); err != nil {
		t.Error(err)
	}
	if fired := d.fire(t, "plain", "2026-12-01 10:00:00"); fired != nil {
		t.Errorf("fired %+v", fired)
	}

	// Launched by hand meanwhile, under the usual rules; the schedule goes on.
	d.now = noon
	d.schedule(t, "plain", Schedule{Cron: "0 10 * * *", Overlap: "queue"})
	if _, err := d.Launch(ctx, "plain", LaunchOptions{Actor: "asha"}); err != nil {
		t.Error(err)
	}
	d.fire(t, "plain", "2026-11-24 10:00:00")
	d.wantFirings(t, "plain", "24 10:00 queued")
	if c, err = d.Unschedule(ctx, "plain", "asha"); err != nil || c.Stage != StageLaunched {
		t.Errorf("%+v, %v", c, err)
	}
	d.end(t)
	if fired := d.fire(t, "plain", "2026-11-24 11:00:00"); fired != nil {
		t.Errorf("what waited fired after the end of the schedule: %+v", fired)
	}
	d.wantFirings(t, "plain", "24 10:00 skipped")
	wants(t, schedule(Schedule{Cron: "0 10 * * *"}), ErrConflict, "ran before", "--again")
	if _, err := d.Schedule(ctx, "plain", ScheduleOptions{Schedule: Schedule{Cron: "0 10 * * *"}, Again: true, Actor: "asha"}); err != nil {
		t.Error(err)
	}
	// In force it may be changed without.
	if err := schedule(Schedule{Cron: "0 11 * * *"}); err != nil {
		t.Error(err)
	}
	if got := one[string](t, d.office, `SELECT cron FROM schedule`); got != "0 11 * * *" {
		t.Errorf("in force is %q", got)
	}
}

// A once-only campaign that was missed is back where it was.
func TestAMissedOnceIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "once", "schedule: {at: 2026-11-24T10:00}")
	d.schedule(t, "once", Schedule{})
	d.fire(t, "once", "2026-11-25 10:00:00")
	d.wantFirings(t, "once", "24 10:00 skipped")
	status, err := d.Status(t.Context(), "once")
	if err != nil || status.State != "draft" || status.NextFiring != nil || !strings.Contains(status.LastFiring.Reason, "missed") {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "")
	ctx := t.Context()
	d.create(t, "early", `schedule: {cron: "0 8 * * *"}`, `rate: {parts_per_second: 1}`)
	d.create(t, "once", `schedule: {at: "2026-11-25T18:59"}`, `rate: {parts_per_second: 1}`)
	d.schedule(t, "early", Schedule{})
	d.schedule(t, "once", Schedule{})
	d.exec(t, `UPDATE schedule SET parts = 7200 WHERE cron = ''`)
	calendar, err := d.Calendar(ctx, CalendarOptions{Days: 3})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range calendar.Coming {
		lines = append(lines, strings.Join([]string{c.Campaign, c.DueAt.In(India).Format("02 15:04"), c.StartsAt.In(India).Format("02 15:04"), c.FinishesAt.In(India).Format("02 15:04:05")}, " "))
	}
	// Before the window closes at 19:00 the last ten seconds are kept for what is on its way.
	want := []string{
		"early 24 08:00 24 10:00 24 10:00:02", "early 25 08:00 25 10:00 25 10:00:02", "once 25 18:59 25 18:59 26 11:59:10", "early 26 08:00 26 10:00 26 10:00:02",
	}
	if diff := cmp.Diff(want, lines); diff != "" || calendar.More || calendar.Past != nil {
		t.Error(diff, calendar)
	}
	d.fire(t, "early", "2026-11-24 08:00:00")
	d.fire(t, "early", "2026-11-25 08:00:00")
	calendar, err = d.Calendar(ctx, CalendarOptions{Campaign: "early", Days: 2, Past: true})
	if err != nil || len(calendar.Past) != 2 || firingLine(calendar.Past[0]) != "24 08:00 fired 1" || firingLine(calendar.Past[1]) != "25 08:00 skipped" || len(calendar.Coming) != 1 {
		t.Errorf("%+v, %v", calendar, err)
	}
	// What cannot be forecast is shown all the same.
	delete(d.Routes, "main")
	calendar, err = d.Calendar(ctx, CalendarOptions{Days: 2})
	if err != nil || len(calendar.Coming) != 2 || !strings.Contains(calendar.Coming[0].Note, `no route "main"`) || !calendar.Coming[0].StartsAt.IsZero() {
		t.Errorf("%+v, %v", calendar, err)
	}
	d.exec(t, `UPDATE schedule SET cron = '* * * * *' WHERE cron <> ''`)
	if calendar, err = d.Calendar(ctx, CalendarOptions{Days: 30}); err != nil || len(calendar.Coming) != maxCalendar || !calendar.More {
		t.Errorf("%d, %v, %v", len(calendar.Coming), calendar.More, err)
	}
	_, err = d.Calendar(ctx, CalendarOptions{Days: 0})
	wants(t, err, ErrInvalid, "--days")
	_, err = d.Calendar(ctx, CalendarOptions{Campaign: "none", Days: 1})
	wants(t, err, ErrNotFound, `no campaign "none"`)
}

// Another version of the template, without approval in the configuration, is what a launch by hand takes too.
func TestAFiringTakesTheNewestTemplate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.create(t, "daily")
	d.schedule(t, "daily", Schedule{Cron: "0 10 * * *"})
	if _, _, err := templates.NewStore(d.db).Add(t.Context(), []byte(strings.Replace(introTemplate, "2995", "2990", 1)), "test"); err != nil {
		t.Fatal(err)
	}
	d.fire(t, "daily", "2026-11-24 10:00:00")
	if version := one[int](t, d.office, `SELECT template_version FROM run`); version != 2 {
		t.Errorf("version %d", version)
	}
}
