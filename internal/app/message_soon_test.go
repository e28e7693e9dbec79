//go:build !race

// What is held to the clock is tested without the race detector, which slows everything down tenfold; see the Makefile.

package app

import (
	"fmt"
	"testing"
	"time"

	"pukar/internal/testenv"
	"pukar/smpp/smsc"
)

// wantSoon waits until the centre has a message and says when it got it.
func (b *bench) wantSoon(i int, posted time.Time) {
	b.t.Helper()
	number := fmt.Sprint(919700000000 + i)
	b.eventually("the message to be on the wire", func() bool { return len(b.accepted()[number]) > 0 })
	submits := b.accepted()[number]
	if took := submits[0].at.Sub(posted); took > 2*time.Second {
		b.t.Errorf("message %d was on the wire after %v", i, took)
	}
	if len(submits) != 1 {
		b.t.Errorf("message %d was submitted %d times", i, len(submits))
	}
}

// A bulk run has the route to itself, at full rate, when the messages come.
func TestAMessageIsOnTheWireWithinTwoSecondsOfABulkRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 40_000
	b.people(people)
	b.addTemplate(closedTemplate)
	b.launch("bulk")
	b.submitted(1000)
	calls := b.caller(b.app.Socket)
	redis := testenv.Redis(t)
	for i := range 8 {
		posted := time.Now()
		if _, err := calls.SendMessage(t.Context(), messageTo(i)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			if err := redis.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		b.wantSoon(i, posted)
	}
	if status := b.status("bulk"); status.Totals.Pending == 0 {
		t.Error("the bulk run was over before the messages were: nothing was shown")
	}
	b.eventually("every message to be delivered", func() bool {
		m, err := calls.Message(t.Context(), "complaint-7")
		return err == nil && m.State == "delivered" && m.RunState == "done" && m.SubmittedAt != nil && m.AcceptedAt != nil && m.FinalAt != nil
	})
}
