package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/web/api"
)

func (s *Server) registerResumeAll() {
	handle(s, huma.Operation{
		OperationID: "resume-all", Method: http.MethodPost, Path: "/v1/resume-all", Tags: []string{"campaigns"},
		Summary: "Let the runs go on that a restored database had paused, and allow launches again",
	}, quick, s.resumeAll)
}

func (s *Server) resumeAll(ctx context.Context, in *struct{ Body api.ResumeAllRequest }) (api.ResumeAllResult, error) {
	resumed, err := s.cfg.Campaigns.ResumeAll(ctx, peerFrom(ctx).Name, in.Body.AfterRestore)
	if err != nil {
		return api.ResumeAllResult{}, err
	}
	out := api.ResumeAllResult{Resumed: make([]api.ResumedRun, len(resumed))}
	for i, r := range resumed {
		out.Resumed[i] = api.ResumedRun{Campaign: r.Campaign, Kind: r.Kind, Run: r.Number}
	}
	return out, nil
}
