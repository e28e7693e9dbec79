package app

import (
	"context"
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

// A process that is killed between its run and the commit of the firing leaves neither; its successor fires, once.
func TestKilledInMidFiring(t *testing.T) {
	t.Parallel()
	const people = 200
	c := newCrash(t, people, smsc.Options{})
	first := startChild(t, c.spec)
	later := time.Now().Add(2 * time.Hour).In(campaign.India)
	c.create(introTemplate, fmt.Sprintf(introCampaign, "cut-off")+fmt.Sprintf("schedule: {cron: \"%d %d * * *\"}\n", later.Minute(), later.Hour()))
	if _, err := c.app.Campaigns.Schedule(t.Context(), "cut-off", campaign.ScheduleOptions{Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	// The firing cannot be written down while somebody else has the table.
	hold, err := c.app.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := hold.Exec(t.Context(), `LOCK TABLE firing IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	c.exec(`UPDATE schedule SET next_at = now()`)
	c.eventually("the firing to wait to be written down", func() bool {
		return c.count(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO firing%'`) == 1
	})
	first.kill()
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.eventually("the killed process' transaction to end", func() bool {
		return c.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INSERT INTO firing%' AND query NOT LIKE '%pg_stat_activity%'`) == 0
	})
	if runs, firings := c.count(`SELECT count(*) FROM run`), c.count(`SELECT count(*) FROM firing`); runs != 0 || firings != 0 {
		t.Errorf("the killed process left %d runs and %d firings", runs, firings)
	}
	second := startChild(t, c.spec)
	c.checkNobodyLostOrDoubled("cut-off", 0)
	if runs, firings := c.count(`SELECT count(*) FROM run`), c.count(`SELECT count(*) FROM firing WHERE state = 'fired'`); runs != 1 || firings != 1 {
		t.Errorf("%d runs of %d firings, want one of each", runs, firings)
	}
	second.terminate()
}
