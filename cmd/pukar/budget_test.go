package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pukar/internal/testenv"
	"pukar/web/api"
)

// What a campaign may spend, as its manager meets it: the warning, the pause, the mend.
func TestBudgetByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	var list strings.Builder
	list.WriteString("msisdn,name,language,consent_sms\n")
	for n := range 10 {
		fmt.Fprintf(&list, "%d,Person,en,yes\n", 9812300000+n)
	}
	i.ok("audience", "import", write(t, "people.csv", list.String()))
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile+"caps: {budget_inr: 0.60}\n"))
	if shown := i.ok("campaign", "plan", "first"); !strings.Contains(shown, "it would cost 1.4500 rupees and the budget has 0.6000 left") {
		t.Errorf("plan:\n%s", shown)
	}
	i.ok("campaign", "launch", "first")
	paused := func() (s api.CampaignStatus) {
		testenv.Eventually(t, 30*time.Second, "the pause", func() bool {
			s = decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json"))
			return s.State == "paused"
		})
		return s
	}
	if s := paused(); s.BudgetINR != "0.6000" || s.SpentINR != "0.5800" || !strings.Contains(s.Why, "pukar campaign resume first --budget-inr") {
		t.Errorf("status %+v", s)
	}
	if shown := i.ok("campaign", "status", "first"); !strings.Contains(shown, "budget       Rs 0.6000, Rs 0.5800 spent") {
		t.Errorf("status:\n%s", shown)
	}
	for _, tt := range []struct {
		budget string
		code   int
		says   string
	}{
		{"much", exitFailed, "write rupees such as 250000"}, {"-5", exitFailed, "write rupees"}, {"1,20,000", exitFailed, "write rupees"},
		{"0.60", exitFailed, "is not more than the present budget of 0.6000"}, {"", exitUsage, "--budget-inr is empty"},
	} {
		if r := i.run("campaign", "resume", "first", "--budget-inr", tt.budget); r.code != tt.code || !strings.Contains(r.errOut, tt.says) {
			t.Errorf("--budget-inr %q: exit %d, %s", tt.budget, r.code, r.errOut)
		}
	}
	i.ok("campaign", "resume", "first") // with the same budget: it pauses again, nothing more is sent
	if s := paused(); s.SpentINR != "0.5800" {
		t.Errorf("status %+v", s)
	}
	if s := decode[api.CampaignStatus](t, i.ok("campaign", "resume", "first", "--budget-inr", "2", "--json")); s.BudgetINR != "2.0000" {
		t.Errorf("resume: %+v", s)
	}
	i.ok("campaign", "watch", "first")
	if s := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json")); s.State != "done" || s.Totals.Delivered != 10 || s.SpentINR != "1.4500" {
		t.Errorf("at the end: %+v", s)
	}
}
