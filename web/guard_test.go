package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"pukar/web/api"
)

// as puts a peer on a request, as the socket would.
func asPeer(r *http.Request, peer Peer) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), peerKey{}, peer))
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, want a problem document", got)
	}
	var problem api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	if problem.RequestID == "" {
		t.Errorf("problem without the request's identifier: %+v", problem)
	}
	return problem
}

func TestGuard(t *testing.T) {
	t.Parallel()
	allowed := Peer{UID: 7, Name: "asha", Allowed: true}
	tests := []struct {
		name   string
		peer   Peer
		header string
		next   http.HandlerFunc
		status int
		code   string
		detail string
	}{
		{
			name: "a stranger is refused", peer: Peer{UID: 9, Name: "mallory"},
			status: 403, code: api.CodeRefused, detail: "user mallory may not call this server",
		},
		{
			name: "nobody is refused", status: 403, code: api.CodeRefused, detail: "user  may not call this server",
		},
		{
			name: "a forwarding header is refused", peer: allowed, header: "X-Forwarded-For",
			status: 400, code: api.CodeRefused, detail: "header X-Forwarded-For is refused: who calls is taken from the socket",
		},
		{
			name: "the standard's header too", peer: allowed, header: "Forwarded",
			status: 400, code: api.CodeRefused, detail: "header Forwarded is refused: who calls is taken from the socket",
		},
		{
			name: "a panic is an internal error", peer: allowed, next: func(http.ResponseWriter, *http.Request) { panic("boom") },
			status: 500, code: api.CodeInternal,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next := tt.next
			if next == nil {
				next = func(http.ResponseWriter, *http.Request) { t.Error("the request went through") }
			}
			r := asPeer(httptest.NewRequest(http.MethodGet, "/", nil), tt.peer)
			if tt.header != "" {
				r.Header.Set(tt.header, "10.0.0.1")
			}
			w := httptest.NewRecorder()
			newGuard(quiet(), next).ServeHTTP(w, r)
			problem := problemIn(t, w)
			if w.Code != tt.status || problem.Code != tt.code || (tt.detail != "" && problem.Detail != tt.detail) {
				t.Errorf("got %d %+v", w.Code, problem)
			}
		})
	}
}

func TestGuardBoundsAUsersOpenRequests(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	g := newGuard(quiet(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- struct{}{}
		<-leave
		w.WriteHeader(http.StatusNoContent)
	}))
	call := func(uid uint32) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, asPeer(httptest.NewRequest(http.MethodGet, "/", nil), Peer{UID: uid, Name: "u", Allowed: true}))
		return w
	}
	done := make(chan *httptest.ResponseRecorder)
	for range maxInFlight {
		go func() { done <- call(1) }()
		<-entered
	}
	if w := call(1); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d", w.Code)
	}
	go func() { done <- call(2) }() // another user is not held up
	<-entered
	close(leave)
	for range maxInFlight + 1 {
		if w := <-done; w.Code != http.StatusNoContent {
			t.Errorf("got %d", w.Code)
		}
	}
	if len(g.inFlight) != 0 {
		t.Errorf("still counted: %v", g.inFlight)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		uid, own           uint32
		member             bool
		allowed, administr bool
	}{
		{"the server's own user", 1000, 1000, false, true, true},
		{"root", 0, 1000, false, true, true},
		{"a member of the group", 1001, 1000, true, true, false},
		{"anybody else", 1001, 1000, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			peer := judge(tt.uid, tt.own, "x", tt.member)
			if peer.Allowed != tt.allowed || peer.Administrator != tt.administr {
				t.Errorf("got %+v", peer)
			}
		})
	}
}

func TestUnknownEndpointAndDocument(t *testing.T) {
	t.Parallel()
	caller := startServer(t, filepath.Join(t.TempDir(), "pukar.sock"))
	get := func(path string) (*http.Response, []byte) {
		t.Helper()
		resp, err := rawClient(t, caller.Socket()).Get("http://pukar" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, body
	}
	resp, body := get("/v1/nothing")
	var problem api.Problem
	if err := json.Unmarshal(body, &problem); err != nil || resp.StatusCode != 404 || problem.Code != api.CodeNotFound {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	resp, body = get("/v1/health?nonsense=1")
	if resp.StatusCode != 422 {
		t.Errorf("unknown parameter: got %d %s", resp.StatusCode, body)
	}
	_, body = get("/openapi.json")
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" || len(document.Paths) == 0 {
		t.Errorf("document %s", body)
	}
	for path, methods := range document.Paths {
		for method, operation := range methods {
			if operation.Summary == "" || operation.OperationID == "" || operation.Responses["default"] == nil {
				t.Errorf("%s %s lacks a summary, a name or its problems: %+v", method, path, operation)
			}
		}
	}
}
