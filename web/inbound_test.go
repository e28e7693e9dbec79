package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/web/api"
)

func TestInbound(t *testing.T) {
	t.Parallel()
	var received atomic.Int32
	s := setup(t, func(c *Config) {
		c.Receive = func(_ context.Context, r Received) (bool, error) {
			received.Add(1)
			return r.Kind == "missed_call" || r.Text == "STOP", nil
		}
	})
	ctx := t.Context()
	ask := api.InboundRequest{Kind: "sms", From: "9812345678", To: "+91 98111 22233", Text: "STOP", ID: "g-1"}
	got, err := s.Inbound(ctx, ask)
	if err != nil || got != (api.InboundResult{Stored: true, Effect: "stop"}) {
		t.Errorf("first: %+v, %v", got, err)
	}
	got, err = s.Inbound(ctx, ask)
	if err != nil || got != (api.InboundResult{Stored: true, Effect: "stop", Repeated: true}) {
		t.Errorf("again: %+v, %v", got, err)
	}
	if n := received.Load(); n != 1 {
		t.Errorf("received %d times, want once", n)
	}
	got, err = s.Inbound(ctx, api.InboundRequest{Kind: "sms", From: "9812345678", To: "919811122233", Text: "START"})
	if err != nil || got.Effect != "start" {
		t.Errorf("start: %+v, %v", got, err)
	}
	got, err = s.Inbound(ctx, api.InboundRequest{Kind: "missed_call", From: "9812345678", To: "919811122233"})
	if err != nil || got.Effect != "stop" {
		t.Errorf("missed call: %+v, %v", got, err)
	}
	_, err = s.Inbound(ctx, api.InboundRequest{Kind: "missed_call", From: "9812345678", To: "56161"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
	_, err = s.Inbound(ctx, api.InboundRequest{Kind: "sms", From: "12", To: "919811122233", Text: "STOP"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
	_, err = s.Inbound(ctx, api.InboundRequest{Kind: "letter", From: "9812345678", To: "919811122233"})
	problemAs(t, err, http.StatusUnprocessableEntity, api.CodeInvalid)
}

func TestInboundWhereNothingIsTakenIn(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, err := s.Inbound(t.Context(), api.InboundRequest{Kind: "sms", From: "9812345678", To: "919811122233", Text: "STOP"})
	problemAs(t, err, http.StatusServiceUnavailable, api.CodeUnavailable)
}

func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, sql := range statements {
		if err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			_, err := tx.Prepare(t.Context(), "", sql)
			return err
		}); err != nil {
			t.Errorf("%s\n%v", sql, err)
		}
	}
}

// TestInboundToAnyNumber holds that a stop counts whatever it answers to, and whatever octets surround it.
func TestInboundToAnyNumber(t *testing.T) {
	t.Parallel()
	var got []Received // requests come one by one
	s := setup(t, func(c *Config) {
		c.Receive = func(_ context.Context, r Received) (bool, error) {
			got = append(got, r)
			return audience.MatchKeyword(r.Text) == audience.KeywordStop, nil
		}
	})
	caller := rawClient(t, s.Socket())
	post := func(body string) (status int, result api.InboundResult) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://socket/v1/inbound", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := caller.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if err := json.NewDecoder(response.Body).Decode(&result); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, result
	}
	for _, test := range []struct {
		name, body string
		want       Received
		effect     string
	}{
		{"to a header", `{"kind":"sms","from":"9812345678","to":" HELPLN ","text":"STOP"}`, Received{To: "HELPLN", Text: "STOP"}, "stop"},
		{"to a short number", `{"kind":"sms","from":"9812345678","to":"56161","text":"stop"}`, Received{To: "56161", Text: "stop"}, "stop"},
		{"to nothing", `{"kind":"sms","from":"9812345678","to":"","text":"STOP"}`, Received{Text: "STOP"}, "stop"},
		{"with NULs", `{"kind":"sms","from":"9812345678","to":"56161\u0000","text":"STOP\u0000\u0000","id":"a\u0000b"}`, Received{To: "56161", Text: "STOP", ID: "a\x00b"}, "stop"},
		{"the same, not UTF-8", "{\"kind\":\"sms\",\"from\":\"9812345678\",\"to\":\"56161\xff\",\"text\":\"\xc3(\",\"id\":\"\xff\"}", Received{To: "56161\uFFFD", Text: "\uFFFD(", ID: "\uFFFD"}, "none"},
	} {
		got = nil
		status, result := post(test.body)
		if status != http.StatusOK || result != (api.InboundResult{Stored: true, Effect: test.effect}) {
			t.Errorf("%s: %d, %+v", test.name, status, result)
		}
		test.want.Kind, test.want.From = "sms", "9812345678"
		if len(got) != 1 || got[0] != test.want {
			t.Errorf("%s: %+v was taken in, want %+v", test.name, got, test.want)
		}
	}
	if _, result := post(`{"kind":"sms","from":"9812345678","to":"56161","text":"STOP","id":"a\u0000b"}`); !result.Repeated {
		t.Error("an id with a NUL is not known again")
	}
	if status, _ := post(`{"kind":"sms","from":"9812345678","to":"` + strings.Repeat("9", 65) + `","text":"STOP"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("a number of 65 digits: status %d", status)
	}
}
