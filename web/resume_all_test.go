package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/campaign"
	"pukar/web/api"
)

func TestResumeAll(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	_, err := s.ResumeAll(ctx, api.ResumeAllRequest{AfterRestore: true})
	if problem := problemAs(t, err, http.StatusConflict, api.CodeConflict); !strings.Contains(problem.Detail, "no restore is pending") {
		t.Errorf("nothing pending: %s", problem.Detail)
	}
	importPeople(t, s)
	if _, err := s.AddTemplate(ctx, []byte(introTemplate)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateCampaign(ctx, []byte(introCampaign)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Launch(ctx, "onorc-bihar", api.LaunchRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := campaign.NewLedger(s.pool).NoticeRestore(ctx, "a test", time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = s.Move(ctx, "onorc-bihar", "resume", "")
	problemAs(t, err, http.StatusConflict, api.CodeConflict)
	_, err = s.ResumeAll(ctx, api.ResumeAllRequest{})
	if problem := problemAs(t, err, http.StatusConflict, api.CodeConflict); !strings.Contains(problem.Detail, "--after-restore") {
		t.Errorf("not told that the data is older: %s", problem.Detail)
	}
	result, err := s.ResumeAll(ctx, api.ResumeAllRequest{AfterRestore: true})
	if diff := cmp.Diff(api.ResumeAllResult{Resumed: []api.ResumedRun{{Campaign: "onorc-bihar", Kind: "campaign", Run: 1}}}, result); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
