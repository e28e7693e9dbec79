package app

import (
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// TestNothingReachesAHandsetAfterTheWindow lets a window close in the middle of a run that ends with it, and holds every
// submit that the centre recorded to it: none came within the drain time, none may be delivered later.
func TestNothingReachesAHandsetAfterTheWindow(t *testing.T) {
	t.Parallel()
	const people = 3000
	c := newCrash(t, people, smsc.Options{})
	c.launchFile(introTemplate, strings.Replace(introCampaign, "%s", "evening", 1)+"unfinished: end\n")
	// Windows of campaign files end with a minute. This one ends in half of one, on whatever day it is by then.
	closes := time.Now().Add(30 * time.Second).Truncate(time.Second)
	midnight := time.Date(closes.In(campaign.India).Year(), closes.In(campaign.India).Month(), closes.In(campaign.India).Day(), 0, 0, 0, 0, campaign.India)
	if _, err := c.app.Pool.Exec(t.Context(), `UPDATE run SET spec = jsonb_set(spec, '{window,To}', to_jsonb($1::int8))`, int64(closes.Sub(midnight))); err != nil {
		t.Fatal(err)
	}
	c.config.Routes[0].PartsPerSecond = 100 // a minute for all: more than is left
	c.bench.run()
	status := c.until("evening", "the run to end with its window", func(s *campaign.Status) bool { return s.State == string(campaign.RunDone) })
	submits := c.submits()
	if len(submits) == 0 || status.Totals.Skipped == 0 {
		t.Fatalf("%d parts were submitted, %+v: the window was to close in the middle", len(submits), status.Totals)
	}
	const shortest = 3 * time.Second // what a route that was measured takes at the least
	for _, s := range submits {
		if s.at.After(closes.Add(-shortest)) {
			t.Errorf("submitted at %s, less than %s before the close at %s", s.at, shortest, closes)
		}
		var seconds int
		for _, digit := range s.validity[10:12] {
			seconds = 10*seconds + int(digit-'0')
		}
		if !strings.HasPrefix(s.validity, "0000000000") || !strings.HasSuffix(s.validity, "000R") {
			t.Fatalf("validity_period %q of a submit at %s", s.validity, s.at)
		}
		if ends := s.at.Add(time.Duration(seconds) * time.Second); ends.After(closes) {
			t.Errorf("submitted at %s it may arrive until %s, after the close at %s", s.at, ends, closes)
		}
	}
	messages := c.centre.Stats().Messages
	if want := (campaign.Totals{Delivered: messages, Skipped: people - messages}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if !strings.Contains(status.Why, "unfinished: end") {
		t.Errorf("why: %q", status.Why)
	}
}
