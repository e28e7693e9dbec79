package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"pukar/report"
	"pukar/web/api"
)

// ErrCutOff says that a report broke off before its end.
var ErrCutOff = errors.New("the report broke off: look into the server's log and ask again")

// ReportOptions chooses what a delivery report shows.
type ReportOptions struct {
	// Run is the number of the run; 0 is the newest.
	Run int
	// IncludeExcluded also gives a line for everybody who was targeted and left out.
	IncludeExcluded bool
	// Masked hides the middle of phone numbers.
	Masked bool
}

// DeliveryReport writes the delivery report of a run to w and gives its manifest. A problem with the manifest's numbers
// comes as an error together with the manifest; the report is whole then.
func (c *Client) DeliveryReport(ctx context.Context, name string, opt ReportOptions, w io.Writer) (report.Manifest, error) {
	query := url.Values{}
	if opt.Run > 0 {
		query.Set("run", strconv.Itoa(opt.Run))
	}
	if opt.IncludeExcluded {
		query.Set("include", "excluded")
	}
	if opt.Masked {
		query.Set("numbers", "masked")
	}
	return c.report(ctx, "/v1/campaigns/"+seg(name)+"/report", query, w)
}

// report writes a streamed report to w and gives its manifest.
func (c *Client) report(ctx context.Context, path string, query url.Values, w io.Writer) (report.Manifest, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return report.Manifest{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(w, bufio.NewReaderSize(resp.Body, 256<<10)); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return report.Manifest{}, ErrCutOff
		}
		return report.Manifest{}, fmt.Errorf("read the report: %w", err)
	}
	var manifest report.Manifest
	text := resp.Trailer.Get(api.ManifestTrailer)
	if text == "" {
		return report.Manifest{}, ErrCutOff
	}
	if err := json.Unmarshal([]byte(text), &manifest); err != nil {
		return report.Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	if problem := resp.Trailer.Get(api.ProblemTrailer); problem != "" {
		return manifest, api.NewProblem(http.StatusInternalServerError, api.CodeInternal, problem)
	}
	return manifest, nil
}

// Summary gives a run in numbers; run 0 is the newest.
func (c *Client) Summary(ctx context.Context, name string, run int) (report.RunSummary, error) {
	query := url.Values{}
	if run > 0 {
		query.Set("run", strconv.Itoa(run))
	}
	var out report.RunSummary
	return out, c.call(ctx, http.MethodGet, "/v1/campaigns/"+seg(name)+"/summary", query, nil, &out)
}
