package app

import (
	"fmt"
	"strings"
	"testing"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// A budget for a hundred parts, which two processes spend together.
func TestABudgetEndsARunToThePart(t *testing.T) {
	t.Parallel()
	const people, parts = 400, 100
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	other := startChild(t, b.childSpec())
	b.people(people)
	b.launchFile(introTemplate, fmt.Sprintf(introCampaign, "dear")+"caps: {budget_inr: 14.50}\n")
	status := b.until("dear", "the run to be paused", func(s *campaign.Status) bool { return s.State == string(campaign.RunPaused) })
	b.still()
	// A message of up to three parts may not fit into what is left.
	if got := b.centre.Stats().Submits; got > parts || got < parts-2 {
		t.Errorf("%d parts were submitted with a budget for %d", got, parts)
	}
	if !strings.Contains(status.Why, "`pukar campaign resume dear --budget-inr N`") || status.BudgetINR != "14.5000" {
		t.Errorf("%+v", status)
	}
	if _, err := b.app.Campaigns.ResumeWith(t.Context(), "dear", "test", "10000"); err != nil {
		t.Fatal(err)
	}
	status = b.done("dear")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	stats := b.centre.Stats()
	if spent := fmt.Sprintf("%.4f", float64(stats.Submits)*0.145); status.SpentINR != spent || stats.Duplicates != 0 {
		t.Errorf("%s rupees are spent for %d parts at 0.145, %d duplicates", status.SpentINR, stats.Submits, stats.Duplicates)
	}
	other.terminate()
}
