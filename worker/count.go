package worker

import (
	"time"

	"pukar/campaign"
)

// milliseconds is a moment as short as a remembered part can keep it.
func milliseconds(at time.Time) uint32 { return uint32(at.UnixMilli()) }

// since is how long ago the part was accepted, never less than a millisecond.
func (r remembered) since(now time.Time) time.Duration {
	passed := int32(milliseconds(now) - r.at) // right across the wrap, and below zero where the clock went back
	return time.Duration(max(passed, 1)) * time.Millisecond
}

// count tells the metrics what became of the parts of a stride, in one go.
func (s *Sender) count(bind string, results []campaign.PartResult, took []time.Duration) {
	tally := s.Metrics.Tally()
	for i := range results {
		tally.Add(string(results[i].Result), took[i])
	}
	s.Metrics.Count(bind, &tally)
}
