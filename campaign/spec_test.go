package campaign

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const validFile = `
name: onorc-bihar
purpose: ration portability for construction workers from Bihar
audience:
  scheme: onorc
  eligibility: eligible
  home: [BR, "JH/Ranchi"]
  where: "age >= 18 && occupation == 'construction'"
steps:
  - sms: {template: onorc-intro, route: main}
window: {days: mon-fri, from: "09:30", to: "24:00"}
rate: {parts_per_second: 200}
priority: bulk
on_unknown: resend
receipt_wait: 48h
`

func TestParseReadsEveryKey(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(validFile))
	if err != nil {
		t.Fatal(err)
	}
	want := &Spec{
		Name: "onorc-bihar", Purpose: "ration portability for construction workers from Bihar",
		Audience: Audience{
			Scheme: "onorc", Eligibility: "eligible", Home: []string{"BR", "JH/Ranchi"},
			Where: "age >= 18 && occupation == 'construction'",
		},
		SMS: SMSStep{Template: "onorc-intro", Route: "main"},
		Window: Window{
			Days: [7]bool{false, true, true, true, true, true, false},
			From: 9*time.Hour + 30*time.Minute, To: 24 * time.Hour,
		},
		Rate: 200, Priority: "bulk", OnUnknown: "resend", ReceiptWait: 48 * time.Hour, Unfinished: "continue",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseIsSafeByDefault(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte("name: a\npurpose: b\naudience: {all: true}\nsteps: [{sms: {template: t, route: r}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Window != CourtesyWindow() || got.Window.Holidays != "" || got.Unfinished != "continue" || got.OnUnknown != "hold" || got.Priority != "normal" || got.ReceiptWait != 72*time.Hour {
		t.Errorf("defaults are not the safe ones: %+v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	base := "name: a\npurpose: b\naudience: {all: true}\nsteps: [{sms: {template: t, route: r}}]\n"
	tests := []struct {
		name, source string
		want         []string
	}{
		{"an empty file", "", []string{"empty"}},
		{"broken YAML", "name: [", []string{"line 1"}},
		{"an unknown key with its line", base + "windw: {}\n", []string{"line 5", "windw"}},
		{"an unknown key within", "name: a\npurpose: b\naudience: {al: true}\nsteps: [{sms: {template: t, route: r}}]\n", []string{"line 3", "al"}},
		{"a schedule", base + "schedule: {cron: x}\n", []string{`schedule.cron: "x"`, "write minute, hour"}},
		{"caps", base + "caps: {budget_inr: -1}\n", []string{"caps.budget_inr", "250000"}},
		{"a cap without a time", base + "caps: {per_contact: 4 sms}\n", []string{"caps.per_contact", "4 sms / 7 days"}},
		{"an empty cap", base + "caps: {per_contact: \"\"}\n", []string{"caps.per_contact", "4 sms / 7 days"}},
		{"holidays that are no names", base + "window: {holidays: {national: true}}\n", []string{"line 5"}},
		{"an end that is none", base + "unfinished: stop\n", []string{"unfinished", "continue", "end"}},
		{"a voice step", "name: a\npurpose: b\naudience: {all: true}\nsteps:\n  - sms: {template: t, route: r}\n  - voice: {flow: f}\n", []string{"line 6: steps.voice is not built yet"}},
		{"nobody", "name: a\npurpose: b\naudience: {}\nsteps: [{sms: {template: t, route: r}}]\n", []string{"names nobody", "all: true"}},
		{"everybody and somebody", "name: a\npurpose: b\naudience: {all: true, home: [BR]}\nsteps: [{sms: {template: t, route: r}}]\n", []string{"contradicts"}},
		{"several problems at once", "name: A B\nsteps: []\npriority: soon\n", []string{"name:", "purpose:", "steps:", "priority:", "audience:"}},
		{"a window over midnight", base + "window: {from: \"22:00\", to: \"06:00\"}\n", []string{"not before"}},
		{"a day that is none", base + "window: {days: mon-son}\n", []string{"mon-son"}},
		{"an impossible hour", base + "window: {to: \"25:00\"}\n", []string{"25:00"}},
		{"a negative rate", base + "rate: {parts_per_second: -1}\n", []string{"negative"}},
		{"a wait without unit", base + "receipt_wait: 72\n", []string{"receipt_wait"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.source))
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("got %v, want ErrInvalid", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}
