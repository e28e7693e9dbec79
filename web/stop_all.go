package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/web/api"
)

func (s *Server) registerStopAll() {
	handle(s, huma.Operation{
		OperationID: "stop-all", Method: http.MethodPost, Path: "/v1/stop-all", Tags: []string{"campaigns"},
		Summary: "Stop everything, in every process, until resume-all",
		Description: "Once it is answered nothing is begun any more, and within a second no process writes a byte. Every run that goes on is paused; " +
			"nothing is launched, resumed, tried again or tested, over restarts too.",
	}, quick, s.stopAll)
	handle(s, huma.Operation{
		OperationID: "resume-all", Method: http.MethodPost, Path: "/v1/resume-all", Tags: []string{"campaigns"},
		Summary: "Let the runs go on that stop-all or a restored database had paused, and allow launches again",
	}, quick, s.resumeAll)
}

func (s *Server) stopAll(ctx context.Context, in *struct{ Body api.StopAllRequest }) (api.StopAllResult, error) {
	stopped, err := s.cfg.Campaigns.StopAll(ctx, in.Body.Reason, peerFrom(ctx).Name)
	if err != nil {
		return api.StopAllResult{}, err
	}
	return api.StopAllResult{
		Reason: stopped.Reason, Actor: stopped.Actor, At: api.At(stopped.At), Already: stopped.Already,
		PausedRuns: stopped.Paused, Complete: stopped.PausedAt != nil,
	}, nil
}

func (s *Server) resumeAll(ctx context.Context, in *struct{ Body api.ResumeAllRequest }) (api.ResumeAllResult, error) {
	resumed, err := s.cfg.Campaigns.ResumeAll(ctx, peerFrom(ctx).Name, in.Body.AfterRestore)
	if err != nil {
		return api.ResumeAllResult{}, err
	}
	runs, messages := campaign.WithoutMessages(resumed)
	out := api.ResumeAllResult{Resumed: make([]api.ResumedRun, len(runs)), Messages: messages}
	for i, r := range runs {
		out.Resumed[i] = api.ResumedRun{Campaign: r.Campaign, Kind: r.Kind, Run: r.Number}
	}
	out.Held, err = s.cfg.Campaigns.Held(ctx)
	return out, err
}
