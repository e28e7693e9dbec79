package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

func TestACampaignWaitsForItsWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 50
	b.people(people)
	// Whatever midnight passes meanwhile, it is not this day.
	day := time.Now().In(campaign.India).AddDate(0, 0, 3)
	source := strings.Replace(fmt.Sprintf(introCampaign, "patient"), "days: sun-sat", "days: "+strings.ToLower(day.Format("Mon")), 1)
	b.launchFile(introTemplate, source)
	opens := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, campaign.India)
	b.until("patient", "status to say until when it waits", func(s *campaign.Status) bool {
		return s.WaitingUntil != nil && s.WaitingUntil.Equal(opens)
	})
	b.quietFor(time.Second, "the window was closed")
	if status := b.status("patient"); status.Totals != (campaign.Totals{Pending: people}) || status.State != string(campaign.RunRunning) {
		t.Errorf("%s with %+v: everybody was to be waiting", status.State, status.Totals)
	}
	// A test to a listed number does not wait for it.
	test, err := b.app.Campaigns.Test(t.Context(), "patient", b.config.TestNumbers[0], "", "test")
	if err != nil {
		t.Fatal(err)
	}
	b.eventually("the test to be delivered", func() bool {
		status, err := b.app.Campaigns.RunStatus(t.Context(), "patient", "test", test.Run)
		return err == nil && status.Totals.Delivered == 1
	})
	if stats := b.centre.Stats(); stats.Messages != 1 || stats.Duplicates != 0 {
		t.Errorf("the centre counts %d messages, %d duplicates; one test was sent", stats.Messages, stats.Duplicates)
	}
}

func TestTheLawCutsIntoTheWindowOfPromotions(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	b.people(50)
	promotion := strings.Replace(introTemplate, "category: service", "category: promotional", 1)
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, campaign.India) }
	b.create(promotion, fmt.Sprintf(introCampaign, "promotion"))
	for now, starts := range map[time.Time]time.Time{at(9): at(10), at(15): at(15), at(21): at(34)} {
		b.app.Campaigns.Now = func() time.Time { return now }
		plan, err := b.app.Campaigns.Plan(t.Context(), "promotion")
		if err != nil {
			t.Fatal(err)
		}
		if !plan.StartsAt.Equal(starts) {
			t.Errorf("a promotion planned at %v starts at %v, want %v", now, plan.StartsAt, starts)
		}
	}
	night := strings.Replace(fmt.Sprintf(introCampaign, "night"), `from: "00:00", to: "24:00"`, `from: "21:00", to: "23:00"`, 1)
	_, err := b.app.Campaigns.Create(t.Context(), []byte(night), "test")
	if !errors.Is(err, campaign.ErrInvalid) || !strings.Contains(err.Error(), "promotional") || !strings.Contains(err.Error(), "widen it") {
		t.Errorf("a promotion at night: %v, want a refusal that names the mend", err)
	}
	if stats := b.centre.Stats(); stats.Submits != 0 {
		t.Errorf("%d parts were sent for plans", stats.Submits)
	}
}
