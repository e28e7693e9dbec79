package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"pukar/web/api"
)

// AddTemplate keeps a template's YAML under its name.
func (c *Client) AddTemplate(ctx context.Context, source []byte) (api.TemplateAdded, error) {
	var out api.TemplateAdded
	return out, c.upload(ctx, http.MethodPost, "/v1/templates", nil, source, &out)
}

// Templates lists the templates.
func (c *Client) Templates(ctx context.Context) (api.TemplateList, error) {
	var out api.TemplateList
	return out, c.call(ctx, http.MethodGet, "/v1/templates", nil, nil, &out)
}

// Template gives one template, in its newest version when version is 0.
func (c *Client) Template(ctx context.Context, name string, version int) (api.Template, error) {
	var query url.Values
	if version > 0 {
		query = url.Values{"version": {strconv.Itoa(version)}}
	}
	var out api.Template
	return out, c.call(ctx, http.MethodGet, "/v1/templates/"+seg(name), query, nil, &out)
}

// PreviewTemplate shows a template filled for one person.
func (c *Client) PreviewTemplate(ctx context.Context, ask api.TemplatePreviewRequest) (api.TemplatePreview, error) {
	var out api.TemplatePreview
	return out, c.call(ctx, http.MethodPost, "/v1/templates/preview", nil, ask, &out)
}

// CreateCampaign keeps a campaign file as a draft.
func (c *Client) CreateCampaign(ctx context.Context, source []byte) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.upload(ctx, http.MethodPost, "/v1/campaigns", nil, source, &out)
}

// UpdateCampaign replaces a draft by the file with the same name.
func (c *Client) UpdateCampaign(ctx context.Context, source []byte) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.upload(ctx, http.MethodPut, "/v1/campaigns", nil, source, &out)
}

// Campaigns lists the campaigns.
func (c *Client) Campaigns(ctx context.Context) (api.CampaignList, error) {
	var out api.CampaignList
	return out, c.call(ctx, http.MethodGet, "/v1/campaigns", nil, nil, &out)
}

// Campaign gives a campaign's file.
func (c *Client) Campaign(ctx context.Context, name string) (api.Campaign, error) {
	var out api.Campaign
	return out, c.call(ctx, http.MethodGet, "/v1/campaigns/"+seg(name), nil, nil, &out)
}

// Plan says what a launch would do.
func (c *Client) Plan(ctx context.Context, name string) (api.Plan, error) {
	var out api.Plan
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/plan", nil, nil, &out)
}

// TestCampaign sends a campaign's message to one listed number.
func (c *Client) TestCampaign(ctx context.Context, name string, ask api.TestRequest) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/test", nil, ask, &out)
}

// Launch freezes a campaign's people and starts to write to them.
func (c *Client) Launch(ctx context.Context, name string, ask api.LaunchRequest) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/launch", nil, ask, &out)
}

// Status says where a campaign stands.
func (c *Client) Status(ctx context.Context, name string) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodGet, "/v1/campaigns/"+seg(name)+"/status", nil, nil, &out)
}

// RunStatus says where one run of a campaign stands; kind is campaign or test.
func (c *Client) RunStatus(ctx context.Context, name, kind string, run int32) (api.CampaignStatus, error) {
	query := url.Values{"kind": {kind}, "run": {strconv.Itoa(int(run))}}
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodGet, "/v1/campaigns/"+seg(name)+"/status", query, nil, &out)
}

// Move submits, approves, pauses, resumes or cancels a campaign; verb is that word.
func (c *Client) Move(ctx context.Context, name, verb, why string) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/"+verb, nil, api.WhyRequest{Why: why}, &out)
}

// Resume lets a campaign go on, with a higher budget unless budgetINR is empty.
func (c *Client) Resume(ctx context.Context, name, budgetINR string) (api.CampaignStatus, error) {
	var out api.CampaignStatus
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+seg(name)+"/resume", nil, api.ResumeRequest{BudgetINR: budgetINR}, &out)
}

// watchLine is a line of the stream of a watch.
type watchLine struct {
	api.CampaignStatus
	Problem *api.Problem `json:"problem"`
}

// Watch calls see with the status of a campaign, about twice a second, until the run has ended, see gives an error or
// the context ends.
func (c *Client) Watch(ctx context.Context, name string, see func(api.CampaignStatus) error) error {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/campaigns/" + seg(name) + "/watch"})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return readLines(resp.Body, func(l *watchLine) *api.Problem { return l.Problem }, func(l *watchLine) error { return see(l.CampaignStatus) })
}

// Routes lists the routes and their binds.
func (c *Client) Routes(ctx context.Context) (api.RouteList, error) {
	var out api.RouteList
	return out, c.call(ctx, http.MethodGet, "/v1/routes", nil, nil, &out)
}

// TestRoute says whether a route is bound; one that is not is a problem.
func (c *Client) TestRoute(ctx context.Context, name string) (api.Route, error) {
	var out api.Route
	return out, c.call(ctx, http.MethodPost, "/v1/routes/"+seg(name)+"/test", nil, nil, &out)
}

// Inbound hands over a message or missed call.
func (c *Client) Inbound(ctx context.Context, ask api.InboundRequest) (api.InboundResult, error) {
	var out api.InboundResult
	return out, c.call(ctx, http.MethodPost, "/v1/inbound", nil, ask, &out)
}

// AuditEvents gives a page of events, newest first.
func (c *Client) AuditEvents(ctx context.Context, before int64, limit int) (api.AuditList, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if before > 0 {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	var out api.AuditList
	return out, c.call(ctx, http.MethodGet, "/v1/audit/events", query, nil, &out)
}

// VerifyAudit recomputes the chain of events.
func (c *Client) VerifyAudit(ctx context.Context) (api.AuditVerification, error) {
	var out api.AuditVerification
	return out, c.call(ctx, http.MethodPost, "/v1/audit/verify", nil, nil, &out)
}
