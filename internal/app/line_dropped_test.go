package app

import (
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

const smallWindow = 20

func windowed(c *config.Config) { c.Routes[0].Binds[0].Window = smallWindow }

func TestALineDroppedLeavesNoMoreThanAWindowUnknown(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]smsc.Options{
		"before the response": {DropBeforeResponse: 300, DropRepeat: true, ResponseDelay: 5 * time.Millisecond},
		"after the response":  {DropAfterResponse: 300, DropRepeat: true, ResponseDelay: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options, windowed)
			b.run()
			const people = 600
			b.people(people)
			b.launch("dropped")
			status := b.done("dropped")
			stats := b.centre.Stats()
			totals := status.Totals
			if stats.Dropped == 0 {
				t.Error("the line was never cut: the test shows nothing")
			}
			if totals.Unknown > stats.Dropped*smallWindow || totals.Delivered+totals.Unknown != people {
				t.Errorf("totals %+v after %d cuts of a window of %d", totals, stats.Dropped, smallWindow)
			}
			if options.DropBeforeResponse > 0 && totals.Unknown == 0 {
				t.Error("an accepted part without a response was to be unknown")
			}
			if stats.Duplicates != 0 || stats.Messages < totals.Delivered {
				t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
			}
		})
	}
}

func TestUnknownPartsAreSentAgainWhereTheCampaignSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{DropBeforeResponse: 200, ResponseDelay: 5 * time.Millisecond}, windowed)
	b.run()
	const people = 300
	b.people(people)
	b.launchFile(introTemplate, introCampaignResend)
	b.eventually("everything to be delivered", func() bool {
		b.exec("UPDATE redo SET not_before = now()")
		return b.status("resend").State == string(campaign.RunDone)
	})
	if totals, want := b.status("resend").Totals, (campaign.Totals{Delivered: people}); totals != want {
		t.Errorf("totals %+v, want %+v", totals, want)
	}
	stats := b.centre.Stats()
	if stats.Duplicates == 0 || stats.Duplicates > smallWindow {
		t.Errorf("%d parts came twice: it is at least once, and within a window", stats.Duplicates)
	}
	if got := len(b.accepted()); got != people {
		t.Errorf("%d people were reached, want %d", got, people)
	}
}

const introCampaignResend = `
name: resend
purpose: ration portability
audience: {all: true}
steps:
  - sms: {template: onorc-intro, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
on_unknown: resend
`
