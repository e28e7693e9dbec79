package campaign

import (
	"strings"
	"testing"
	"time"
)

func TestCapAsAFileHasIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Cap{
		"4 sms / 7 days":      {4, 7 * day},
		"1 sms / 24 hours":    {1, day},
		"2 sms / 1 day":       {2, day},
		"1 sms/1 hour":        {1, time.Hour},
		" 3 sms  /  2 hours ": {3, 2 * time.Hour},
		"1000 sms / 366 days": {1000, 366 * day},
	} {
		got, err := parseCap(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := parseCap(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which is read as %+v, %v", text, got, again, err)
		}
	}
	for text, mend := range map[string]string{
		"":                      "4 sms / 7 days",
		"4":                     "4 sms / 7 days",
		"4 / 7 days":            "4 sms / 7 days",
		"4 sms per 7 days":      "4 sms / 7 days",
		"4 calls / 7 days":      "4 sms / 7 days",
		"4 sms / 7":             "4 sms / 7 days",
		"4 sms / 7 weeks":       "4 sms / 7 days",
		"-1 sms / 7 days":       "4 sms / 7 days",
		"1.5 sms / 7 days":      "4 sms / 7 days",
		"9999999 sms / 7 days":  "4 sms / 7 days",
		"0 sms / 7 days":        "1 to 1000",
		"1001 sms / 7 days":     "1 to 1000",
		"4 sms / 0 days":        "1 hour to 366 days",
		"4 sms / 367 days":      "1 hour to 366 days",
		"4 sms / 999999 hours":  "1 hour to 366 days",
		"4 sms / 7 days, 1 sms": "4 sms / 7 days",
	} {
		if got, err := parseCap(text); err == nil || !strings.Contains(err.Error(), mend) {
			t.Errorf("%q is %+v, %v; want an error that says %q", text, got, err, mend)
		}
	}
	if (Cap{}).String() != "" {
		t.Errorf("no cap is written as %q", Cap{})
	}
}
