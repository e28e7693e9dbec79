package app

import (
	"fmt"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// A scheduled campaign fires by itself, again and again, and reaches everybody each time.
func TestAScheduledCampaignFiresByItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 40
	b.people(people)
	later := time.Now().Add(2 * time.Hour).In(campaign.India)
	b.create(introTemplate, fmt.Sprintf(introCampaign, "by-itself")+fmt.Sprintf("schedule: {cron: \"%d %d * * *\"}\n", later.Minute(), later.Hour()))
	put, err := b.app.Campaigns.Schedule(t.Context(), "by-itself", campaign.ScheduleOptions{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if status := b.status("by-itself"); status.State != "scheduled" || status.NextFiring == nil || !status.NextFiring.Equal(put.Next[0]) {
		t.Errorf("it is %s and fires at %v, want %v", status.State, status.NextFiring, put.Next[0])
	}
	b.quietFor(time.Second, "nothing was due")
	// Rather than wait for two hours, let it be due now, twice.
	const runs = 2
	for run := int32(1); run <= runs; run++ {
		b.exec(`UPDATE schedule SET next_at = now()`)
		b.until("by-itself", "everybody to be reached", func(s *campaign.Status) bool {
			return s.Run == run && s.State == string(campaign.RunDone) && s.Totals.Delivered == people
		})
	}
	if status := b.status("by-itself"); status.NextFiring == nil || !status.NextFiring.Equal(put.Next[0]) {
		t.Errorf("it fires next at %v, want %v", status.NextFiring, put.Next[0])
	}
	if _, err := b.app.Campaigns.Unschedule(t.Context(), "by-itself", "test"); err != nil {
		t.Fatal(err)
	}
	if fired, made := b.count(`SELECT count(*) FROM firing WHERE state = 'fired'`), b.count(`SELECT count(*) FROM run`); fired != runs || made != runs {
		t.Errorf("%d firings and %d runs, want %d", fired, made, runs)
	}
	if stats := b.centre.Stats(); stats.Messages != runs*people {
		t.Errorf("the centre counts %d messages, want %d to each of %d people", stats.Messages, runs, people)
	}
}
