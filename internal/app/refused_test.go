package app

import (
	"testing"

	"pukar/campaign"
	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

func TestAMessageWithARefusedPartIsRejected(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{RefuseRatio: 0.15}, nil)
	b.run()
	const people = 500
	b.people(people)
	b.launch("refused")
	status := b.done("refused")

	rows, tries := b.report("refused"), make(map[string]int)
	refused, halves := make(map[string]bool), 0
	for _, s := range b.submits() {
		tries[s.number+string(s.payload)]++
		refused[s.number] = refused[s.number] || s.status != pdu.StatusOK
	}
	accepted := b.accepted()
	for i := range people {
		number, want := numberOf(i), "delivered"
		if refused[number] {
			want = "rejected"
			if len(accepted[number]) > 0 {
				halves++
			}
		}
		if rows[number].outcome != want {
			t.Errorf("person %d is %s, want %s", i, rows[number].outcome, want)
		}
	}
	for _, n := range tries {
		if n > 1 {
			t.Fatalf("a part was submitted %d times", n)
		}
	}
	if len(refused) != people || halves == 0 {
		t.Errorf("%d people were submitted to, %d messages were refused in part: the test shows too little", len(refused), halves)
	}
	if totals := status.Totals; totals.Rejected == 0 || totals.Rejected+totals.Delivered != people {
		t.Errorf("totals %+v: everybody was to be delivered or rejected", totals)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 {
		t.Errorf("the centre counts %d duplicates", stats.Duplicates)
	}
}

func TestARefusalForNowIsTriedAgainBeforeItStands(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{RefuseRatio: 0.2, RefuseStatus: pdu.StatusSystemError}, nil)
	b.run()
	const people, attempts = 100, 4
	b.people(people)
	b.launch("for-now")
	b.eventually("all waits to be over", func() bool {
		// Make the time between the attempts pass.
		b.exec("UPDATE redo SET not_before = now()")
		return b.status("for-now").State == string(campaign.RunDone)
	})
	tries, refused := make(map[string]int), make(map[string]bool)
	for _, s := range b.submits() {
		tries[s.number+string(s.payload)]++
		refused[s.number] = refused[s.number] || s.status != pdu.StatusOK
	}
	single := false
	rows := b.report("for-now")
	for _, s := range b.submits() {
		want := 1
		if s.status != pdu.StatusOK {
			want = attempts
		}
		got := tries[s.number+string(s.payload)]
		if s.esmClass&0x40 == 0 && got != want {
			t.Errorf("a part that is answered 0x%X was submitted %d times, want %d", uint32(s.status), got, want)
		}
		single = single || s.esmClass&0x40 == 0 && want == attempts
		outcome := "delivered"
		if refused[s.number] {
			outcome = "rejected"
		}
		if rows[s.number].outcome != outcome {
			t.Errorf("%s is %s, want %s", s.number, rows[s.number].outcome, outcome)
		}
	}
	if !single {
		t.Error("no message of one part was refused: the test shows nothing")
	}
	if totals := b.status("for-now").Totals; totals.Rejected == 0 || totals.Rejected+totals.Delivered != people {
		t.Errorf("totals %+v: everybody was to be delivered or rejected", totals)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 {
		t.Errorf("the centre counts %d duplicates", stats.Duplicates)
	}
}
