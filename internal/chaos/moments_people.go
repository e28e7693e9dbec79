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
	people := h.truth.untouched(0, h.groups[1].to, 1+h.random.IntN(10), h.random.IntN)
	texts := make([]string, len(people))
	for n := range texts {
		texts[n] = stopTexts[h.random.IntN(len(stopTexts))]
	}
	return fmt.Sprintf("%d people", len(people)), h.say(people, texts)
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
