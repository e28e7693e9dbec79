package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"pukar/audience"
	"pukar/campaign"
	"pukar/report"
	"pukar/web/api"
)

func (s *Server) registerMessages() {
	tags := []string{"messages"}
	handle(s, huma.Operation{
		OperationID: "message-send", Method: http.MethodPost, Path: "/v1/messages", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary: "Send one message to one number, ahead of campaigns",
		Description: "The answer comes once the message is committed: it then leaves within seconds, or its status says why not. Post it again " +
			"with its key whenever the answer was lost: the same key with the same content answers the same and sends nothing more; with other " +
			"content it is a conflict. Keys are kept as long as the messages, never less than 30 days. A person who may not be written to is " +
			"refused with one of the codes suppressed, no_consent, consent_unknown, under_18 and invented; nothing is stored then.",
	}, quick, s.sendMessage)
	handle(s, huma.Operation{
		OperationID: "message-status", Method: http.MethodGet, Path: "/v1/messages/{key}", Tags: tags,
		Summary: "What became of a message",
	}, quick, s.messageStatus)
	handleStream(s, huma.Operation{
		OperationID: "report-messages", Method: http.MethodGet, Path: "/v1/reports/messages", Tags: []string{"reports"},
		Summary: "The delivery report of single messages: a CSV line for each",
		Description: "As the delivery report of a run, with the message's number for the run and its key as a last column. The trailer " +
			api.ManifestTrailer + " holds the manifest; a report without it broke off and is not whole.",
	}, "text/csv; charset=utf-8", s.messagesReport)
}

// postedMessage is a message with its key in the body, in the header, or in both.
type postedMessage struct {
	Key  string `header:"Idempotency-Key" doc:"The key, if it is not in the body"`
	Body api.MessageRequest
}

func (s *Server) sendMessage(ctx context.Context, in *postedMessage) (api.MessageAccepted, error) {
	ask := campaign.MessageRequest{
		Key: in.Body.Key, Template: in.Body.Template, Route: in.Body.Route, To: in.Body.To, Language: in.Body.Language,
		Variables: in.Body.Variables, Purpose: in.Body.Purpose,
	}
	switch {
	case ask.Key == "":
		ask.Key = in.Key
	case in.Key != "" && in.Key != ask.Key:
		return api.MessageAccepted{}, &invalid{"key: the body and the header Idempotency-Key name two: give one"}
	}
	if in.Body.ValidFor != "" {
		var err error
		if ask.ValidFor, err = time.ParseDuration(in.Body.ValidFor); err != nil || ask.ValidFor == 0 {
			return api.MessageAccepted{}, &invalid{fmt.Sprintf("valid_for: %q: write a time such as 24h or 90m", in.Body.ValidFor)}
		}
	}
	m, err := s.cfg.Campaigns.PostMessage(ctx, ask, peerFrom(ctx).Name)
	if err != nil {
		return api.MessageAccepted{}, refusalOf(ctx, err)
	}
	return api.MessageAccepted{
		ID: m.Number, Key: m.Key, State: campaign.Pending.String(), Language: m.Language, Parts: m.Parts, CostINR: m.CostINR,
		ValidUntil: api.When(&m.ExpiresAt), WaitingUntil: api.When(m.WaitingUntil), Repeated: m.Repeated,
	}, nil
}

// refusalOf gives the refusal of a person a code of its own.
func refusalOf(ctx context.Context, err error) error {
	var refused *campaign.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	problem := api.NewProblem(http.StatusConflict, refused.Reason, refused.Error())
	problem.RequestID = requestID(ctx)
	return problem
}

// messageKey names a message.
type messageKey struct {
	Key string `path:"key" doc:"The key that it was posted with"`
}

func (s *Server) messageStatus(ctx context.Context, in *messageKey) (api.Message, error) {
	m, err := s.cfg.Campaigns.Message(ctx, in.Key)
	if err != nil {
		return api.Message{}, err
	}
	became, err := report.Message(ctx, s.cfg.Pool, m.Run, m.At)
	if err != nil {
		return api.Message{}, err
	}
	return api.Message{
		ID: m.Number, Key: m.Key, State: became.State, RunState: string(m.RunState), Why: m.Why, To: audience.Mask(m.To),
		Template: m.Template, TemplateVersion: m.Version, Language: m.Language, Route: m.Route, Purpose: m.Purpose,
		Parts: m.Parts, CostINR: m.CostINR, Actor: m.Actor, PostedAt: api.When(&m.At), ValidUntil: api.When(&m.ExpiresAt),
		WaitingUntil: api.When(m.WaitingUntil), SubmittedAt: api.When(became.SubmittedAt), AcceptedAt: api.When(became.AcceptedAt),
		FinalAt: api.When(became.FinalAt), Error: became.Error, MessageIDs: became.MessageIDs,
		ReceiptStatus: became.ReceiptStatus, ReceiptError: became.ReceiptError,
	}, nil
}

// messagesQuery chooses what a report of messages shows.
type messagesQuery struct {
	From    string `query:"from" doc:"First day, as 2026-11-30 in Indian time"`
	To      string `query:"to" doc:"Last day, inclusive"`
	Numbers string `query:"numbers" enum:"masked,full" doc:"full is for the local administrator, who gets it unless told otherwise"`
}

func (s *Server) messagesReport(ctx context.Context, in *messagesQuery, out *stream) error {
	if in.Numbers == "full" {
		if _, err := numbersFor(ctx, in.Numbers); err != nil {
			return err
		}
	}
	opt := report.MessageOptions{Masked: in.Numbers == "masked" || !peerFrom(ctx).Administrator}
	var err error
	if opt.From, err = dayOf("from", in.From); err != nil {
		return err
	}
	if opt.To, err = dayOf("to", in.To); err != nil {
		return err
	}
	if !opt.To.IsZero() && opt.To.Before(opt.From) {
		return &invalid{fmt.Sprintf("from: %s is after to, %s: give the earlier day first", in.From, in.To)}
	}
	if !opt.To.IsZero() {
		opt.To = opt.To.AddDate(0, 0, 1)
	}
	out.announce(api.ManifestTrailer)
	out.announce(api.ProblemTrailer)
	manifest, err := report.Messages(ctx, s.cfg.Pool, out, opt)
	if err != nil && !errors.Is(err, report.ErrInconsistent) {
		return err
	}
	if err != nil {
		s.log.ErrorContext(ctx, "report does not add up", "request_id", requestID(ctx), "err", err)
		out.trail(api.ProblemTrailer, asciiOnly([]byte(err.Error())))
	}
	line, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("manifest of messages: %w", err)
	}
	out.trail(api.ManifestTrailer, asciiOnly(line))
	return nil
}

// dayOf reads a day in Indian time, the zero time for none.
func dayOf(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, api.India)
	if err != nil {
		return time.Time{}, &invalid{fmt.Sprintf("%s: %q: write a day as 2026-11-30", name, text)}
	}
	return day, nil
}
