package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/internal/auditlog"
	"pukar/web/api"
)

func (s *Server) registerAudit() {
	tags := []string{"audit"}
	handle(s, huma.Operation{
		OperationID: "audit-list", Method: http.MethodGet, Path: "/v1/audit/events", Tags: tags,
		Summary: "Changes and who made them, newest first",
	}, quick, s.listAudit)
	handle(s, huma.Operation{
		OperationID: "audit-verify", Method: http.MethodPost, Path: "/v1/audit/verify", Tags: tags,
		Summary: "Recompute the chain of hashes over every change, and the hash of every run's list of people",
	}, slow, s.verifyAudit)
}

// auditQuery narrows a list of events.
type auditQuery struct {
	Before  int64  `query:"before" doc:"Only those before this id: next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many"`
	Actor   string `query:"actor" doc:"Only those of this actor"`
	Action  string `query:"action" doc:"Only this action, or the noun before its dot"`
	Subject string `query:"subject" doc:"Only those about this"`
}

func (s *Server) listAudit(ctx context.Context, in *auditQuery) (api.AuditList, error) {
	entries, err := auditlog.List(ctx, s.cfg.Pool, auditlog.Filter{
		BelowID: in.Before, Limit: in.Limit, Actor: in.Actor, Action: in.Action, Subject: in.Subject,
	})
	if err != nil {
		return api.AuditList{}, err
	}
	out := api.AuditList{Events: make([]api.AuditEvent, len(entries))}
	for i := range entries {
		e := &entries[i]
		out.Events[i] = api.AuditEvent{
			ID: e.ID, At: api.At(e.At.Time), Actor: e.Actor, Action: e.Action, Subject: e.Subject,
			Before: e.Before, After: e.After, Hash: e.Hash.String(),
		}
	}
	if len(entries) == in.Limit && entries[len(entries)-1].ID > 1 {
		out.Next = entries[len(entries)-1].ID
	}
	return out, nil
}

func (s *Server) verifyAudit(ctx context.Context, _ *struct{}) (api.AuditVerification, error) {
	found, err := auditlog.Verify(ctx, s.cfg.Pool)
	if err != nil {
		return api.AuditVerification{}, err
	}
	lists, err := campaign.NewLedger(s.cfg.Pool).VerifyHashes(ctx)
	if err != nil {
		return api.AuditVerification{}, err
	}
	out := api.AuditVerification{
		Events: found.Events, Runs: lists.Runs, Whole: found.OK() && len(lists.Broken) == 0,
		Why: found.Why, BrokenRuns: lists.Broken, Head: found.Last.Hash.String(),
	}
	if found.Broken != nil {
		out.Broken = *found.Broken
	}
	return out, nil
}
