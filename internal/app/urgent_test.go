//go:build !race

// What is held to the clock is tested without the race detector, which slows everything down tenfold; see the Makefile.

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pukar/audience"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// urgentWithin is how soon an urgent message is on the wire, from its launch on.
const urgentWithin = 2 * time.Second

// TestAnUrgentMessageIsOnTheWireWithinTwoSeconds launches urgent campaigns for one person each while a bulk run takes all of the route.
func TestAnUrgentMessageIsOnTheWireWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		people  int
		rate    float64
		window  int
		options smsc.Options
		begun   int64 // parts of the bulk run that go before
	}{
		{name: "at 10 parts a second", people: 500, rate: 10, window: 50, begun: 20},
		{name: "at 300 parts a second", people: 6000, rate: 300, window: 50, begun: 600},
		{name: "at full speed", people: 40_000, window: 500, begun: 5000},
		{name: "with a full window and slow responses", people: 8000, window: 50, options: smsc.Options{ResponseDelay: 200 * time.Millisecond}, begun: 300},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, test.options, func(c *config.Config) {
				c.Routes[0].PartsPerSecond, c.Routes[0].Binds[0].Window = test.rate, test.window
			})
			b.run()
			b.people(test.people)
			const messages = 3
			places := []string{"TN/Chennai", "KL/Kollam", "GA/North Goa"}
			var csv strings.Builder
			csv.WriteString("msisdn,name,language,home_district,consent_sms\n")
			for i := range messages {
				fmt.Fprintf(&csv, "%d,Asha,hi,%s,yes\n", firstNumber-1-int64(i), places[i])
			}
			b.importPeople(messages, csv.String(), audience.ImportOptions{})
			b.launchFile(introTemplate, strings.Replace(fmt.Sprintf(introCampaign, "crowd"), "all: true", "home: [BR, UP, JH]", 1))
			b.submitted(test.begun)
			var launched [messages]time.Time
			for i := range messages {
				urgent := strings.NewReplacer("all: true", fmt.Sprintf("home: [%q]", places[i]), "bulk", "urgent").
					Replace(fmt.Sprintf(introCampaign, fmt.Sprintf("urgent-%d", i)))
				launched[i] = time.Now()
				b.launchFile(introTemplate, urgent)
				b.eventually("the urgent message to be submitted", func() bool {
					return b.count("SELECT count(*) FROM submission s JOIN recipient r USING (run_id, seq) WHERE r.msisdn = $1", firstNumber-1-int64(i)) > 0
				})
			}
			if status := b.status("crowd"); status.Totals.Pending == 0 {
				t.Error("the bulk run was over: the test shows nothing")
			}
			accepted := b.accepted()
			for i := range messages {
				parts := accepted[numberOf(-1-i)]
				if len(parts) == 0 {
					t.Fatalf("message %d did not arrive", i)
				}
				took := parts[len(parts)-1].at.Sub(launched[i])
				t.Logf("the %d parts of message %d were on the wire after %v", len(parts), i, took)
				if took > urgentWithin {
					t.Errorf("message %d took %v", i, took)
				}
			}
			b.stop()
		})
	}
}
