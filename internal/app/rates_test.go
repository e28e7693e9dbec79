package app

import (
	"fmt"
	"testing"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// What a loaded machine does to a rate: what is sent or read late comes beside what is on time. Two processes
// that did not know of each other would come near twice the rate, and stay there.
const (
	mostInSecond = 1.5
	mostOfRate   = 1.05
	leastOfRate  = 0.5
)

// TestTwoProcessesKeepARateTogether sets each of the three rates in turn. The processes share the bind's name,
// and so its rate.
func TestTwoProcessesKeepARateTogether(t *testing.T) {
	t.Parallel()
	const people, rate = 900, 300
	for name, set := range map[string]func(*childSpec) (campaignRate int){
		"of the route":    func(s *childSpec) int { s.Rate = rate; return 0 },
		"of the bind":     func(s *childSpec) int { s.BindRate = rate; return 0 },
		"of the campaign": func(s *childSpec) int { return rate },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t, people, smsc.Options{})
			// Four batches are out at a time, so none of the two has all of them.
			c.spec.Rate, c.spec.Window, c.spec.Handlers = 0, 100, campaign.HintsPerRun/2
			campaignRate := set(&c.spec)
			other := c.childSpec()
			other.Rate, other.BindRate, other.Handlers, other.SystemID = c.spec.Rate, c.spec.BindRate, c.spec.Handlers, "other"
			c.launchFile(introTemplate, fmt.Sprintf(introCampaign, "rate")+fmt.Sprintf("rate: {parts_per_second: %d}\n", campaignRate))
			c.splitBatches(75)
			first, second := startChild(t, c.spec), startChild(t, other)
			status := c.done("rate")
			if want := (campaign.Totals{Delivered: people}); status.Totals != want {
				t.Errorf("totals %+v, want %+v", status.Totals, want)
			}
			stats := c.centre.Stats()
			if stats.Duplicates != 0 || stats.Messages != people {
				t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
			}
			t.Logf("%d parts in the busiest second at a rate of %d", stats.HighestInSecond, rate)
			if float64(stats.HighestInSecond) > mostInSecond*rate {
				t.Errorf("%d parts came within a second at a rate of %d", stats.HighestInSecond, rate)
			}
			submits := c.submits()
			by := make(map[string]int)
			for _, s := range submits {
				by[s.systemID]++
			}
			if by["pukar"] < 100 || by["other"] < 100 {
				t.Errorf("the processes submitted %v: both were to work at it", by)
			}
			took := submits[len(submits)-1].at.Sub(submits[0].at).Seconds()
			if got := float64(len(submits)-1) / took; got < leastOfRate*rate || got > mostOfRate*rate {
				t.Errorf("%.0f parts a second at a rate of %d", got, rate)
			}
			first.terminate()
			second.terminate()
		})
	}
}

// splitBatches makes batches of the given size of a run that nobody works at yet, so that several processes can.
func (b *bench) splitBatches(size int) {
	b.t.Helper()
	b.exec("DELETE FROM batch")
	b.exec(`INSERT INTO batch (run_id, no, lo, hi, sent_upto)
		SELECT id, no, no * $1 + 1, least((no + 1) * $1, recipients), no * $1
		FROM run, generate_series(0, (recipients - 1) / $1) no`, size)
}
