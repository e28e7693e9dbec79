package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/internal/auditlog"
	"pukar/web/api"
)

func (s *Server) registerOptOuts() {
	tags := []string{"optouts"}
	handle(s, huma.Operation{
		OperationID: "optout-add", Method: http.MethodPost, Path: "/v1/optouts", Tags: tags,
		Summary: "Record that somebody said stop",
	}, quick, s.addOptOut)
	handle(s, huma.Operation{
		OperationID: "optout-remove", Method: http.MethodPost, Path: "/v1/optouts/remove", Tags: tags,
		Summary: "End the stops of a number, on evidence of new consent",
	}, quick, s.removeOptOut)
	handle(s, huma.Operation{
		OperationID: "optout-list", Method: http.MethodGet, Path: "/v1/optouts", Tags: tags,
		Summary: "Stops, newest first",
	}, quick, s.listOptOuts)
	handle(s, huma.Operation{
		OperationID: "optout-check", Method: http.MethodPost, Path: "/v1/optouts/check", Tags: tags,
		Summary: "Whether a number may be contacted",
	}, quick, s.checkOptOut)
}

func (s *Server) addOptOut(ctx context.Context, in *answer[api.OptOutRequest]) (api.OptOutAdded, error) {
	msisdn, err := audience.ParseNumber(in.Body.MSISDN)
	if err != nil {
		return api.OptOutAdded{}, err
	}
	stop := audience.Suppression{
		MSISDN: msisdn, Key: s.cfg.Key.Number(msisdn),
		Scope:    cmp.Or(in.Body.Scope, audience.ScopeAll),
		Purpose:  in.Body.Purpose,
		Source:   cmp.Or(in.Body.Source, audience.SourceOperator),
		Evidence: in.Body.Evidence,
		Actor:    peerFrom(ctx).Name,
	}
	out := api.OptOutAdded{MSISDN: audience.Mask(msisdn)}
	err = s.change(ctx, func(tx pgx.Tx) (*auditlog.Event, error) {
		added, err := audience.Suppress(ctx, tx, []audience.Suppression{stop})
		if err != nil || added == 0 {
			return nil, err
		}
		out.Added = true
		return &auditlog.Event{Action: "optout.add", Subject: subjectOf(stop.Key), After: map[string]string{
			"scope": stop.Scope, "purpose": stop.Purpose, "source": stop.Source, "evidence": stop.Evidence,
		}}, nil
	})
	if err == nil && out.Added && stop.Scope != audience.ScopeCall && stop.Purpose == "" && s.cfg.StopAdded != nil {
		s.cfg.StopAdded(stop.Key) // what was written ahead before the commit is held back too
	}
	return out, err
}

func (s *Server) removeOptOut(ctx context.Context, in *answer[api.LiftRequest]) (api.OptOutLifted, error) {
	msisdn, err := audience.ParseNumber(in.Body.MSISDN)
	if err != nil {
		return api.OptOutLifted{}, err
	}
	key := s.cfg.Key.Number(msisdn)
	out := api.OptOutLifted{MSISDN: audience.Mask(msisdn)}
	err = s.change(ctx, func(tx pgx.Tx) (*auditlog.Event, error) {
		lifted, err := audience.Lift(ctx, tx, key, in.Body.Scope, peerFrom(ctx).Name, in.Body.Why)
		if err != nil || lifted == 0 {
			return nil, err
		}
		out.Lifted = lifted
		return &auditlog.Event{Action: "optout.remove", Subject: subjectOf(key), After: map[string]any{
			"scope": in.Body.Scope, "why": in.Body.Why, "lifted": lifted,
		}}, nil
	})
	return out, err
}

// optOutsQuery narrows a list of stops.
type optOutsQuery struct {
	Scope   string `query:"scope" enum:"all,sms,call" doc:"Only this scope"`
	Purpose string `query:"purpose" doc:"Only this purpose"`
	Source  string `query:"source" doc:"Only this source"`
	Lifted  bool   `query:"lifted" doc:"Also those that ended"`
	Before  int64  `query:"before" doc:"Only those before this id: next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many"`
	Numbers string `query:"numbers" enum:"masked,full" default:"masked" doc:"full needs the local administrator"`
}

func (s *Server) listOptOuts(ctx context.Context, in *optOutsQuery) (api.OptOutList, error) {
	show, err := numbersFor(ctx, in.Numbers)
	if err != nil {
		return api.OptOutList{}, err
	}
	list, err := audience.ListSuppressions(ctx, s.cfg.Pool, audience.SuppressionFilter{
		Scope: in.Scope, Purpose: in.Purpose, Source: in.Source, Lifted: in.Lifted, Before: in.Before, Limit: in.Limit,
	})
	if err != nil {
		return api.OptOutList{}, err
	}
	out := api.OptOutList{OptOuts: optOuts(list, show)}
	if len(list) == in.Limit {
		out.Next = list[len(list)-1].ID
	}
	return out, nil
}

func (s *Server) checkOptOut(ctx context.Context, in *answer[api.NumberRequest]) (api.OptOutCheck, error) {
	msisdn, err := audience.ParseNumber(in.Body.MSISDN)
	if err != nil {
		return api.OptOutCheck{}, err
	}
	list, err := audience.CheckSuppressed(ctx, s.cfg.Pool, s.cfg.Key.Number(msisdn))
	if err != nil {
		return api.OptOutCheck{}, err
	}
	return api.OptOutCheck{MSISDN: audience.Mask(msisdn), Suppressed: len(list) > 0, OptOuts: optOuts(list, audience.Mask)}, nil
}

func optOuts(list []audience.Suppression, show func(int64) string) []api.OptOut {
	out := make([]api.OptOut, len(list))
	for i := range list {
		stop := &list[i]
		out[i] = api.OptOut{
			ID: stop.ID, Scope: stop.Scope, Purpose: stop.Purpose, Source: stop.Source, Evidence: stop.Evidence,
			Actor: stop.Actor, AddedAt: api.At(stop.At), LiftedAt: api.When(stop.LiftedAt), LiftedBy: stop.LiftedBy, LiftedWhy: stop.LiftedWhy,
		}
		if stop.MSISDN != 0 {
			out[i].MSISDN = show(stop.MSISDN)
		}
	}
	return out
}

// numbersFor gives the way to show phone numbers that the caller asked for and may see.
func numbersFor(ctx context.Context, asked string) (func(int64) string, error) {
	if asked != "full" {
		return audience.Mask, nil
	}
	if !peerFrom(ctx).Administrator {
		problem := api.NewProblem(http.StatusForbidden, api.CodeRefused, "full numbers are for the local administrator")
		problem.Mend = "ask as root or as the server's user, or take masked numbers"
		problem.RequestID = requestID(ctx)
		return nil, problem
	}
	return func(msisdn int64) string { return strconv.FormatInt(msisdn, 10) }, nil
}

// subjectOf names a person in the audit log: by the keyed hash, which outlives the erasure of the number.
func subjectOf(key int64) string { return "number " + strconv.FormatUint(uint64(key), 16) }
