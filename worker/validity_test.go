package worker

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pukar/campaign"
)

func TestValidity(t *testing.T) {
	t.Parallel()
	ends := time.Date(2026, 11, 23, 19, 0, 0, 0, campaign.India)
	tests := []struct {
		name   string
		form   string
		before time.Duration // of the end it is written at the latest
		want   string        // SMPP 3.4, 7.1.1
	}{
		{"two hours, less the way there", "relative", 2 * time.Hour, "000000015959000R"},
		{"relative is the usual", "", time.Minute, "000000000059000R"},
		{"half a second is rounded down", "relative", time.Minute + 500*time.Millisecond, "000000000059000R"},
		{"days", "relative", 47*time.Hour + 31*time.Minute + 13*time.Second, "000001233112000R"},
		{"two days", "relative", 48 * time.Hour, "000001235959000R"},
		{"more than two days", "relative", 48*time.Hour + time.Second, ""},
		{"the last moment", "relative", time.Second, "000000000001000R"},
		{"absolute, in Indian time", "absolute", 2 * time.Hour, "261123190000022+"},
		{"absolute, more than two days", "absolute", 49 * time.Hour, ""},
		{"none", "none", 2 * time.Hour, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, zone := range []*time.Location{campaign.India, time.UTC, time.FixedZone("far", -10*3600)} {
				if got := validity(test.form, ends.In(zone), ends.Add(-test.before).In(zone)); got != test.want {
					t.Errorf("%q, want %q", got, test.want)
				}
			}
		})
	}
	if got := validity("relative", time.Time{}, ends); got != "" {
		t.Errorf("%q for a window that never closes", got)
	}
}

func TestValidityNeverPassesTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		by := time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_900_000_000_000).Draw(t, "by"))
		ends := by.Add(time.Duration(rapid.Int64Range(2000, 48*3600*1000).Draw(t, "left")) * time.Millisecond)
		var days, hours, minutes, seconds int
		text := validity("relative", ends, by)
		for i, to := range []*int{&days, &hours, &minutes, &seconds} {
			*to = int(text[4+2*i]-'0')*10 + int(text[5+2*i]-'0')
		}
		valid := time.Duration(days)*24*time.Hour + time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
		if by.Add(valid+validityTransit).After(ends) || by.Add(valid+validityTransit+time.Second).Before(ends) {
			t.Fatalf("written at %s, %s ends at %s; the window at %s", by, text, by.Add(valid), ends)
		}
	})
}
