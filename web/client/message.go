package client

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"pukar/report"
	"pukar/web/api"
)

// SendMessage posts a message and returns once it is committed. Post it again with the same key whenever the answer was lost.
func (c *Client) SendMessage(ctx context.Context, ask api.MessageRequest) (api.MessageAccepted, error) {
	var out api.MessageAccepted
	return out, c.call(ctx, http.MethodPost, "/v1/messages", nil, ask, &out)
}

// Message tells what became of a message.
func (c *Client) Message(ctx context.Context, key string) (api.Message, error) {
	var out api.Message
	return out, c.call(ctx, http.MethodGet, "/v1/messages/"+seg(key), nil, nil, &out)
}

// MessageReportOptions chooses what a report of messages shows.
type MessageReportOptions struct {
	// From and To are the first and the last day, as 2026-11-30 in Indian time; "" is no limit.
	From, To string
	// Masked hides the middle of phone numbers.
	Masked bool
}

// MessagesReport writes the delivery report of single messages to w and gives its manifest, as DeliveryReport does.
func (c *Client) MessagesReport(ctx context.Context, opt MessageReportOptions, w io.Writer) (report.Manifest, error) {
	query := url.Values{}
	if opt.From != "" {
		query.Set("from", opt.From)
	}
	if opt.To != "" {
		query.Set("to", opt.To)
	}
	if opt.Masked {
		query.Set("numbers", "masked")
	}
	return c.report(ctx, "/v1/reports/messages", query, w)
}
