package client

import (
	"context"
	"net/http"

	"pukar/web/api"
)

// ResumeAll lets the runs go on that a restored database had paused.
func (c *Client) ResumeAll(ctx context.Context, ask api.ResumeAllRequest) (api.ResumeAllResult, error) {
	var out api.ResumeAllResult
	return out, c.call(ctx, http.MethodPost, "/v1/resume-all", nil, ask, &out)
}
