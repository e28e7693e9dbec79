package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"pukar/web/api"
)

// ImportOptions says how a file is to be read.
type ImportOptions struct {
	// Source names where the list comes from; it stays with every person.
	Source string
	// FileName is kept with the import.
	FileName string
	// Map translates headers of the file: "Mobile No" → "msisdn".
	Map map[string]string
	// DryRun reads and judges everything and keeps nothing.
	DryRun bool
	// Invented marks the people as made up: they may only be written to over simulated routes.
	Invented bool
	// Rejects takes the refused rows as CSV; nil drops them.
	Rejects io.Writer
	// Progress is told how far the import is; it may be nil.
	Progress func(api.ImportProgress)
}

// Import streams a CSV file into the register.
func (c *Client) Import(ctx context.Context, file io.Reader, opt ImportOptions) (api.ImportResult, error) {
	query := url.Values{"source": {opt.Source}, "file_name": {opt.FileName}}
	if len(opt.Map) > 0 {
		pairs, err := json.Marshal(opt.Map)
		if err != nil {
			return api.ImportResult{}, err
		}
		query.Set("map", string(pairs))
	}
	for name, on := range map[string]bool{"dry_run": opt.DryRun, "invented": opt.Invented} {
		if on {
			query.Set(name, "true")
		}
	}
	resp, err := c.send(ctx, request{
		method: http.MethodPost, path: "/v1/audience/imports", query: query, kind: "text/csv", body: io.NopCloser(file),
	})
	if err != nil {
		return api.ImportResult{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	return readImport(resp.Body, opt.Rejects, opt.Progress)
}

// readImport reads the lines that an import answers with.
func readImport(body io.Reader, rejects io.Writer, progress func(api.ImportProgress)) (api.ImportResult, error) {
	var result *api.ImportResult
	err := readLines(body, func(e *api.ImportEvent) *api.Problem { return e.Problem }, func(e *api.ImportEvent) error {
		switch {
		case e.Progress != nil && progress != nil:
			progress(*e.Progress)
		case len(e.Rejects) > 0 && rejects != nil:
			_, err := rejects.Write(e.Rejects)
			return err
		case e.Result != nil:
			result = e.Result
		}
		return nil
	})
	if err != nil {
		return api.ImportResult{}, err
	}
	if result == nil {
		return api.ImportResult{}, errors.New("the server ended the import without a result: look into its log")
	}
	return *result, nil
}

// Count counts the people of a cohort.
func (c *Client) Count(ctx context.Context, cohort api.Cohort) (api.Count, error) {
	var out api.Count
	return out, c.call(ctx, http.MethodPost, "/v1/audience/count", nil, cohort, &out)
}

// Preview shows some people of a cohort.
func (c *Client) Preview(ctx context.Context, ask api.PreviewRequest) (api.Preview, error) {
	var out api.Preview
	return out, c.call(ctx, http.MethodPost, "/v1/audience/preview", nil, ask, &out)
}

// Explain says how a cohort judges one person.
func (c *Client) Explain(ctx context.Context, ask api.ExplainRequest) (api.Explanation, error) {
	var out api.Explanation
	return out, c.call(ctx, http.MethodPost, "/v1/audience/explain", nil, ask, &out)
}

// AddOptOut records that somebody said stop.
func (c *Client) AddOptOut(ctx context.Context, ask api.OptOutRequest) (api.OptOutAdded, error) {
	var out api.OptOutAdded
	return out, c.call(ctx, http.MethodPost, "/v1/optouts", nil, ask, &out)
}

// RemoveOptOut ends the stops of a number.
func (c *Client) RemoveOptOut(ctx context.Context, ask api.LiftRequest) (api.OptOutLifted, error) {
	var out api.OptOutLifted
	return out, c.call(ctx, http.MethodPost, "/v1/optouts/remove", nil, ask, &out)
}

// CheckOptOut says whether a number may be contacted.
func (c *Client) CheckOptOut(ctx context.Context, msisdn string) (api.OptOutCheck, error) {
	var out api.OptOutCheck
	return out, c.call(ctx, http.MethodPost, "/v1/optouts/check", nil, api.NumberRequest{MSISDN: msisdn}, &out)
}

// OptOutFilter narrows a list of stops; an empty field does not.
type OptOutFilter struct {
	Scope, Purpose, Source string
	Lifted                 bool
	Before                 int64
	Limit                  int
	FullNumbers            bool
}

// OptOuts gives a page of the stops, newest first.
func (c *Client) OptOuts(ctx context.Context, f OptOutFilter) (api.OptOutList, error) {
	query := url.Values{}
	for name, value := range map[string]string{"scope": f.Scope, "purpose": f.Purpose, "source": f.Source} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Lifted {
		query.Set("lifted", "true")
	}
	if f.Before > 0 {
		query.Set("before", strconv.FormatInt(f.Before, 10))
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.FullNumbers {
		query.Set("numbers", "full")
	}
	var out api.OptOutList
	return out, c.call(ctx, http.MethodGet, "/v1/optouts", query, nil, &out)
}

// ImportOptOuts streams a list of numbers that said stop.
func (c *Client) ImportOptOuts(ctx context.Context, file io.Reader, fileName, scope, purpose string, rejects io.Writer) (api.ImportResult, error) {
	query := url.Values{"file_name": {fileName}}
	if scope != "" {
		query.Set("scope", scope)
	}
	if purpose != "" {
		query.Set("purpose", purpose)
	}
	resp, err := c.send(ctx, request{
		method: http.MethodPost, path: "/v1/optouts/imports", query: query, kind: "text/csv", body: io.NopCloser(file),
	})
	if err != nil {
		return api.ImportResult{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	return readImport(resp.Body, rejects, nil)
}
