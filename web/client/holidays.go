package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"pukar/web/api"
)

// Holidays lists the holidays of a year, 0 for the present one, of one calendar or, with "", of all.
func (c *Client) Holidays(ctx context.Context, year int, calendar string) (api.HolidayList, error) {
	query := url.Values{}
	if year != 0 {
		query.Set("year", strconv.Itoa(year))
	}
	if calendar != "" {
		query.Set("calendar", calendar)
	}
	var out api.HolidayList
	return out, c.call(ctx, http.MethodGet, "/v1/holidays", query, nil, &out)
}
