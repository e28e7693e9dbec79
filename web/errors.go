package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/pgdb"
	"pukar/report"
	"pukar/templates"
	"pukar/web/api"
)

// meaning is what a kind of error is to the caller.
type meaning struct {
	status int
	code   string
	mend   string
}

// The meanings that errors can have; the command line turns the codes into its exit statuses.
var (
	meansInvalid     = meaning{http.StatusUnprocessableEntity, api.CodeInvalid, ""}
	meansNotFound    = meaning{http.StatusNotFound, api.CodeNotFound, ""}
	meansConflict    = meaning{http.StatusConflict, api.CodeConflict, ""}
	meansUnavailable = meaning{http.StatusServiceUnavailable, api.CodeUnavailable, "try again in a moment; the server's log says what is away"}
	meansCancelled   = meaning{499, api.CodeCancelled, ""}
	meansTooLong     = meaning{http.StatusGatewayTimeout, api.CodeUnavailable, "the answer took too long; ask for less, or try again when the server is less busy"}
	meansInternal    = meaning{http.StatusInternalServerError, api.CodeInternal, "look for the request's identifier in the server's log"}
)

// mendedBy adds what to do.
func (m meaning) mendedBy(mend string) meaning {
	m.mend = mend
	return m
}

// problemOf turns any error into what the caller may read. Errors that the table does not know are logged with the
// request's identifier and told as "internal error".
func problemOf(ctx context.Context, log *slog.Logger, err error) *api.Problem {
	var ready *api.Problem
	if errors.As(err, &ready) {
		return ready
	}
	means, known := meaningOf(err)
	text := err.Error()
	if !known {
		log.ErrorContext(ctx, "request failed", "request_id", requestID(ctx), "err", err)
		text = "internal error, request " + requestID(ctx)
	}
	if means.code == api.CodeUnavailable && means.status == http.StatusServiceUnavailable {
		log.WarnContext(ctx, "a dependency is away", "request_id", requestID(ctx), "err", err)
		text = "the database does not answer"
	}
	problem := api.NewProblem(means.status, means.code, text)
	problem.Mend = means.mend
	problem.RequestID = requestID(ctx)
	return problem
}

// meaningOf looks an error up in the table.
func meaningOf(err error) (meaning, bool) {
	for _, row := range errorTable {
		for _, sentinel := range row.sentinels {
			if errors.Is(err, sentinel) {
				return row.means, true
			}
		}
		if row.matches != nil && row.matches(err) {
			return row.means, true
		}
	}
	return meansInternal, false
}

// as says whether an error of type T is in the chain.
func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// row binds errors, by sentinel or by type, to what they mean.
type row struct {
	means     meaning
	sentinels []error
	matches   func(error) bool
}

// errorTable is the one place where errors of the packages below become something that a caller may read. The first row
// that fits holds.
var errorTable = []row{
	{means: meansCancelled, matches: as[*brokenUpload]},
	{means: meansUnavailable, matches: pgdb.Unavailable},
	{means: meansTooLong, sentinels: []error{context.DeadlineExceeded}},
	{means: meansCancelled, sentinels: []error{context.Canceled}},
	{means: meansInvalid, matches: as[*invalid]},
	{means: meansInvalid, sentinels: []error{
		audience.ErrNumber, audience.ErrRule, audience.ErrScheme, audience.ErrUnknownScheme, audience.ErrUnknownPlace,
		audience.ErrAmbiguousPlace, audience.ErrInvalidSuppression, audience.ErrImportFile,
		audience.ErrInvalidCohort,
		templates.ErrInvalid, templates.ErrLanguage, campaign.ErrInvalid,
	}},
	{means: meansInvalid, matches: as[*templates.ValueError]},
	{means: meansNotFound.mendedBy("`pukar template list` names those that were added"), sentinels: []error{templates.ErrNotFound}},
	{means: meansNotFound, sentinels: []error{campaign.ErrNotFound, report.ErrNotFound}},
	{means: meansInternal.mendedBy("`pukar audit verify` says whether the database was altered"), sentinels: []error{report.ErrInconsistent}},
	{means: meansConflict, sentinels: []error{campaign.ErrConflict}},
	{means: meansConflict, matches: as[*unexpected]},
}

// invalid is a mistake in a request that web itself finds.
type invalid struct{ text string }

func (e *invalid) Error() string { return e.text }

// writeProblem answers a request outside of huma. The answer names its length, so that it is whole to the caller before the
// request's own body was read.
func writeProblem(w http.ResponseWriter, problem *api.Problem) {
	body, _ := json.Marshal(problem) // of strings and numbers only
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(problem.Status)
	_, _ = w.Write(body)
}
