package web

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

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
	_, err = s.Inbound(ctx, api.InboundRequest{Kind: "sms", From: "9812345678", To: "56161", Text: "STOP"})
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
