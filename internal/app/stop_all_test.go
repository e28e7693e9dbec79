package app

import (
	"errors"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
	"pukar/worker"
)

// inForceWithin is how soon a brake has to hold in every process. Tests run beside others on few processors.
const inForceWithin = time.Second

// lastSubmit is when the centre got the last part, by its own record.
func (b *bench) lastSubmit() time.Time {
	b.t.Helper()
	var last time.Time
	for _, s := range b.submits() {
		if s.at.After(last) {
			last = s.at
		}
	}
	return last
}

// still waits until the centre has got nothing for a while.
func (b *bench) still() {
	b.t.Helper()
	b.settles("the centre to get nothing more", func() int64 { return b.centre.Stats().Submits })
}

func TestStopAllHoldsInEveryProcessAtFullRateAndOverRestarts(t *testing.T) {
	t.Parallel()
	const people = 30_000
	b := newBench(t, smsc.Options{ResponseDelay: 5 * time.Millisecond}, nil)
	b.run()
	other := startChild(t, b.childSpec())
	b.people(people)
	b.launch("bihar")
	b.create(introTemplate, `
name: later
purpose: ration portability
audience: {all: true}
steps:
  - sms: {template: onorc-intro, route: main}
`)
	b.submitted(5000)
	before, since := b.centre.Stats().Submits, time.Now()
	b.submitted(before + 2000)
	rate := 2000 / time.Since(since).Seconds()

	ctx := t.Context()
	told := time.Now()
	stopped, err := b.app.Campaigns.StopAll(ctx, "wrong number in the text", "asha")
	if err != nil || stopped.Paused != 1 {
		t.Fatalf("%+v, %v", stopped, err)
	}
	answered := time.Since(told)
	b.still()
	held := b.lastSubmit().Sub(told)
	t.Logf("at %.0f parts/s the stop was answered after %v, the last part came %v after it was asked for", rate, answered, held)
	if held > inForceWithin {
		t.Errorf("a part came %v after the stop", held)
	}
	status := b.until("bihar", "the run to be paused", func(s *campaign.Status) bool { return s.State == string(campaign.RunPaused) })
	if status.Totals.Pending == 0 || status.Totals.Unknown != 0 || status.Held == "" {
		t.Errorf("%+v, %q: the test shows too little", status.Totals, status.Held)
	}
	b.stop()
	other.terminate()
	b.run()
	other = startChild(t, b.childSpec())
	for what, do := range map[string]func() error{
		"resumed": func() error { _, err := b.app.Campaigns.Resume(ctx, "bihar", "asha"); return err },
		"launched": func() error {
			_, err := b.app.Campaigns.Launch(ctx, "later", campaign.LaunchOptions{Actor: "asha"})
			return err
		},
		"tested": func() error { _, err := b.app.Campaigns.Test(ctx, "later", "919800000001", "", "asha"); return err },
	} {
		if err := do(); !errors.Is(err, campaign.ErrConflict) {
			t.Errorf("%s after a restart: %v", what, err)
		}
	}
	b.quietFor(time.Second, "everything was stopped")
	if resumed, err := b.app.Campaigns.ResumeAll(ctx, "asha", false); err != nil || len(resumed) != 1 {
		t.Errorf("resumed %+v, %v", resumed, err)
	}
	status = b.done("bihar")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
	other.terminate()
}

// A message of several parts takes seconds where the rate is a part a second: what is left of it is not sent.
func TestBrakesHoldWithinAMessage(t *testing.T) {
	t.Parallel()
	for name, brake := range map[string]func(t *testing.T, b *bench){
		"stop-all": func(t *testing.T, b *bench) {
			if _, err := b.app.Campaigns.StopAll(t.Context(), "wrong text", "asha"); err != nil {
				t.Error(err)
			}
		},
		"pause": func(t *testing.T, b *bench) {
			if _, err := b.app.Campaigns.Pause(t.Context(), "slow", "asha", "rain"); err != nil {
				t.Error(err)
			}
		},
		"cancel": func(t *testing.T, b *bench) {
			if _, err := b.app.Campaigns.Cancel(t.Context(), "slow", "asha", "rain"); err != nil {
				t.Error(err)
			}
		},
		"opt-out": func(t *testing.T, b *bench) {
			for person := range 2 {
				stopped, err := b.app.Inbox.Receive(t.Context(), worker.Received{Kind: "sms", From: numberOf(person), To: "56161", Text: "STOP"})
				if err != nil || !stopped {
					t.Errorf("stopped: %v, %v", stopped, err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rate = 0.5
			b := newBench(t, smsc.Options{}, func(c *config.Config) {
				c.Routes[0].PartsPerSecond = rate
				c.Roles = []string{config.RoleAPI, config.RoleScheduler, config.RoleSMPP} // the other one sends
			})
			b.run()
			spec := b.childSpec()
			spec.Rate = rate
			other := startChild(t, spec)
			b.people(2) // of two and three parts
			b.launch("slow")
			b.submitted(1)
			told := time.Now()
			brake(t, b)
			b.quietFor(time.Until(told.Add(5*time.Second)), "the brake was on")
			if late := b.lastSubmit().Sub(told); late > inForceWithin {
				t.Errorf("a part came %v after the brake", late)
			}
			if status := b.status("slow"); status.Totals.Delivered != 0 {
				t.Errorf("totals %+v: a whole message left, the test shows nothing", status.Totals)
			}
			other.terminate()
		})
	}
}
