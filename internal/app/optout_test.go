package app

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
	"pukar/worker"
)

// stopTexts are ways to say stop in English and Hindi.
var stopTexts = []string{"STOP", "Stop.", "unsubscribe", "बंद करो", "मत भेजो", "रोको"}

// goodbye is somebody who says stop, and by which way.
type goodbye struct {
	person int
	say    func() error
	acked  time.Time // when it was taken in
}

// goodbyes has three people for every text: one writes to the message centre, one to a gateway, and one
// rings up. person chooses them.
func (b *bench) goodbyes(person func(n int) int) []*goodbye {
	receive := func(kind, number, text string) func() error {
		return func() error {
			stopped, err := b.app.Inbox.Receive(b.t.Context(), worker.Received{Kind: kind, From: number, To: "56161", Text: text})
			if err == nil && !stopped {
				err = fmt.Errorf("%s %q was not taken for a stop", kind, text)
			}
			return err
		}
	}
	var all []*goodbye
	for i, text := range stopTexts {
		p := [3]int{person(3 * i), person(3*i + 1), person(3*i + 2)}
		all = append(all,
			&goodbye{person: p[0], say: func() error { return b.centre.Inject(numberOf(p[0]), "56161", text) }},
			&goodbye{person: p[1], say: receive("sms", numberOf(p[1]), text)},
			&goodbye{person: p[2], say: receive("missed_call", numberOf(p[2]), "")})
	}
	return all
}

// sayAll has them all say it at once, and checks that it is in force in time.
func (b *bench) sayAll(all []*goodbye) {
	b.t.Helper()
	var group errgroup.Group
	for _, g := range all {
		group.Go(func() error {
			begun := time.Now()
			if err := g.say(); err != nil {
				return err
			}
			g.acked = time.Now()
			inForce, err := audience.CheckSuppressed(b.t.Context(), b.app.Pool, b.app.Key.Number(int64(firstNumber+g.person)))
			if err != nil {
				return err
			}
			if took := g.acked.Sub(begun); len(inForce) != 1 || took > stopTime {
				return fmt.Errorf("%d stops of person %d are in force after %v; a stop has to be within %v", len(inForce), g.person, took, stopTime)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.t.Error(err)
	}
}

func TestAStopHoldsAtFullRate(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{StopTexts: stopTexts}, nil)
	b.run()
	const people = campaign.BatchSize // one batch, worked through in order
	b.people(people)
	b.launch("full-rate")
	b.submitted(300)
	late := b.goodbyes(func(n int) int { return people - 1 - n })
	b.sayAll(late)
	// These are being written to in this moment.
	front := int(b.centre.Stats().Submits)
	soon := b.goodbyes(func(n int) int { return min(front/2+100+20*n, people-100+n) })
	b.sayAll(soon)

	status := b.done("full-rate")
	rows, submits := b.report("full-rate"), b.accepted()
	for _, g := range late {
		number := numberOf(g.person)
		if row := rows[number]; row.outcome != "suppressed" || len(submits[number]) != 0 {
			t.Errorf("person %d, late in the run, is %s and got %d parts", g.person, row.outcome, len(submits[number]))
		}
	}
	for _, g := range soon {
		// A response lies between the write and the line of the record.
		for _, s := range submits[numberOf(g.person)] {
			if s.at.After(g.acked.Add(250 * time.Millisecond)) {
				t.Errorf("person %d got a part %v after the stop was taken in", g.person, s.at.Sub(g.acked))
			}
		}
	}
	if status.Totals.Suppressed < int64(len(late)) || status.Totals.Suppressed+status.Totals.Delivered != people {
		t.Errorf("totals %+v: %d to %d are to be suppressed, everybody else delivered", status.Totals, len(late), len(late)+len(soon))
	}
	if stats := b.centre.Stats(); stats.AfterStop != 0 || stats.Duplicates != 0 {
		t.Errorf("the centre counts %d parts after a stop and %d duplicates", stats.AfterStop, stats.Duplicates)
	}
}

func TestAStopHoldsForWhatIsWrittenAheadAlready(t *testing.T) {
	t.Parallel()
	// A stride holds up to half a second of the rate; its later parts wait for their slots.
	const people, rate = 800, 400
	b := newBench(t, smsc.Options{StopTexts: stopTexts}, func(c *config.Config) { c.Routes[0].PartsPerSecond = rate })
	b.run()
	b.people(people)
	b.launch("ahead")
	b.submitted(200)
	front := len(b.accepted())
	soon := b.goodbyes(func(n int) int { return front + 5 + 6*n })
	b.sayAll(soon)

	status := b.done("ahead")
	submits, spared := b.accepted(), int64(0)
	for _, g := range soon {
		parts := submits[numberOf(g.person)]
		for _, s := range parts {
			if late := s.at.Sub(g.acked); late > 250*time.Millisecond {
				t.Errorf("person %d got a part %v after the stop was taken in", g.person, late)
			}
		}
		if len(parts) == 0 {
			spared++
		}
	}
	// Of two parts the first may have gone out before the stop.
	if totals := status.Totals; totals.Suppressed < spared || spared == 0 || totals.Suppressed+totals.Delivered != people {
		t.Errorf("totals %+v: %d people got nothing and are to be suppressed, everybody else delivered", totals, spared)
	}
	if stats := b.centre.Stats(); stats.AfterStop != 0 || stats.Duplicates != 0 {
		t.Errorf("the centre counts %d parts after a stop and %d duplicates", stats.AfterStop, stats.Duplicates)
	}
}

func TestAStopHoldsInAnotherProcessWithinASecond(t *testing.T) {
	t.Parallel()
	const people, rate = 1000, 300
	b := newBench(t, smsc.Options{StopTexts: stopTexts}, func(c *config.Config) {
		c.Routes[0].PartsPerSecond = rate
		c.Roles = []string{config.RoleAPI, config.RoleScheduler, config.RoleSMPP} // the other one sends
	})
	b.run()
	spec := b.childSpec()
	spec.Rate = rate
	other := startChild(t, spec)
	b.people(people)
	b.launch("elsewhere")
	b.submitted(100)
	front := len(b.accepted())
	soon := b.goodbyes(func(n int) int { return front + 20 + 25*n })
	b.sayAll(soon)

	status := b.done("elsewhere")
	submits := b.accepted()
	spared := int64(0)
	for _, g := range soon {
		for _, s := range submits[numberOf(g.person)] {
			if s.at.After(g.acked.Add(time.Second + 100*time.Millisecond)) {
				t.Errorf("person %d got a part %v after the stop was taken in", g.person, s.at.Sub(g.acked))
			}
		}
		if len(submits[numberOf(g.person)]) == 0 {
			spared++
		}
	}
	if spared == 0 || status.Totals.Suppressed < spared || status.Totals.Suppressed+status.Totals.Delivered != people {
		t.Errorf("totals %+v: %d people got nothing and are to be suppressed, everybody else delivered", status.Totals, spared)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 {
		t.Errorf("the centre counts %d duplicates", stats.Duplicates)
	}
	other.terminate()
}

func TestAStopHoldsInTheNextRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{StopRatio: 0.1, StopTexts: stopTexts, ReplyTo: "56161"}, nil)
	b.run()
	const people = 600
	b.people(people)
	b.launch("twice")
	b.done("twice")
	stops := b.centre.Stats().Stops
	if stops == 0 || stops == people {
		t.Fatalf("%d of %d people said stop", stops, people)
	}
	b.eventually("every stop to be taken in", func() bool { return b.centre.Stats().StopsAcked == stops })
	if _, err := b.app.Campaigns.Launch(t.Context(), "twice", campaign.LaunchOptions{Again: true, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	status := b.until("twice", "the second run to be done", func(s *campaign.Status) bool { return s.Run == 2 && s.FinishedAt != nil })
	if status.Excluded != stops || status.Recipients != people-stops || status.Totals.Delivered != status.Recipients {
		t.Errorf("%d excluded, %d recipients, %+v; %d people had said stop", status.Excluded, status.Recipients, status.Totals, stops)
	}
	if stats := b.centre.Stats(); stats.AfterStop != 0 || stats.Messages != 2*people-stops || stats.Refused != 0 {
		t.Errorf("the centre counts %d messages, %d of them after a stop", stats.Messages, stats.AfterStop)
	}
}
