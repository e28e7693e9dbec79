package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"pukar/web/api"
)

// Schedule lets a campaign fire by itself.
func (c *Client) Schedule(ctx context.Context, name string, ask api.ScheduleRequest) (api.Schedule, error) {
	var out api.Schedule
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/schedule", nil, ask, &out)
}

// Unschedule ends the schedule of a campaign.
func (c *Client) Unschedule(ctx context.Context, name string) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodDelete, "/v1/campaigns/"+seg(name)+"/schedule", nil, nil, &out)
}

// Calendar gives what fires within so many days, of one campaign or with "" of all, and with past what fired.
func (c *Client) Calendar(ctx context.Context, name string, days int, past bool) (api.Calendar, error) {
	query := url.Values{"days": {strconv.Itoa(days)}, "past": {strconv.FormatBool(past)}}
	if name != "" {
		query.Set("campaign", name)
	}
	var out api.Calendar
	return out, c.call(ctx, http.MethodGet, "/v1/calendar", query, nil, &out)
}
