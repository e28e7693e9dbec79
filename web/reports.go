package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"github.com/danielgtaylor/huma/v2"

	"pukar/report"
	"pukar/web/api"
)

func (s *Server) registerReports() {
	tags := []string{"reports"}
	handleStream(s, huma.Operation{
		OperationID: "report-delivery", Method: http.MethodGet, Path: "/v1/campaigns/{name}/report", Tags: tags,
		Summary: "The delivery report of a run: a CSV line for each recipient",
		Description: "Streamed as it is read. The trailer " + api.ManifestTrailer + " follows the last line and holds the report's manifest as JSON: " +
			"as-of time, filters, totals, SHA-256 of the CSV, the run's hash. A report without that trailer broke off and is not whole. " +
			"The trailer " + api.ProblemTrailer + " is there when the rows do not add up to the run's own counts.",
	}, "text/csv; charset=utf-8", s.deliveryReport)
	handle(s, huma.Operation{
		OperationID: "report-summary", Method: http.MethodGet, Path: "/v1/campaigns/{name}/summary", Tags: tags,
		Summary: "A run in numbers",
	}, slow, s.summary)
}

// reportQuery chooses a run and what its report shows.
type reportQuery struct {
	Name    string   `path:"name" doc:"Name of the campaign"`
	Run     int      `query:"run" minimum:"0" doc:"Number of the run; the newest unless told"`
	Include []string `query:"include" enum:"excluded" doc:"excluded: also a line for everybody who was targeted and left out"`
	Numbers string   `query:"numbers" enum:"masked,full" doc:"full is for the local administrator, who gets it unless told otherwise"`
}

func (s *Server) deliveryReport(ctx context.Context, in *reportQuery, out *stream) error {
	if in.Numbers == "full" {
		if _, err := numbersFor(ctx, in.Numbers); err != nil {
			return err
		}
	}
	out.announce(api.ManifestTrailer)
	out.announce(api.ProblemTrailer)
	manifest, err := report.Delivery(ctx, s.cfg.Pool, out, report.Options{
		Campaign: in.Name, Run: in.Run, IncludeExcluded: len(in.Include) > 0,
		Masked: in.Numbers == "masked" || !peerFrom(ctx).Administrator,
	})
	if err != nil && !errors.Is(err, report.ErrInconsistent) {
		return err
	}
	if err != nil {
		s.log.ErrorContext(ctx, "report does not add up", "request_id", requestID(ctx), "err", err)
		out.trail(api.ProblemTrailer, asciiOnly([]byte(err.Error())))
	}
	line, err := json.Marshal(manifest)
	if err != nil {
		return fmt.Errorf("manifest of %s: %w", in.Name, err)
	}
	out.trail(api.ManifestTrailer, asciiOnly(line))
	return nil
}

// asciiOnly makes JSON, or any text on one line, fit for a header: what is not ASCII is written as JSON escapes it.
func asciiOnly(text []byte) string {
	var out strings.Builder
	for _, r := range string(text) {
		switch {
		case r >= ' ' && r <= '~':
			out.WriteRune(r)
		case r < ' ':
			out.WriteByte(' ')
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		}
	}
	return out.String()
}

// runQuery chooses a run.
type runQuery struct {
	Name string `path:"name" doc:"Name of the campaign"`
	Run  int    `query:"run" minimum:"0" doc:"Number of the run; the newest unless told"`
}

func (s *Server) summary(ctx context.Context, in *runQuery) (report.RunSummary, error) {
	out, err := report.Summary(ctx, s.cfg.Pool, in.Name, in.Run)
	if errors.Is(err, report.ErrInconsistent) {
		s.log.ErrorContext(ctx, "summary does not add up", "request_id", requestID(ctx), "err", err)
	}
	return out, err
}
