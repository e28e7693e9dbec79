package smsc

import (
	"fmt"
	"time"

	"pukar/smpp/pdu"
)

// Behaviour is what of a centre's options can be changed while it runs. The fields mean what they mean in Options; the
// zero value is a well-behaved centre, whatever it was started with.
type Behaviour struct {
	ReceiptDelay, ReceiptDelayJitter time.Duration
	FailRatio, ExpireRatio           float64
	// ReceiptBeforeResponse has receipts overtake the responses that Options.ResponseDelay holds back, and none where that
	// is zero.
	ReceiptBeforeResponse bool
	DuplicateReceipts     bool
	ThrottleRatio         float64
	RefuseRatio           float64
	RefuseStatus          pdu.Status
	SilentRatio           float64
}

// Behave changes how the centre behaves from the next submit on. Behaviour that is not possible is refused and changes
// nothing.
func (c *Centre) Behave(b Behaviour) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.opts
	b.apply(&o)
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return fmt.Errorf("simulated message centre: %w", err)
	}
	// One by one: the other options are read without the lock.
	c.opts.ReceiptDelay, c.opts.ReceiptDelayJitter = o.ReceiptDelay, o.ReceiptDelayJitter
	c.opts.DeliverRatio, c.opts.FailRatio, c.opts.ExpireRatio = o.DeliverRatio, o.FailRatio, o.ExpireRatio
	c.opts.ReceiptBeforeResponse, c.opts.DuplicateReceipts = o.ReceiptBeforeResponse, o.DuplicateReceipts
	c.opts.ThrottleRatio, c.opts.RefuseRatio, c.opts.RefuseStatus = o.ThrottleRatio, o.RefuseRatio, o.RefuseStatus
	c.opts.SilentRatio = o.SilentRatio
	return nil
}

func (b Behaviour) apply(o *Options) {
	o.ReceiptDelay, o.ReceiptDelayJitter = b.ReceiptDelay, b.ReceiptDelayJitter
	o.DeliverRatio, o.FailRatio, o.ExpireRatio = 0, b.FailRatio, b.ExpireRatio
	o.ReceiptBeforeResponse, o.DuplicateReceipts = b.ReceiptBeforeResponse, b.DuplicateReceipts
	o.ThrottleRatio, o.RefuseRatio, o.RefuseStatus = b.ThrottleRatio, b.RefuseRatio, b.RefuseStatus
	o.SilentRatio = b.SilentRatio
}
