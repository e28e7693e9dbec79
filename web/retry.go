package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/web/api"
)

// registerRetry adds the endpoints that write again to those whom a run did not reach.
func (s *Server) registerRetry(op func(id, method, path, summary string) huma.Operation) {
	handle(s, op("campaign-retry-plan", http.MethodPost, "/v1/campaigns/{name}/retry-plan",
		"What a retry would do: whom by how their newest attempt ended, who is left out and why, parts, price, finish"), slow, s.planRetry)
	handle(s, op("campaign-retry", http.MethodPost, "/v1/campaigns/{name}/retry",
		"Write again to those of a run whom it did not reach, with the words that were frozen then"), slow, s.retryCampaign)
}

// retryRequest names a campaign and says whom to try again.
type retryRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.RetryRequest
}

func (in *retryRequest) options(ctx context.Context) campaign.RetryOptions {
	opt := campaign.RetryOptions{Run: in.Body.Run, Expected: in.Body.Expected, Actor: peerFrom(ctx).Name}
	for _, state := range campaign.RetryStates() {
		for _, name := range in.Body.States {
			if name == state.String() {
				opt.States = append(opt.States, state)
			}
		}
	}
	return opt
}

func (s *Server) planRetry(ctx context.Context, in *retryRequest) (api.RetryPlan, error) {
	p, err := s.cfg.Campaigns.PlanRetry(ctx, in.Name, in.options(ctx))
	if err != nil {
		return api.RetryPlan{}, err
	}
	return api.RetryPlan{Plan: planOf(&p.Plan), RetryOf: p.RetryOf, ByOutcome: planCounts(p.ByOutcome)}, nil
}

func (s *Server) retryCampaign(ctx context.Context, in *retryRequest) (api.CampaignStatus, error) {
	status, err := s.cfg.Campaigns.Retry(ctx, in.Name, in.options(ctx))
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return statusOf(status), nil
}
