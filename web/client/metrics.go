package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// mostMetrics bounds the answer to Metrics in octets.
const mostMetrics = 16 << 20

// Metrics reads what the server tells Prometheus, in its text format.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/metrics"})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostMetrics))
	if err != nil {
		return "", fmt.Errorf("read the metrics: %w", err)
	}
	return string(text), nil
}
