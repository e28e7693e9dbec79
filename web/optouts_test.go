package web

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/web/api"
	"pukar/web/client"
)

// problemAs fails unless err is a problem of that status and code.
func problemAs(t *testing.T, err error, status int, code string) *api.Problem {
	t.Helper()
	var problem *api.Problem
	if !errors.As(err, &problem) {
		t.Fatalf("got %v, want a problem", err)
	}
	if problem.Status != status || problem.Code != code {
		t.Fatalf("got %+v, want status %d, code %s", problem, status, code)
	}
	return problem
}

func TestOptOuts(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx := t.Context()
	added, err := s.AddOptOut(ctx, api.OptOutRequest{MSISDN: "98123 45678", Evidence: "letter of 3 May"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (api.OptOutAdded{MSISDN: "91******5678", Added: true}); added != want {
		t.Errorf("got %+v, want %+v", added, want)
	}
	if added, err = s.AddOptOut(ctx, api.OptOutRequest{MSISDN: "+919812345678"}); err != nil || added.Added {
		t.Errorf("the same again: %+v, %v", added, err)
	}
	check, err := s.CheckOptOut(ctx, "9812345678")
	if err != nil || !check.Suppressed || len(check.OptOuts) != 1 || check.OptOuts[0].Evidence != "letter of 3 May" {
		t.Fatalf("check: %+v, %v", check, err)
	}
	list, err := s.OptOuts(ctx, client.OptOutFilter{FullNumbers: true})
	if err != nil || len(list.OptOuts) != 1 || list.OptOuts[0].MSISDN != "919812345678" {
		t.Errorf("list: %+v, %v", list, err)
	}
	lifted, err := s.RemoveOptOut(ctx, api.LiftRequest{MSISDN: "9812345678", Why: "form 118"})
	if err != nil || lifted.Lifted != 1 {
		t.Errorf("lift: %+v, %v", lifted, err)
	}
	if check, err = s.CheckOptOut(ctx, "9812345678"); err != nil || check.Suppressed {
		t.Errorf("check after lifting: %+v, %v", check, err)
	}
	events, err := s.AuditEvents(ctx, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, event := range events.Events {
		actions = append(actions, event.Action)
		if event.Actor == "" || event.Actor == "unknown" {
			t.Errorf("event without its actor: %+v", event)
		}
	}
	if diff := cmp.Diff([]string{"optout.remove", "optout.add"}, actions); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	verified, err := s.VerifyAudit(ctx)
	if err != nil || !verified.Whole || verified.Events != 2 {
		t.Errorf("verify: %+v, %v", verified, err)
	}
}

func TestOptOutMistakes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, err := s.AddOptOut(t.Context(), api.OptOutRequest{MSISDN: "12"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
	_, err = s.AddOptOut(t.Context(), api.OptOutRequest{MSISDN: "9812345678", Scope: "everything"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
	_, err = s.RemoveOptOut(t.Context(), api.LiftRequest{MSISDN: "9812345678"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	caller := startServer(t, t.TempDir()+"/pukar.sock")
	_, err := caller.CheckOptOut(t.Context(), "9812345678")
	problem := problemAs(t, err, http.StatusServiceUnavailable, api.CodeUnavailable)
	if problem.Detail != "the database does not answer" || problem.RequestID == "" {
		t.Errorf("got %+v", problem)
	}
}
