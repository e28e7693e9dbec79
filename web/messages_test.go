package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"pukar/audience"
	"pukar/web/api"
	"pukar/web/client"
)

const noticeTemplate = `name: notice
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name]
fallback_language: en
languages:
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#}, your complaint was closed. Call 1800-891-2995. HELPLN"}
`

func wantsProblem(t *testing.T, err error, status int, code string, words ...string) {
	t.Helper()
	var problem *api.Problem
	if !errors.As(err, &problem) || problem.Status != status || problem.Code != code {
		t.Fatalf("%#v, want %d %s", err, status, code)
	}
	for _, w := range words {
		if !strings.Contains(problem.Error(), w) {
			t.Errorf("%q does not say %q", problem, w)
		}
	}
}

func TestMessagesByTheInterface(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	if _, err := b.AddTemplate(ctx, []byte(noticeTemplate)); err != nil {
		t.Fatal(err)
	}
	ask := api.MessageRequest{
		Key: "g/4711 closed", Template: "notice", Route: "main", To: "98123 45678", Purpose: "grievances", ValidFor: "90m",
		Variables: map[string]string{"name": "Asha Devi"},
	}
	first, err := b.SendMessage(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != 1 || first.State != "pending" || first.Parts != 1 || first.CostINR != "0.1450" || first.Repeated {
		t.Errorf("answered %+v", first)
	}
	again, err := b.SendMessage(ctx, ask)
	if !again.Repeated {
		t.Errorf("again %+v", again)
	}
	again.Repeated = false
	if err != nil || again.ID != first.ID || again.ValidUntil.Unix() != first.ValidUntil.Unix() {
		t.Errorf("again %+v, %v; first %+v", again, err, first)
	}
	other := ask
	other.Purpose = "other"
	_, err = b.SendMessage(ctx, other)
	wantsProblem(t, err, http.StatusConflict, api.CodeConflict, "was used")

	m, err := b.Message(ctx, ask.Key)
	if err != nil || m.ID != 1 || m.State != "pending" || m.RunState != "running" || m.To != "91******5678" || m.Parts != 1 || m.SubmittedAt != nil {
		t.Errorf("status %+v, %v", m, err)
	}
	_, err = b.Message(ctx, "unknown")
	wantsProblem(t, err, http.StatusNotFound, api.CodeNotFound, "no message")

	if _, err := audience.Suppress(ctx, b.pool, []audience.Suppression{{
		MSISDN: 919812345679, Key: b.key.Number(919812345679), Scope: audience.ScopeAll, Source: audience.SourceOperator, Actor: "test",
	}}); err != nil {
		t.Fatal(err)
	}
	stopped := ask
	stopped.Key, stopped.To = "stopped", "9812345679"
	_, err = b.SendMessage(ctx, stopped)
	wantsProblem(t, err, http.StatusConflict, api.CodeSuppressed, "nothing was stored")
	keyless := ask
	keyless.Key = ""
	_, err = b.SendMessage(ctx, keyless)
	wantsProblem(t, err, http.StatusUnprocessableEntity, api.CodeInvalid, "key:")

	var csv strings.Builder
	manifest, err := b.MessagesReport(ctx, client.MessageReportOptions{Masked: true}, &csv)
	if err != nil || manifest.Rows != 1 || manifest.Totals["pending"] != 1 {
		t.Errorf("manifest %+v, %v", manifest, err)
	}
	lines := strings.Split(csv.String(), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "cost_inr,key") ||
		!strings.HasPrefix(lines[1], "single messages,1,1,0,91******5678,en,") || !strings.HasSuffix(lines[1], ",g/4711 closed") {
		t.Errorf("report:\n%s", csv.String())
	}
	if manifest, err := b.MessagesReport(ctx, client.MessageReportOptions{To: "2020-01-01"}, &csv); err != nil || manifest.Rows != 0 {
		t.Errorf("of another time: %+v, %v", manifest, err)
	}
}
