package app

import (
	"testing"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
	"pukar/worker"
)

func TestStartTakesBackOnlyWhatThePersonSaidHerself(t *testing.T) {
	t.Parallel()
	const people, own, imported, other, both = 10, 0, 1, 2, 3
	b := newBench(t, smsc.Options{}, func(c *config.Config) {
		c.Inbound = []config.Inbound{{Number: "56162", Purpose: "ration portability"}, {Number: "56163", Purpose: "health camp"}}
	})
	b.run()
	b.people(people)
	stop := audience.Suppression{
		MSISDN: firstNumber + imported, Key: b.app.Key.Number(firstNumber + imported), Scope: audience.ScopeAll, Source: audience.SourceImport, Actor: "test",
	}
	if _, err := audience.Suppress(t.Context(), b.app.Pool, []audience.Suppression{stop}); err != nil {
		t.Fatal(err)
	}
	say := func(person int, to, text string) {
		t.Helper()
		if err := b.centre.Inject(numberOf(person), to, text); err != nil {
			t.Fatal(err)
		}
	}
	say(own, "56161", "STOP")
	say(other, "56163", "STOP") // of what else we write about
	say(both, "56162", "बंद")
	say(own, "56161", "शुरू")
	say(imported, "56161", "START")
	b.launch("after-start")
	status := b.done("after-start")
	if want := (campaign.Totals{Delivered: people - 2}); status.Totals != want || status.Excluded != 2 {
		t.Errorf("%+v and %d excluded: those with a stop in force for this purpose were to be left out", status.Totals, status.Excluded)
	}
	submits := b.accepted()
	for person, gets := range map[int]bool{own: true, imported: false, other: true, both: false, people - 1: true} {
		if got := len(submits[numberOf(person)]) > 0; got != gets {
			t.Errorf("person %d is written to: %v, want %v", person, got, gets)
		}
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people-2 {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}

func TestStartInMidRunLetsAStoppedPersonBeReachedAgain(t *testing.T) {
	t.Parallel()
	const people, rate = 200, 200
	b := newBench(t, smsc.Options{}, func(c *config.Config) { c.Routes[0].PartsPerSecond = rate })
	b.run()
	b.people(people)
	b.launch("changed-mind")
	b.submitted(20)
	for _, text := range []string{"STOP", "START"} {
		stopped, err := b.app.Inbox.Receive(t.Context(), worker.Received{Kind: "sms", From: numberOf(people - 1), To: "56161", Text: text})
		if err != nil || stopped != (text == "STOP") {
			t.Fatalf("%s: taken for a stop: %v, %v", text, stopped, err)
		}
	}
	status := b.done("changed-mind")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}
