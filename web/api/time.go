package api

import (
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// India is the time zone in which times are told. Indian time knows no summer time, so that it needs no table.
var India = time.FixedZone("IST", 5*3600+1800)

// Time is a moment, told as RFC 3339 with +05:30, to the millisecond.
type Time struct{ time.Time }

// layout is RFC 3339 with milliseconds where there are any.
const layout = "2006-01-02T15:04:05.999Z07:00"

// At makes a Time of a moment.
func At(t time.Time) Time { return Time{t} }

// When makes a Time of a moment that may be unknown.
func When(t *time.Time) *Time {
	if t == nil || t.IsZero() {
		return nil
	}
	return &Time{*t}
}

// MarshalJSON writes the moment in Indian time; the zero moment is null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.In(India).Format(layout) + `"`), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" || string(b) == `""` {
		*t = Time{}
		return nil
	}
	if len(b) < 2 {
		return fmt.Errorf("time %s: not RFC 3339", b)
	}
	parsed, err := time.Parse(time.RFC3339, string(b[1:len(b)-1]))
	if err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	t.Time = parsed
	return nil
}

// String tells the moment for people, to the second.
func (t Time) String() string {
	if t.IsZero() {
		return "-"
	}
	return t.In(India).Format("2006-01-02 15:04:05")
}

// Schema describes the type in the OpenAPI document.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Format: "date-time"}
}
