package throttle

import (
	"testing"
	"time"
)

func TestClockMovesOnlyAsFarAsItMust(t *testing.T) {
	t.Parallel()
	base := time.Now()
	at := func(us int) time.Time { return base.Add(time.Duration(us) * time.Microsecond) }
	var c clock
	// Redis is 1,000,000 µs ahead of base; the first exchange took long, so that the estimate is 400 µs late.
	steps := []struct {
		name                       string
		asked, answered, now, want int
	}{
		{"first: the latest it can be", 0, 500, 1_000_100, 500},
		{"a tight exchange corrects it", 1000, 1100, 1_001_050, 1100},
		{"a loose one changes nothing", 2000, 3000, 1_002_000, 2050},
		{"Redis' clock jumped back", 4000, 4100, 900_000, 4000},
		{"and is followed from there", 5000, 5100, 901_050, 5050},
	}
	for _, step := range steps {
		if got := c.observe(at(step.asked), at(step.answered), int64(step.now)); !got.Equal(at(step.want)) {
			t.Errorf("%s: now is %v, want %v", step.name, got.Sub(base), at(step.want).Sub(base))
		}
	}
}
