package web

import (
	"net/http"
	"strings"
	"testing"

	"pukar/web/api"
)

func TestRetry(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	importPeople(t, s)
	if _, err := s.AddTemplate(ctx, []byte(introTemplate)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateCampaign(ctx, []byte(introCampaign)); err != nil {
		t.Fatal(err)
	}
	failed := api.RetryRequest{States: []string{"failed", "no_receipt"}}
	_, err := s.Retry(ctx, "none", failed)
	problemAs(t, err, http.StatusNotFound, api.CodeNotFound)
	_, err = s.Retry(ctx, "onorc-bihar", failed)
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	for _, wrong := range [][]string{nil, {"delivered"}, {"failed", "suppressed"}} {
		if _, err := s.PlanRetry(ctx, "onorc-bihar", api.RetryRequest{States: wrong}); err == nil {
			t.Errorf("a retry of %v was planned", wrong)
		}
	}
	launched, err := s.Launch(ctx, "onorc-bihar", api.LaunchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.PlanRetry(ctx, "onorc-bihar", failed)
	if problem := problemAs(t, err, http.StatusConflict, api.CodeConflict); !strings.Contains(problem.Detail, "wait for it or cancel it") {
		t.Errorf("while the run is going: %s", problem.Detail)
	}
	// Its one recipient: one part, accepted and failed.
	for _, sql := range []string{
		`UPDATE outcome SET facts = decode('01000100000000000100000000000000', 'hex'), counts = '{0,0,0,0,0,0,0,1,0,0}'`,
		`UPDATE run SET state = 'done', finished_at = now()`,
	} {
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := s.PlanRetry(ctx, "onorc-bihar", failed)
	if err != nil || plan.RetryOf != 1 || plan.Recipients != launched.Recipients || len(plan.ByOutcome) != 1 || plan.ByOutcome[0] != (api.PlanCount{Name: "failed", Count: 1}) {
		t.Fatalf("plan: %+v, %v", plan, err)
	}
	failed.Expected = 7
	_, err = s.Retry(ctx, "onorc-bihar", failed)
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	failed.Expected = 1
	status, err := s.Retry(ctx, "onorc-bihar", failed)
	if err != nil || status.Run != 2 || status.RetryOf != 1 || status.Recipients != 1 {
		t.Fatalf("retry: %+v, %v", status, err)
	}
}
