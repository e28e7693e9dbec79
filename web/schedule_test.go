package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"pukar/web/api"
)

func TestScheduleAndCalendar(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	importPeople(t, s)
	if _, err := s.AddTemplate(ctx, []byte(introTemplate)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateCampaign(ctx, []byte(introCampaign+"schedule: {cron: \"30 10 * * *\", overlap: queue}\n")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Schedule(ctx, "onorc-bihar", api.ScheduleRequest{At: "soon"})
	if problem := problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid); !strings.Contains(problem.Detail, "write 2026-12-01T10:30") {
		t.Errorf("the mend is not told: %s", problem.Detail)
	}
	_, err = s.Unschedule(ctx, "onorc-bihar")
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	_, err = s.Schedule(ctx, "none", api.ScheduleRequest{})
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)

	put, err := s.Schedule(ctx, "onorc-bihar", api.ScheduleRequest{CatchUp: "once"})
	if err != nil || put.Cron != "30 10 * * *" || put.Zone != "Asia/Kolkata" || put.CatchUp != "once" || put.Overlap != "queue" || len(put.Next) != 5 || put.Recipients != 1 {
		t.Fatalf("%+v, %v", put, err)
	}
	status, err := s.Status(ctx, "onorc-bihar")
	if err != nil || status.State != "scheduled" || status.NextFiring == nil || !status.NextFiring.Equal(put.Next[0].Time) {
		t.Errorf("%+v, %v", status, err)
	}
	list, err := s.Campaigns(ctx)
	if err != nil || list.Campaigns[0].State != "scheduled" || list.Campaigns[0].NextFiring == nil {
		t.Errorf("%+v, %v", list, err)
	}
	calendar, err := s.Calendar(ctx, "", 3, true)
	if err != nil || len(calendar.Coming) != 3 || calendar.Past == nil || calendar.Coming[0].Campaign != "onorc-bihar" ||
		!calendar.Coming[0].DueAt.Equal(put.Next[0].Time) || calendar.Coming[0].FinishesAt == nil || calendar.Coming[0].FinishesAt.Before(calendar.Coming[0].StartsAt.Time) {
		t.Errorf("%+v, %v", calendar, err)
	}
	if gap := calendar.Coming[1].DueAt.Sub(calendar.Coming[0].DueAt.Time); gap != 24*time.Hour {
		t.Errorf("a daily campaign is due again after %s", gap)
	}
	_, err = s.Calendar(ctx, "none", 3, false)
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
	ended, err := s.Unschedule(ctx, "onorc-bihar")
	if err != nil || ended.State != "draft" || ended.NextFiring != nil {
		t.Errorf("%+v, %v", ended, err)
	}
}
