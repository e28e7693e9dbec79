package app

import (
	"testing"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

func TestARunReachesEverybody(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 2500
	b.people(people)
	b.launch("everybody")
	status := b.done("everybody")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	stats := b.centre.Stats()
	if stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates; %d people were to be reached once", stats.Messages, stats.Duplicates, people)
	}
}
