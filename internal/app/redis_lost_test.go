package app

import (
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/smpp/smsc"
)

func TestRedisEmptiedInMidRunLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, brisk)
	b.run()
	const people = 2500
	b.people(people)
	client := testenv.Redis(t)
	b.launch("emptied")
	for i := range 6 {
		b.submitted(int64(500 * i))
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		// A hint that was lost before anybody took it is given again after half a minute. This is that time.
		b.exec("UPDATE batch SET hinted_at = hinted_at - interval '31 seconds'")
	}
	status := b.done("emptied")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}

func TestNothingIsSentAtARateWhileRedisIsGone(t *testing.T) {
	t.Parallel()
	const people, rate = 600, 300
	line := newLine(t, testenv.RedisURL(t))
	b := newBench(t, smsc.Options{}, func(c *config.Config) {
		c.RedisURL = config.Secret(line.url)
		c.Routes[0].PartsPerSecond = rate
	})
	b.run()
	b.people(people)
	b.launch("redis-gone")
	b.submitted(200)
	line.cut()
	cut := time.Now()
	// Slots that were given before reach half a second ahead.
	b.settles("the slots that were given to be used up", func() int64 { return b.centre.Stats().Submits })
	b.quietFor(1500*time.Millisecond, "Redis was gone")
	submits := b.submits()
	if last := submits[len(submits)-1].at; last.After(cut.Add(1500 * time.Millisecond)) {
		t.Errorf("a part was submitted %v after Redis was gone", last.Sub(cut))
	}
	if status := b.status("redis-gone"); status.Totals.Pending == 0 || status.Totals.Unknown != 0 {
		t.Errorf("totals %+v while Redis is gone: people were to be waiting", status.Totals)
	}
	line.mend()
	status := b.done("redis-gone")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	stats := b.centre.Stats()
	if stats.Duplicates != 0 || stats.Messages != people || float64(stats.HighestInSecond) > rate*mostInSecond {
		t.Errorf("the centre counts %d messages, %d duplicates, at most %d parts a second", stats.Messages, stats.Duplicates, stats.HighestInSecond)
	}
}
