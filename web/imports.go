package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/internal/auditlog"
	"pukar/web/api"
)

// progressEvery is how often an import tells how far it is.
const progressEvery = 300 * time.Millisecond

func (s *Server) registerImports() {
	op := huma.Operation{
		OperationID: "audience-import", Method: http.MethodPost, Path: "/v1/audience/imports", Tags: []string{"audience"},
		Summary: "Read a CSV of people into the register",
		Description: "The body is the file, read as it arrives. The answer is a stream of JSON documents, one to a line, each an ImportEvent: " +
			"progress some times a second, rejects with the next piece of the CSV of refused rows in base64, and last result or problem. " +
			"A file that is refused as a whole before anything was told is a plain problem. Nothing of a file is kept unless all of it is.",
		RequestBody: csvBody(),
	}
	handleStream(s, op, linesType, s.importPeople)
	s.api.OpenAPI().Components.Schemas.Schema(typeOf[api.ImportEvent](), true, "ImportEvent")
}

func csvBody() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}
}

// importQuery says how a file is to be read.
type importQuery struct {
	Source   string `query:"source" maxLength:"200" doc:"Where the list comes from; the file's name unless told"`
	FileName string `query:"file_name" maxLength:"300" doc:"Name of the file, kept with the import"`
	Map      string `query:"map" maxLength:"16384" doc:"JSON object from headers of the file to fields: {\"Mobile No\": \"msisdn\"}"`
	DryRun   bool   `query:"dry_run" doc:"Judge every row and keep nothing"`
	Invented bool   `query:"invented" doc:"The people are made up: they may only be written to over simulated routes"`
}

func (s *Server) importPeople(ctx context.Context, in *importQuery, out *stream) error {
	columns := map[string]string{}
	if in.Map != "" {
		if err := json.Unmarshal([]byte(in.Map), &columns); err != nil {
			return &invalid{"map is not a JSON object from headers to fields: " + err.Error()}
		}
	}
	var told time.Time
	started := time.Now()
	actor := peerFrom(ctx).Name
	result, err := audience.Import(ctx, s.cfg.Pool, s.cfg.Key, out.body(), audience.ImportOptions{
		Source: in.Source, FileName: in.FileName, Actor: actor, Map: columns, DryRun: in.DryRun, Invented: in.Invented,
		Rejects: rejectsWriter{out},
		Progress: func(p audience.ImportProgress) {
			if now := time.Now(); now.Sub(told) >= progressEvery && now.Sub(started) >= progressEvery {
				told = now
				_ = out.line(api.ImportEvent{Progress: &api.ImportProgress{
					Stage: p.Stage, Bytes: p.Bytes, Read: p.Read, Inserted: p.Inserted, Updated: p.Updated, Unchanged: p.Unchanged, Refused: p.Refused,
				}}) // a peer that went away ends the context
			}
		},
	})
	if err != nil {
		return err
	}
	if !in.DryRun {
		if err := s.auditImport(context.WithoutCancel(ctx), "audience.import", in.FileName, result); err != nil {
			return err
		}
	}
	done := importResult(result)
	return out.line(api.ImportEvent{Result: &done})
}

// auditImport records an import right after its own transaction; the register's row of it stands in any case.
func (s *Server) auditImport(ctx context.Context, action, fileName string, r audience.ImportResult) error {
	return s.change(ctx, func(pgx.Tx) (*auditlog.Event, error) {
		return &auditlog.Event{Action: action, Subject: fmt.Sprintf("%s (import %d)", fileName, r.Import), After: map[string]any{
			"read": r.Read, "inserted": r.Inserted, "updated": r.Updated, "unchanged": r.Unchanged, "refused": r.Refused, "sha256": r.SHA256,
		}}, nil
	})
}

func importResult(r audience.ImportResult) api.ImportResult {
	return api.ImportResult{
		Import: r.Import, DryRun: r.DryRun, Bytes: r.Bytes,
		Read: r.Read, Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged, Refused: r.Refused, Warned: r.Warned,
		Refusals: importProblems(r.Refusals), Warnings: importProblems(r.Warnings),
		MoreRefusals: r.MoreRefusals, MoreWarnings: r.MoreWarnings, Notes: orEmpty(r.Notes), SHA256: r.SHA256,
	}
}

func importProblems(list []audience.ImportProblem) []api.ImportProblem {
	out := make([]api.ImportProblem, len(list))
	for i, p := range list {
		out[i] = api.ImportProblem{Column: p.Column, Reason: p.Reason, Count: p.Count, Lines: orEmpty(p.Lines)}
	}
	return out
}

// rejectsWriter sends pieces of the refused rows as lines of the stream.
type rejectsWriter struct{ out *stream }

// Write sends one piece.
func (w rejectsWriter) Write(p []byte) (int, error) {
	if err := w.out.line(api.ImportEvent{Rejects: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}
