package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/web/api"
)

func (s *Server) registerCampaigns() {
	tags := []string{"campaigns"}
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: tags}
	}
	handle(s, op("campaign-create", http.MethodPost, "/v1/campaigns", "Keep a campaign file as a draft"), quick, s.createCampaign)
	handle(s, op("campaign-update", http.MethodPut, "/v1/campaigns", "Replace the draft that has the file's name"), quick, s.updateCampaign)
	handle(s, op("campaign-list", http.MethodGet, "/v1/campaigns", "Campaigns by name"), quick, s.listCampaigns)
	handle(s, op("campaign-get", http.MethodGet, "/v1/campaigns/{name}", "A campaign as it is kept"), quick, s.getCampaign)
	handle(s, op("campaign-plan", http.MethodPost, "/v1/campaigns/{name}/plan",
		"What a launch would do: whom, who is left out and why, parts, price, finish"), slow, s.planCampaign)
	handle(s, op("campaign-test", http.MethodPost, "/v1/campaigns/{name}/test", "Send the real text by the real route to one listed test number"),
		quick, s.testCampaign)
	handle(s, op("campaign-launch", http.MethodPost, "/v1/campaigns/{name}/launch", "Freeze a campaign's people and start to write to them"),
		slow, s.launchCampaign)
	handle(s, op("campaign-status", http.MethodGet, "/v1/campaigns/{name}/status", "Where a campaign stands"), quick, s.statusOfCampaign)
	s.registerMoves(op)
	handle(s, op("campaign-resume", http.MethodPost, "/v1/campaigns/{name}/resume", "Go on where a pause stopped, with a higher budget if one is given"),
		quick, s.resumeCampaign)
	s.registerRetry(op)
	watch := op("campaign-watch", http.MethodGet, "/v1/campaigns/{name}/watch", "Where a campaign stands, about twice a second until its run has ended")
	watch.Description = "A stream of JSON documents, one to a line, each a CampaignStatus; a last line with a problem where it broke off."
	handleStream(s, watch, linesType, s.watchCampaign)
}

// registerMoves adds the endpoints that move a campaign from one state to another.
func (s *Server) registerMoves(op func(id, method, path, summary string) huma.Operation) {
	type byName = func(ctx context.Context, name, actor, why string) error
	stage := func(move func(ctx context.Context, name, actor string) (*campaign.Campaign, error)) byName {
		return func(ctx context.Context, name, actor, _ string) error {
			_, err := move(ctx, name, actor)
			return err
		}
	}
	run := func(move func(ctx context.Context, name, actor, why string) (*campaign.Status, error)) byName {
		return func(ctx context.Context, name, actor, why string) error {
			_, err := move(ctx, name, actor, why)
			return err
		}
	}
	campaigns := s.cfg.Campaigns
	for _, m := range []struct {
		verb, summary string
		move          byName
	}{
		{"submit", "Hand a draft over for approval", stage(campaigns.Submit)},
		{"approve", "Approve a campaign that somebody else submitted", stage(campaigns.Approve)},
		{"pause", "Stop sending until it is resumed", run(campaigns.Pause)},
		{"cancel", "Stop sending for good", run(campaigns.Cancel)},
	} {
		handle(s, op("campaign-"+m.verb, http.MethodPost, "/v1/campaigns/{name}/"+m.verb, m.summary), quick,
			func(ctx context.Context, in *moveRequest) (api.CampaignStatus, error) {
				if err := m.move(ctx, in.Name, peerFrom(ctx).Name, in.Body.Why); err != nil {
					return api.CampaignStatus{}, err
				}
				return s.campaignStatus(ctx, in.Name)
			})
	}
}

// resumeRequest resumes a campaign.
type resumeRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.ResumeRequest
}

func (s *Server) resumeCampaign(ctx context.Context, in *resumeRequest) (api.CampaignStatus, error) {
	if _, err := s.cfg.Campaigns.ResumeWith(ctx, in.Name, peerFrom(ctx).Name, in.Body.BudgetINR); err != nil {
		return api.CampaignStatus{}, err
	}
	return s.campaignStatus(ctx, in.Name)
}

// campaignName names a campaign.
type campaignName struct {
	Name string `path:"name" doc:"Name of the campaign"`
}

// moveRequest moves a campaign.
type moveRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.WhyRequest
}

func (s *Server) createCampaign(ctx context.Context, in *yamlFile) (api.CampaignStatus, error) {
	created, err := s.cfg.Campaigns.Create(ctx, slices.Clone(in.RawBody), peerFrom(ctx).Name)
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return s.campaignStatus(ctx, created.Name)
}

func (s *Server) updateCampaign(ctx context.Context, in *yamlFile) (api.CampaignStatus, error) {
	updated, err := s.cfg.Campaigns.Update(ctx, slices.Clone(in.RawBody), peerFrom(ctx).Name)
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return s.campaignStatus(ctx, updated.Name)
}

func (s *Server) listCampaigns(ctx context.Context, in *afterName) (api.CampaignList, error) {
	lines, err := s.cfg.Campaigns.List(ctx, in.After)
	if err != nil {
		return api.CampaignList{}, err
	}
	list := api.CampaignList{Campaigns: make([]api.CampaignSummary, len(lines))}
	for i, l := range lines {
		list.Campaigns[i] = api.CampaignSummary{Name: l.Name, State: l.State, Run: l.Run, Recipients: l.Recipients, UpdatedAt: api.At(l.UpdatedAt), NextFiring: api.When(l.NextFiring)}
	}
	list.Held, err = s.cfg.Campaigns.Held(ctx)
	return list, err
}

func (s *Server) getCampaign(ctx context.Context, in *campaignName) (api.Campaign, error) {
	c, err := s.cfg.Campaigns.Get(ctx, in.Name)
	if err != nil {
		return api.Campaign{}, err
	}
	return api.Campaign{
		Name: c.Name, Stage: string(c.Stage), Source: c.Source, Actor: c.Actor, SubmittedBy: c.SubmittedBy, ApprovedBy: c.ApprovedBy,
		CreatedAt: api.At(c.CreatedAt), UpdatedAt: api.At(c.UpdatedAt),
	}, nil
}

func (s *Server) planCampaign(ctx context.Context, in *campaignName) (api.Plan, error) {
	p, err := s.cfg.Campaigns.Plan(ctx, in.Name)
	if err != nil {
		return api.Plan{}, err
	}
	return planOf(p), nil
}

func planOf(p *campaign.Plan) api.Plan {
	out := api.Plan{
		Name: p.Campaign, Template: p.Template, TemplateVersion: p.TemplateVersion, Category: p.Category, Route: p.Route,
		Targeted: p.Targeted, Recipients: p.Recipients, Excluded: p.Excluded, UnknownLeftOut: p.UnknownLeftOut,
		ByState: planCounts(p.ByState), ByLanguage: planCounts(p.ByLanguage), ByReason: planCounts(p.ByReason),
		Parts: p.Parts, CostINR: p.CostINR, PartsPerSecond: p.PartsPerSecond, Window: p.Window, DrainSeconds: p.DrainSeconds,
		StartsAt: api.When(&p.StartsAt), FinishesAt: api.When(&p.FinishesAt), Samples: make([]api.CampaignText, len(p.Samples)),
		NotRendered: p.NotRendered, NotRenderedWhy: p.NotRenderedWhy, Warnings: orEmpty(p.Warnings),
	}
	for i, sample := range p.Samples {
		out.Samples[i] = api.CampaignText{Language: sample.Language, Text: sample.Text, Encoding: string(sample.Encoding), Parts: sample.Parts}
	}
	return out
}

func planCounts(tallies []campaign.Tally) []api.PlanCount {
	out := make([]api.PlanCount, len(tallies))
	for i, t := range tallies {
		out[i] = api.PlanCount(t)
	}
	return out
}

// testRequest names a campaign and a test number.
type testRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.TestRequest
}

func (s *Server) testCampaign(ctx context.Context, in *testRequest) (api.CampaignStatus, error) {
	status, err := s.cfg.Campaigns.Test(ctx, in.Name, in.Body.MSISDN, in.Body.Language, peerFrom(ctx).Name)
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return statusOf(status), nil
}

// launchRequest names a campaign and says how to launch it.
type launchRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.LaunchRequest
}

func (s *Server) launchCampaign(ctx context.Context, in *launchRequest) (api.CampaignStatus, error) {
	if in.Body.Expected > 0 {
		plan, err := s.cfg.Campaigns.Plan(ctx, in.Name)
		if err != nil {
			return api.CampaignStatus{}, err
		}
		if plan.Recipients != in.Body.Expected {
			return api.CampaignStatus{}, &unexpected{fmt.Sprintf("%d people would be written to, not %d: look at the plan again", plan.Recipients, in.Body.Expected)}
		}
	}
	status, err := s.cfg.Campaigns.Launch(ctx, in.Name, campaign.LaunchOptions{Again: in.Body.Again, Actor: peerFrom(ctx).Name})
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return statusOf(status), nil
}

// statusQuery chooses a run.
type statusQuery struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Run  int32  `query:"run" minimum:"0" doc:"Number of the run; the newest unless told"`
	Kind string `query:"kind" enum:"campaign,test" default:"campaign" doc:"Whether run counts the campaign's runs or its tests"`
}

func (s *Server) statusOfCampaign(ctx context.Context, in *statusQuery) (api.CampaignStatus, error) {
	if in.Run == 0 {
		return s.campaignStatus(ctx, in.Name)
	}
	status, err := s.cfg.Campaigns.RunStatus(ctx, in.Name, in.Kind, in.Run)
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return statusOf(status), nil
}

func (s *Server) campaignStatus(ctx context.Context, name string) (api.CampaignStatus, error) {
	status, err := s.cfg.Campaigns.Status(ctx, name)
	if err != nil {
		return api.CampaignStatus{}, err
	}
	return statusOf(status), nil
}

func statusOf(st *campaign.Status) api.CampaignStatus {
	return api.CampaignStatus{
		Name: st.Name, State: st.State, Run: st.Run, RetryOf: st.RetryOf, Kind: st.Kind, Route: st.Route, Priority: st.Priority,
		Targeted: st.Targeted, Recipients: st.Recipients, Excluded: st.Excluded, Totals: api.Totals(st.Totals),
		WaitingUntil: api.When(st.WaitingUntil), Why: st.Why, Held: st.Held, BudgetINR: st.BudgetINR, SpentINR: st.SpentINR, SnapshotHash: st.SnapshotHash, ForecastEnd: api.When(st.ForecastEnd),
		StartedAt: api.When(st.StartedAt), FinishedAt: api.When(st.FinishedAt),
		NextFiring: api.When(st.NextFiring), LastFiring: firingOf(st.LastFiring),
	}
}

// watchEvery is how often a watch tells.
const watchEvery = 500 * time.Millisecond

func (s *Server) watchCampaign(ctx context.Context, in *campaignName, out *stream) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	var pace pace
	for {
		status, err := s.campaignStatus(ctx, in.Name)
		if err != nil {
			return err
		}
		status.RatePerSecond = pace.of(status, time.Now())
		if err := out.line(status); err != nil {
			return nil // whoever watched has gone
		}
		if status.Ended() {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// pace reckons messages a second from one look to the next, smoothed.
type pace struct {
	at   time.Time
	done int64
	rate float64
}

func (p *pace) of(status api.CampaignStatus, now time.Time) float64 {
	done := status.Recipients - status.Totals.Pending
	if elapsed := now.Sub(p.at).Seconds(); !p.at.IsZero() && elapsed > 0 {
		fresh := float64(max(0, done-p.done)) / elapsed
		if p.rate == 0 {
			p.rate = fresh
		}
		p.rate += (fresh - p.rate) / 3
	}
	p.at, p.done = now, done
	return p.rate
}

// unexpected is a launch of other people than the caller counted.
type unexpected struct{ text string }

func (e *unexpected) Error() string { return e.text }
