package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"pukar/audience"
	"pukar/campaign"
	"pukar/report"
	"pukar/templates"
	"pukar/web/api"
)

func TestEveryErrorOfTheTable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"number", audience.ErrNumber, 422, api.CodeInvalid},
		{"rule", audience.ErrRule, 422, api.CodeInvalid},
		{"scheme", audience.ErrUnknownScheme, 422, api.CodeInvalid},
		{"place", audience.ErrUnknownPlace, 422, api.CodeInvalid},
		{"ambiguous place", audience.ErrAmbiguousPlace, 422, api.CodeInvalid},
		{"suppression", audience.ErrInvalidSuppression, 422, api.CodeInvalid},
		{"file", audience.ErrImportFile, 422, api.CodeInvalid},
		{"cohort", audience.ErrInvalidCohort, 422, api.CodeInvalid},
		{"template", templates.ErrInvalid, 422, api.CodeInvalid},
		{"template's language", templates.ErrLanguage, 422, api.CodeInvalid},
		{"value", &templates.ValueError{Field: "name"}, 422, api.CodeInvalid},
		{"campaign", campaign.ErrInvalid, 422, api.CodeInvalid},
		{"request", &invalid{"x"}, 422, api.CodeInvalid},
		{"no template", templates.ErrNotFound, 404, api.CodeNotFound},
		{"no campaign", campaign.ErrNotFound, 404, api.CodeNotFound},
		{"no report", report.ErrNotFound, 404, api.CodeNotFound},
		{"conflict", campaign.ErrConflict, 409, api.CodeConflict},
		{"other people", &unexpected{"x"}, 409, api.CodeConflict},
		{"report that does not add up", report.ErrInconsistent, 500, api.CodeInternal},
		{"PostgreSQL shutting down", &pgconn.PgError{Code: "57P01"}, 503, api.CodeUnavailable},
		{"too long", context.DeadlineExceeded, 504, api.CodeUnavailable},
		{"gone", context.Canceled, 499, api.CodeCancelled},
		{"broken upload", &brokenUpload{errors.New("x")}, 499, api.CodeCancelled},
		{"anything else", errors.New("secret of the house"), 500, api.CodeInternal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.WithValue(t.Context(), requestKey{}, "REQ1")
			problem := problemOf(ctx, quiet(), fmt.Errorf("do a thing: %w", tt.err))
			if problem.Status != tt.status || problem.Code != tt.code || problem.RequestID != "REQ1" {
				t.Errorf("got %+v", problem)
			}
			if strings.Contains(problem.Detail, "secret") {
				t.Errorf("an unknown error's text reaches the caller: %s", problem.Detail)
			}
			if tt.name == "anything else" && !strings.Contains(problem.Detail, "REQ1") {
				t.Errorf("internal error without the request's identifier: %s", problem.Detail)
			}
		})
	}
}

func TestReadyProblemStays(t *testing.T) {
	t.Parallel()
	ready := api.NewProblem(http.StatusTeapot, "tea", "short and stout")
	if got := problemOf(t.Context(), quiet(), fmt.Errorf("pour: %w", ready)); got != ready {
		t.Errorf("got %+v", got)
	}
}
