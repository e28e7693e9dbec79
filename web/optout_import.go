package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/internal/auditlog"
	"pukar/web/api"
)

func (s *Server) registerOptOutImport() {
	handleStream(s, huma.Operation{
		OperationID: "optout-import", Method: http.MethodPost, Path: "/v1/optouts/imports", Tags: []string{"optouts"},
		Summary: "Record the stops of a list of numbers",
		Description: "The body is a CSV whose header names msisdn and, where wanted, scope, purpose and evidence, or bare numbers one a line. " +
			"The answer is a stream of JSON documents as that of audience-import.",
		RequestBody: csvBody(),
	}, linesType, s.importOptOuts)
}

// optOutImportQuery says how a list is to be read.
type optOutImportQuery struct {
	FileName string `query:"file_name" maxLength:"300" doc:"Name of the file; part of the evidence"`
	Scope    string `query:"scope" enum:"all,sms,call" doc:"For rows that name none; all unless told"`
	Purpose  string `query:"purpose" doc:"For rows that name none; every purpose unless told"`
}

func (s *Server) importOptOuts(ctx context.Context, in *optOutImportQuery, out *stream) error {
	actor := peerFrom(ctx).Name
	result, err := audience.ImportSuppressions(ctx, s.cfg.Pool, s.cfg.Key, out.body(), audience.SuppressionImportOptions{
		FileName: in.FileName, Scope: in.Scope, Purpose: in.Purpose, Actor: actor, Rejects: rejectsWriter{out},
	})
	if err != nil {
		return err
	}
	if result.Added > 0 {
		if err := s.change(context.WithoutCancel(ctx), func(pgx.Tx) (*auditlog.Event, error) {
			return &auditlog.Event{Actor: actor, Action: "optout.import", Subject: in.FileName, After: map[string]int64{
				"read": result.Read, "added": result.Added, "already": result.Already, "refused": result.Refused,
			}}, nil
		}); err != nil {
			return err
		}
	}
	done := api.ImportResult{
		Read: result.Read, Inserted: result.Added, Unchanged: result.Already, Refused: result.Refused,
		Refusals: []api.ImportProblem{}, Warnings: []api.ImportProblem{}, Notes: []string{},
	}
	return out.line(api.ImportEvent{Result: &done})
}
