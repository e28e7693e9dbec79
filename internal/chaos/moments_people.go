package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

// stopTexts are ways to say stop.
var stopTexts = []string{"STOP", "Stop.", "unsubscribe", "बंद करो"}

// stops has some people say stop before they were written to.
func (h *harness) stops(context.Context) (string, error) {
	people, texts := h.speakers()
	return fmt.Sprintf("%d people", len(people)), h.say(people, texts)
}

// speakers are some who will say stop, and their words.
func (h *harness) speakers() (people []int, texts []string) {
	people = h.truth.untouched(0, h.groups[1].to, 1+h.random.IntN(10), h.random.IntN)
	for range people {
		texts = append(texts, stopTexts[h.random.IntN(len(stopTexts))])
	}
	return people, texts
}

// stopsAmidTrouble has people say stop while that cannot be kept, or whoever takes it in dies: it is acknowledged later, and
// only then must it be in effect.
func (h *harness) stopsAmidTrouble(ctx context.Context) (string, error) {
	people, texts := h.speakers()
	trouble := []func(*harness, context.Context) (string, error){
		(*harness).restartPostgres, (*harness).stopPostgres, (*harness).cutLine, (*harness).cutAfterCommit, (*harness).killWorker, (*harness).cutUnanswered,
	}[h.random.IntN(6)]
	said := make(chan error, 1)
	go func() { said <- h.say(people, texts) }()
	what, err := trouble(h, ctx)
	return fmt.Sprintf("%d people, %s", len(people), what), errors.Join(err, <-said)
}

// say brings stops to the message centre and waits until they are acknowledged.
func (h *harness) say(people []int, texts []string) error {
	var all sync.WaitGroup
	errs := make([]error, len(people))
	for n, i := range people {
		all.Go(func() {
			for errs[n] = smsc.ErrNoReceiver; errors.Is(errs[n], smsc.ErrNoReceiver); {
				errs[n] = h.centre.Inject(fmt.Sprint(firstNumber+i), "56161", texts[n])
				<-time.After(50 * time.Millisecond)
			}
			if errs[n] == nil {
				h.truth.stop(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// pauseAndResume pauses the first campaign by hand. Nothing of it is sent until it is resumed.
func (h *harness) pauseAndResume(ctx context.Context) (string, error) {
	name := h.groups[0].campaign
	err := h.try(ctx, func() error { _, err := h.campaigns.Pause(ctx, name, "chaos", "by hand"); return err })
	if errors.Is(err, campaign.ErrConflict) {
		return "too late: it is not running", nil
	}
	if err != nil {
		return "", err
	}
	if err := h.quiet(ctx, stopGrace, h.between(500*time.Millisecond, 2*time.Second), h.groups[0]); err != nil {
		return "", err
	}
	err = h.try(ctx, func() error { _, err := h.campaigns.Resume(ctx, name, "chaos"); return err })
	return "of " + name, err
}

// quiet waits, and then reports what is sent to the people of a group for a while.
func (h *harness) quiet(ctx context.Context, first, then time.Duration, g group) error {
	if err := pause(ctx, first); err != nil {
		return err
	}
	if err := h.centre.Flush(); err != nil {
		return err
	}
	before := h.truth.newest(g.from, g.to)
	if err := pause(ctx, then); err != nil {
		return err
	}
	if err := h.centre.Flush(); err != nil {
		return err
	}
	if after := h.truth.newest(g.from, g.to); after != before {
		h.truth.report("something was sent for %s at %s, though it was paused", g.campaign, time.UnixMilli(after).Format(time.TimeOnly))
	}
	return nil
}

// stopAll is the emergency brake: nothing is sent by anybody until it is released.
func (h *harness) stopAll(ctx context.Context) (string, error) {
	if err := h.try(ctx, func() error { _, err := h.campaigns.StopAll(ctx, "by the harness", "chaos"); return err }); err != nil {
		return "", err
	}
	p := h.some(h.crew) // it is kept over a restart
	if err := h.bury(ctx, stopGrace, p); err != nil {
		return "", err
	}
	all := group{campaign: "everything", to: h.People}
	if err := h.quiet(ctx, 0, h.between(500*time.Millisecond, 2*time.Second), all); err != nil {
		return "", err
	}
	err := h.try(ctx, func() error { _, err := h.campaigns.ResumeAll(ctx, "chaos", false); return err })
	return p.name + " is killed meanwhile", err
}

// cancelCampaign launches a small campaign beside the others and cancels it on the way.
func (h *harness) cancelCampaign(ctx context.Context) (string, error) {
	for _, g := range h.groups[2:] {
		if h.cancelled[g.campaign] {
			continue
		}
		h.cancelled[g.campaign] = true
		if err := h.launch(ctx, g.campaign); err != nil {
			return "", err
		}
		if err := pause(ctx, h.between(0, 2*time.Second)); err != nil {
			return "", err
		}
		err := h.try(ctx, func() error { _, err := h.campaigns.Cancel(ctx, g.campaign, "chaos", "by hand"); return err })
		if errors.Is(err, campaign.ErrConflict) {
			return g.campaign + " was over before", nil
		}
		if err != nil {
			return "", err
		}
		return g.campaign, h.quiet(ctx, stopGrace, time.Second, g)
	}
	return "none is left", nil
}

func (h *harness) launch(ctx context.Context, name string) error {
	return h.try(ctx, func() error {
		_, err := h.campaigns.Launch(ctx, name, campaign.LaunchOptions{Actor: "chaos"})
		return err
	})
}
