package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"pukar/web/api"
)

const introCampaign = `name: onorc-bihar
purpose: ration portability
audience: {home: [BR]}
steps:
  - sms: {template: onorc-intro, route: main}
`

func TestCampaignFromDraftToCancelled(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	importPeople(t, s)
	_, err := s.CreateCampaign(ctx, []byte(introCampaign))
	if problem := problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid); !strings.Contains(problem.Detail, "onorc-intro") {
		t.Errorf("the missing template is not named: %s", problem.Detail)
	}
	if _, err := s.AddTemplate(ctx, []byte(introTemplate)); err != nil {
		t.Fatal(err)
	}
	created, err := s.CreateCampaign(ctx, []byte(introCampaign))
	if err != nil || created.State != "draft" || created.Name != "onorc-bihar" {
		t.Fatalf("create: %+v, %v", created, err)
	}
	_, err = s.CreateCampaign(ctx, []byte(introCampaign))
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	if _, err := s.UpdateCampaign(ctx, []byte(introCampaign+"priority: bulk\n")); err != nil {
		t.Fatal(err)
	}
	kept, err := s.Campaign(ctx, "onorc-bihar")
	if err != nil || !strings.HasSuffix(kept.Source, "priority: bulk\n") {
		t.Errorf("get: %+v, %v", kept, err)
	}
	plan, err := s.Plan(ctx, "onorc-bihar")
	if err != nil || plan.Recipients != 1 || plan.Excluded != 1 || plan.Parts != 1 || len(plan.Samples) != 1 {
		t.Fatalf("plan: %+v, %v", plan, err)
	}
	_, err = s.Launch(ctx, "onorc-bihar", api.LaunchRequest{Expected: 7})
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	launched, err := s.Launch(ctx, "onorc-bihar", api.LaunchRequest{Expected: 1})
	if err != nil || launched.Run != 1 || launched.Recipients != 1 || launched.Totals.Sum() != 1 {
		t.Fatalf("launch: %+v, %v", launched, err)
	}
	paused, err := s.Move(ctx, "onorc-bihar", "pause", "a check")
	if err != nil || (paused.State != "pausing" && paused.State != "paused") {
		t.Errorf("pause: %+v, %v", paused, err)
	}
	cancelled, err := s.Move(ctx, "onorc-bihar", "cancel", "a test")
	if err != nil || (cancelled.State != "cancelling" && cancelled.State != "cancelled") {
		t.Errorf("cancel: %+v, %v", cancelled, err)
	}
	list, err := s.Campaigns(ctx)
	if err != nil || len(list.Campaigns) != 1 || list.Campaigns[0].Run != 1 {
		t.Errorf("list: %+v, %v", list, err)
	}
	enough := errors.New("enough")
	seen := 0
	err = s.Watch(ctx, "onorc-bihar", func(status api.CampaignStatus) error {
		if seen++; seen == 2 || status.Ended() {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("watch: %v", err)
	}
	verified, err := s.VerifyAudit(ctx)
	if err != nil || !verified.Whole || verified.Events < 6 {
		t.Errorf("audit: %+v, %v", verified, err)
	}
}

func TestCampaignsThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"status": func() error { _, err := s.Status(ctx, "none"); return err },
		"plan":   func() error { _, err := s.Plan(ctx, "none"); return err },
		"launch": func() error { _, err := s.Launch(ctx, "none", api.LaunchRequest{}); return err },
		"pause":  func() error { _, err := s.Move(ctx, "none", "pause", ""); return err },
		"watch":  func() error { return s.Watch(ctx, "none", func(api.CampaignStatus) error { return nil }) },
		"test":   func() error { _, err := s.TestCampaign(ctx, "none", api.TestRequest{MSISDN: "9800000001"}); return err },
	} {
		err := call()
		var problem *api.Problem
		if !errors.As(err, &problem) || problem.Code != api.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	list, err := s.Routes(t.Context())
	if err != nil || len(list.Routes) != 1 || list.Routes[0].Bound || len(list.Routes[0].Binds) != 1 {
		t.Errorf("list: %+v, %v", list, err)
	}
	_, err = s.TestRoute(t.Context(), "main")
	problemAs(t, err, http.StatusServiceUnavailable, api.CodeUnavailable)
	_, err = s.TestRoute(t.Context(), "nowhere")
	if problem := problemAs(t, err, http.StatusNotFound, api.CodeNotFound); problem.Mend != "known are main" {
		t.Errorf("got %+v", problem)
	}
}
