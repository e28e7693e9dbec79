package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pukar/audience"
	"pukar/web/api"
)

// A member of the group may call, and sees masked numbers only, also where nothing was asked for.
func TestMembersOfTheGroupSeeMaskedNumbers(t *testing.T) {
	t.Parallel()
	s := launched(t)
	server := New(configFor(t, s.pool, audience.Key{}))
	call := func(method, target, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, asPeer(r, Peer{UID: 1001, Name: "asha", Allowed: true}))
		return w
	}
	for _, ask := range []struct{ method, target, body string }{
		{http.MethodPost, "/v1/audience/preview", `{"all": true, "numbers": "full"}`},
		{http.MethodGet, "/v1/optouts?numbers=full", ""},
		{http.MethodGet, "/v1/campaigns/onorc-bihar/report?numbers=full", ""},
	} {
		w := call(ask.method, ask.target, ask.body)
		var problem api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != http.StatusForbidden || problem.Code != api.CodeRefused {
			t.Errorf("%s: %d %s", ask.target, w.Code, w.Body)
		}
	}
	w := call(http.MethodGet, "/v1/campaigns/onorc-bihar/report", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "91******5601") || strings.Contains(w.Body.String(), "919812345601") {
		t.Errorf("report: %d %s", w.Code, w.Body)
	}
	w = call(http.MethodPost, "/v1/audience/preview", `{"all": true}`)
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "9812345601") {
		t.Errorf("preview: %d %s", w.Code, w.Body)
	}
}
