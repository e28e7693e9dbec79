package client

import (
	"context"
	"net/http"

	"pukar/web/api"
)

// PlanRetry says what a retry would do.
func (c *Client) PlanRetry(ctx context.Context, name string, ask api.RetryRequest) (api.RetryPlan, error) {
	var out api.RetryPlan
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/retry-plan", nil, ask, &out)
}

// Retry writes again to those of a run whom it did not reach.
func (c *Client) Retry(ctx context.Context, name string, ask api.RetryRequest) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/retry", nil, ask, &out)
}
