package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/campaign"
	"pukar/web/api"
)

func (s *Server) registerSchedules() {
	tags := []string{"campaigns"}
	handle(s, huma.Operation{
		OperationID: "campaign-schedule", Method: http.MethodPost, Path: "/v1/campaigns/{name}/schedule", Tags: tags,
		Summary: "Let a campaign fire by itself, as its file says or as told here",
	}, slow, s.scheduleCampaign)
	handle(s, huma.Operation{
		OperationID: "campaign-unschedule", Method: http.MethodDelete, Path: "/v1/campaigns/{name}/schedule", Tags: tags,
		Summary: "End the schedule of a campaign; a run that goes on is not touched", DefaultStatus: http.StatusOK,
	}, quick, s.unscheduleCampaign)
	handle(s, huma.Operation{
		OperationID: "campaign-calendar", Method: http.MethodGet, Path: "/v1/calendar", Tags: tags,
		Summary: "What will fire and when it would end, and what fired",
	}, quick, s.calendar)
}

// scheduleRequest names a campaign and says how to schedule it.
type scheduleRequest struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Body api.ScheduleRequest
}

func (s *Server) scheduleCampaign(ctx context.Context, in *scheduleRequest) (api.Schedule, error) {
	ask := in.Body
	put, err := s.cfg.Campaigns.Schedule(ctx, in.Name, campaign.ScheduleOptions{
		Schedule: campaign.Schedule{
			Cron: ask.Cron, At: ask.At, Zone: ask.Zone, From: ask.From, Until: ask.Until, CatchUp: ask.CatchUp, Overlap: ask.Overlap,
		},
		Again: ask.Again, Actor: peerFrom(ctx).Name,
	})
	if err != nil {
		return api.Schedule{}, err
	}
	out := api.Schedule{
		Name: put.Campaign, Cron: put.Cron, At: put.At, Zone: put.Zone, From: put.From, Until: put.Until, CatchUp: put.CatchUp,
		Overlap: put.Overlap, Next: make([]api.Time, len(put.Next)), Recipients: put.Recipients, Parts: put.Parts, Warnings: orEmpty(put.Warnings),
	}
	for i, due := range put.Next {
		out.Next[i] = api.At(due)
	}
	return out, nil
}

func (s *Server) unscheduleCampaign(ctx context.Context, in *campaignName) (api.CampaignStatus, error) {
	if _, err := s.cfg.Campaigns.Unschedule(ctx, in.Name, peerFrom(ctx).Name); err != nil {
		return api.CampaignStatus{}, err
	}
	return s.campaignStatus(ctx, in.Name)
}

// calendarQuery chooses what a calendar shows.
type calendarQuery struct {
	Campaign string `query:"campaign" doc:"Only this campaign"`
	Days     int    `query:"days" minimum:"1" maximum:"366" default:"14" doc:"How far ahead, and back with past"`
	Past     bool   `query:"past" doc:"Also what fired, or did not"`
}

func (s *Server) calendar(ctx context.Context, in *calendarQuery) (api.Calendar, error) {
	calendar, err := s.cfg.Campaigns.Calendar(ctx, campaign.CalendarOptions{Campaign: in.Campaign, Days: in.Days, Past: in.Past})
	if err != nil {
		return api.Calendar{}, err
	}
	out := api.Calendar{Coming: make([]api.ComingFiring, len(calendar.Coming)), Past: make([]api.Firing, len(calendar.Past)), More: calendar.More}
	for i, c := range calendar.Coming {
		out.Coming[i] = api.ComingFiring{
			Campaign: c.Campaign, DueAt: api.At(c.DueAt), Queued: c.Queued, StartsAt: api.When(&c.StartsAt), FinishesAt: api.When(&c.FinishesAt),
			Recipients: c.Recipients, Parts: c.Parts, Note: c.Note,
		}
	}
	for i := range calendar.Past {
		out.Past[i] = *firingOf(&calendar.Past[i])
	}
	return out, nil
}

// firingOf is a firing as it travels; nil stays nil.
func firingOf(f *campaign.Firing) *api.Firing {
	if f == nil {
		return nil
	}
	out := &api.Firing{
		Campaign: f.Campaign, DueAt: api.At(f.DueAt), Times: f.Times, State: string(f.State), Reason: f.Reason, Run: f.Run, DecidedAt: api.At(f.DecidedAt),
	}
	if f.LastDueAt.After(f.DueAt) {
		out.LastDueAt = api.When(&f.LastDueAt)
	}
	return out
}
