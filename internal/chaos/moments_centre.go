package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

// cutWire cuts some of the centre's connections, each of which may leave its window unknown.
func (h *harness) cutWire(ctx context.Context, before func(*wireConn), wait time.Duration) (string, error) {
	open := h.wire.open()
	n := 0
	for _, c := range open {
		if len(open) > 1 && h.random.IntN(2) == 0 {
			continue
		}
		n++
		h.bound += bindWindow
		before(c)
	}
	err := pause(ctx, wait)
	for _, c := range open {
		if c.deaf.Load() || c.mute.Load() || c.last.Load() {
			_ = c.Close()
		}
	}
	return fmt.Sprintf("%d of %d connections", n, len(open)), err
}

func (h *harness) cutUnread(ctx context.Context) (string, error) {
	return h.cutWire(ctx, func(c *wireConn) { c.deaf.Store(true) }, 300*time.Millisecond)
}

func (h *harness) cutUnanswered(ctx context.Context) (string, error) {
	return h.cutWire(ctx, func(c *wireConn) { c.mute.Store(true) }, 300*time.Millisecond)
}

func (h *harness) cutAnswered(ctx context.Context) (string, error) {
	return h.cutWire(ctx, func(c *wireConn) { c.last.Store(true) }, 300*time.Millisecond)
}

// misbehave has the centre behave otherwise for a while.
func (h *harness) misbehave(ctx context.Context, d time.Duration, change func(*smsc.Behaviour)) (string, error) {
	b := usual()
	change(&b)
	if err := h.centre.Behave(b); err != nil {
		return "", err
	}
	err := pause(ctx, d)
	return "for " + round(d).String(), errors.Join(err, h.centre.Behave(usual()))
}

func (h *harness) throttle(ctx context.Context) (string, error) {
	ratio := 0.05 + 0.4*h.random.Float64()
	return h.misbehave(ctx, h.between(500*time.Millisecond, 2*time.Second), func(b *smsc.Behaviour) { b.ThrottleRatio = ratio })
}

// refuseForNow meets parts each for itself, so that of one message some are accepted and some are not.
func (h *harness) refuseForNow(ctx context.Context) (string, error) {
	ratio := 0.05 + 0.4*h.random.Float64()
	return h.misbehave(ctx, h.between(500*time.Millisecond, 2*time.Second), func(b *smsc.Behaviour) {
		b.RefuseRatio, b.RefuseStatus = ratio, pdu.StatusSystemError
	})
}

func (h *harness) refuseForGood(ctx context.Context) (string, error) {
	ratio := 0.05 + 0.2*h.random.Float64()
	return h.misbehave(ctx, h.between(500*time.Millisecond, 2*time.Second), func(b *smsc.Behaviour) {
		b.RefuseRatio, b.RefuseStatus = ratio, pdu.StatusInvalidDestination
	})
}

// silence accepts parts without a word; they are unknown once the response is overdue.
func (h *harness) silence(ctx context.Context) (string, error) {
	what, err := h.misbehave(ctx, h.between(500*time.Millisecond, time.Second), func(b *smsc.Behaviour) { b.SilentRatio = 0.1 })
	return what, errors.Join(err, pause(ctx, responseTimeout+time.Second))
}

func (h *harness) lateReceipts(ctx context.Context) (string, error) {
	return h.misbehave(ctx, h.between(time.Second, 3*time.Second), func(b *smsc.Behaviour) {
		b.ReceiptDelay, b.ReceiptDelayJitter = 5*time.Second, 10*time.Second
	})
}

func (h *harness) doubleReceipts(ctx context.Context) (string, error) {
	return h.misbehave(ctx, h.between(time.Second, 2*time.Second), func(b *smsc.Behaviour) { b.DuplicateReceipts = true })
}

func (h *harness) earlyReceipts(ctx context.Context) (string, error) {
	return h.misbehave(ctx, h.between(time.Second, 2*time.Second), func(b *smsc.Behaviour) { b.ReceiptBeforeResponse = true })
}
