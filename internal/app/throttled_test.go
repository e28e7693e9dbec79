package app

import (
	"testing"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

func TestACentreThatThrottlesCostsNobodyHerMessage(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]smsc.Options{
		"above a rate":   {ThrottleAbove: 400},
		"above a window": {Window: 20, ResponseDelay: 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options, nil)
			b.run()
			const people = 400
			b.people(people)
			b.launch("throttled")
			status := b.done("throttled")
			if want := (campaign.Totals{Delivered: people}); status.Totals != want {
				t.Errorf("totals %+v, want %+v", status.Totals, want)
			}
			stats := b.centre.Stats()
			if stats.Throttled == 0 {
				t.Error("nothing was throttled: the test shows nothing")
			}
			if stats.Duplicates != 0 || stats.Messages != people || stats.Refused != 0 {
				t.Errorf("the centre counts %d messages, %d duplicates, %d refused", stats.Messages, stats.Duplicates, stats.Refused)
			}
			// To be throttled is no attempt.
			if n := b.count("SELECT count(*) FROM stride, unnest(seq_tries) AS tries WHERE tries > 0"); n != 0 {
				t.Errorf("%d parts lost a try", n)
			}
			if n := b.count("SELECT count(*) FROM submission WHERE result = 'throttled'"); n != stats.Throttled {
				t.Errorf("the ledger has %d throttled parts, the centre %d", n, stats.Throttled)
			}
		})
	}
}
