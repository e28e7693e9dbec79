package app

import (
	"errors"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// quietFor fails the test when the centre gets anything within the time.
func (b *bench) quietFor(d time.Duration, while string) {
	b.t.Helper()
	before := b.centre.Stats().Submits
	select {
	case <-time.After(d):
	case <-b.t.Context().Done():
	}
	if got := b.centre.Stats().Submits - before; got != 0 {
		b.t.Errorf("%d parts were submitted while %s", got, while)
	}
}

// settles waits until a number has not grown for a while.
func (b *bench) settles(what string, number func() int64) {
	b.t.Helper()
	last, since := number(), time.Now()
	b.eventually(what, func() bool {
		if n := number(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
}

// brisk is a rate at which a run of some thousand parts has a middle.
func brisk(c *config.Config) { c.Routes[0].PartsPerSecond = 1000 }

func TestAPausedRunStopsWithinASecondAndResumesWithoutDuplicates(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{ResponseDelay: 20 * time.Millisecond}, brisk)
	b.run()
	const people = 2000
	b.people(people)
	b.launch("paused")
	for i := range 3 {
		b.submitted(int64(400 * (i + 1)))
		if _, err := b.app.Campaigns.Pause(t.Context(), "paused", "test", "rain"); err != nil {
			t.Fatal(err)
		}
		told := time.Now()
		b.until("paused", "the run to be paused", func(s *campaign.Status) bool { return s.State == string(campaign.RunPaused) })
		if took := time.Since(told); took > 3*time.Second {
			t.Errorf("the run was paused after %v", took)
		}
		if _, err := b.app.Campaigns.Pause(t.Context(), "paused", "test", "rain"); !errors.Is(err, campaign.ErrConflict) {
			t.Errorf("pausing a paused run: %v, want a conflict", err)
		}
		b.quietFor(300*time.Millisecond, "the run was paused")
		if list := b.submits(); list[len(list)-1].at.After(told.Add(time.Second)) {
			t.Errorf("a part was submitted %v after the pause", list[len(list)-1].at.Sub(told))
		}
		if status := b.status("paused"); status.Why != "rain" || status.Totals.Pending == 0 {
			t.Errorf("paused because of %q with %+v", status.Why, status.Totals)
		}
		if _, err := b.app.Campaigns.Resume(t.Context(), "paused", "test"); err != nil {
			t.Fatal(err)
		}
	}
	status := b.done("paused")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}

func TestACancelledRunLeavesTheRestSkipped(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{ResponseDelay: 20 * time.Millisecond}, brisk)
	b.run()
	const people = 2000
	b.people(people)
	b.launch("cancelled")
	b.submitted(500)
	if _, err := b.app.Campaigns.Cancel(t.Context(), "cancelled", "test", "wrong text"); err != nil {
		t.Fatal(err)
	}
	told := time.Now()
	b.until("cancelled", "the run to be cancelled and its receipts settled", func(s *campaign.Status) bool {
		return s.State == string(campaign.RunCancelled) && s.Totals.Sent == 0
	})
	b.quietFor(300*time.Millisecond, "the run was cancelled")
	status, submits := b.status("cancelled"), b.submits()
	if last := submits[len(submits)-1].at; last.After(told.Add(time.Second)) {
		t.Errorf("a part was submitted %v after the cancel", last.Sub(told))
	}
	totals := status.Totals
	if totals.Skipped == 0 || totals.Delivered == 0 || totals.Skipped+totals.Delivered != people || status.FinishedAt == nil || status.Why != "wrong text" {
		t.Errorf("%+v because of %q: everybody was to be delivered or skipped", totals, status.Why)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != totals.Delivered {
		t.Errorf("the centre counts %d messages and %d duplicates for %d delivered", stats.Messages, stats.Duplicates, totals.Delivered)
	}
	for number, row := range b.report("cancelled") {
		if row.outcome == "skipped" && row.why != "cancelled" {
			t.Fatalf("%s is skipped because of %q", number, row.why)
		}
	}
	for what, do := range map[string]func() error{
		"resuming":         func() error { _, err := b.app.Campaigns.Resume(t.Context(), "cancelled", "test"); return err },
		"cancelling again": func() error { _, err := b.app.Campaigns.Cancel(t.Context(), "cancelled", "test", ""); return err },
	} {
		if err := do(); !errors.Is(err, campaign.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
	}
}

func TestAPausedRunCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, brisk)
	b.run()
	const people = 1000
	b.people(people)
	b.launch("both")
	b.submitted(200)
	if _, err := b.app.Campaigns.Pause(t.Context(), "both", "test", ""); err != nil {
		t.Fatal(err)
	}
	b.until("both", "the run to be paused", func(s *campaign.Status) bool { return s.State == string(campaign.RunPaused) })
	if _, err := b.app.Campaigns.Cancel(t.Context(), "both", "test", ""); err != nil {
		t.Fatal(err)
	}
	status := b.until("both", "the run to be cancelled and its receipts settled", func(s *campaign.Status) bool {
		return s.State == string(campaign.RunCancelled) && s.Totals.Sent == 0
	})
	if totals := status.Totals; totals.Skipped == 0 || totals.Skipped+totals.Delivered != people {
		t.Errorf("totals %+v: everybody was to be delivered or skipped", totals)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != status.Totals.Delivered {
		t.Errorf("the centre counts %d messages and %d duplicates for %d delivered", stats.Messages, stats.Duplicates, status.Totals.Delivered)
	}
}
