package main

import (
	"strings"
	"testing"
	"time"

	"pukar/web/api"
)

// From a schedule to its end, as a campaign manager types it.
func TestScheduleByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	i.ok("audience", "import", write(t, "people.csv", peopleFile), "--map", "Mobile No=msisdn")
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile+"schedule: {cron: \"30 10 * * *\"}\n"))
	if shown := i.ok("campaign", "calendar"); !strings.Contains(shown, "Nothing fires within 14 days") {
		t.Errorf("calendar of nothing:\n%s", shown)
	}
	said := i.ok("campaign", "schedule", "first")
	for _, want := range []string{"first is scheduled (Asia/Kolkata)", "3 people", "next  20", "then  20", " 10:30:00", "pukar campaign schedule first --off"} {
		if !strings.Contains(said, want) {
			t.Errorf("schedule does not say %q:\n%s", want, said)
		}
	}
	put := decode[api.Schedule](t, i.ok("campaign", "schedule", "first", "--at", "2099-12-01T10:30", "--zone", "America/New_York", "--overlap", "queue", "--json"))
	if want := time.Date(2099, 12, 1, 15, 30, 0, 0, time.UTC); put.Cron != "" || put.Overlap != "queue" || len(put.Next) != 1 || !put.Next[0].Equal(want) {
		t.Errorf("schedule %+v", put)
	}
	put = decode[api.Schedule](t, i.ok("campaign", "schedule", "first", "--cron", "0 11 * * *", "--catch-up", "once", "--json"))
	if put.CatchUp != "once" || put.Overlap != "skip" || put.Zone != "Asia/Kolkata" {
		t.Errorf("what was told to an earlier schedule remains: %+v", put)
	}
	status := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json"))
	if status.State != "scheduled" || status.NextFiring == nil || !status.NextFiring.Equal(put.Next[0].Time) {
		t.Errorf("status %+v", status)
	}
	if shown := i.ok("campaign", "status", "first"); !strings.Contains(shown, "next firing  "+put.Next[0].String()) {
		t.Errorf("status:\n%s", shown)
	}
	if shown := i.ok("campaign", "list"); !strings.Contains(shown, "scheduled") || !strings.Contains(shown, put.Next[0].String()) {
		t.Errorf("list:\n%s", shown)
	}
	if calendar := decode[api.Calendar](t, i.ok("campaign", "calendar", "first", "--days", "3", "--past", "--json")); len(calendar.Coming) != 3 || len(calendar.Past) != 0 {
		t.Errorf("calendar %+v", calendar)
	}
	if shown := i.ok("campaign", "calendar", "--days", "3"); strings.Count(shown, "first") != 3 || !strings.Contains(shown, "would end") {
		t.Errorf("calendar:\n%s", shown)
	}
	if r := i.run("campaign", "update", write(t, "first.yaml", campaignFile)); r.code != exitConflict || !strings.Contains(r.errOut, "--off") {
		t.Errorf("update of what is scheduled: %+v", r)
	}
	if said := i.ok("campaign", "schedule", "first", "--off"); !strings.Contains(said, "first fires no more; it is draft.") {
		t.Errorf("schedule --off: %s", said)
	}
	for _, tt := range []struct {
		line string
		code int
		says string
	}{
		{"campaign schedule first --off", exitConflict, "no schedule of it is in force"},
		{"campaign schedule first --off --at 2099-12-01T10:30", exitUsage, "--off takes no other option"},
		{"campaign schedule first --at 2099-12-01T10:30 --cron x", exitUsage, "give one of them"},
		{"campaign schedule first --at 2020-12-01T10:30", exitFailed, "is over"},
		{"campaign schedule first --cron @every.1h", exitFailed, "write five fields"},
		{"campaign schedule first --zone Asia/Patna", exitFailed, "Asia/Kolkata"},
		{"campaign schedule none", exitNotFound, "none"},
		{"campaign calendar none", exitNotFound, "none"},
		{"campaign calendar first second", exitUsage, "second"},
		{"campaign calendar --days 0", exitFailed, "days"},
	} {
		r := i.run(strings.Fields(tt.line)...)
		if r.code != tt.code || !strings.Contains(r.errOut, tt.says) {
			t.Errorf("pukar %s: exit %d, want %d, %q in:\n%s", tt.line, r.code, tt.code, tt.says, r.errOut)
		}
	}
}

func TestCalendarTable(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) api.Time {
		return api.At(time.Date(2026, 12, day, hour, minute, 0, 0, api.India))
	}
	when := func(day, hour, minute int) *api.Time {
		t := at(day, hour, minute)
		return &t
	}
	var out strings.Builder
	calendar := api.Calendar{
		Past: []api.Firing{
			{Campaign: "onorc-bihar", DueAt: at(1, 10, 30), State: "fired", Run: 3, Times: 1},
			{Campaign: "minutely", DueAt: at(1, 0, 0), LastDueAt: when(7, 23, 59), State: "skipped", Times: 10_000, Reason: "missed: it could be looked at only at 2026-12-08 09:00:00"},
			{Campaign: "onorc-bihar", DueAt: at(7, 10, 30), State: "failed", Times: 1, Reason: "the audience is empty"},
		},
		Coming: []api.ComingFiring{
			{Campaign: "onorc-bihar", DueAt: at(7, 9, 0), Queued: true, StartsAt: when(8, 10, 0), FinishesAt: when(8, 10, 4), Recipients: 123456, Parts: 246912},
			{Campaign: "onorc-bihar", DueAt: at(14, 10, 30), StartsAt: when(14, 10, 30), FinishesAt: when(14, 10, 34), Recipients: 123456, Parts: 246912},
			{Campaign: "away", DueAt: at(15, 10, 30), Recipients: 7, Parts: 7, Note: `there is no route "away": the configuration has main`},
		},
		More: true,
	}
	if err := printCalendar(&out, calendar, 14); err != nil {
		t.Fatal(err)
	}
	out.WriteString("\n")
	if err := printCalendar(&out, api.Calendar{Coming: calendar.Coming[1:2]}, 14); err != nil {
		t.Fatal(err)
	}
	golden(t, "calendar", out.String())
}
