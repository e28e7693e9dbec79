package client

import (
	"context"
	"net/http"

	"pukar/web/api"
)

// StopAll stops everything, in every process.
func (c *Client) StopAll(ctx context.Context, ask api.StopAllRequest) (api.StopAllResult, error) {
	var out api.StopAllResult
	return out, c.call(ctx, http.MethodPost, "/v1/stop-all", nil, ask, &out)
}

// ResumeAll lets the runs go on that stop-all or a restored database had paused.
func (c *Client) ResumeAll(ctx context.Context, ask api.ResumeAllRequest) (api.ResumeAllResult, error) {
	var out api.ResumeAllResult
	return out, c.call(ctx, http.MethodPost, "/v1/resume-all", nil, ask, &out)
}
