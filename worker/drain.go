package worker

import (
	"context"
	"log/slog"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"pukar/campaign"
)

const (
	drainEvery = 3 * time.Second
	// drainHalfLife is after how long a receipt counts half: what a route did an hour ago says little.
	drainHalfLife = 10 * time.Minute
)

// Drains measures how long each route takes from the centre's response to the receipt that says delivered, shares
// it with the other processes, and knows what they share. The median is taken, which a message that waits for a
// phone that is off does not move.
type Drains struct {
	ledger *campaign.Ledger
	log    *slog.Logger
	routes []string
	meters []drainMeter // of the routes, in their order
	known  atomic.Pointer[map[string]campaign.Drain]
}

// NewDrains measures these routes. A nil Drains measures nothing and knows nothing.
func NewDrains(ledger *campaign.Ledger, routes []string, log *slog.Logger) *Drains {
	return &Drains{ledger: ledger, log: log, routes: routes, meters: make([]drainMeter, len(routes))}
}

// index is the place of a route, by which a remembered part names it.
func (d *Drains) index(route string) uint16 {
	if d == nil {
		return math.MaxUint16
	}
	return uint16(slices.Index(d.routes, route)) // none is the highest, which no route has
}

// delivered counts a message that reached its handset so long after the centre took it.
func (d *Drains) delivered(route uint16, took time.Duration) {
	if d != nil && int(route) < len(d.meters) {
		d.meters[route].add(took)
	}
}

// Of is how long before a window's end submission by the route stops.
func (d *Drains) Of(route string) time.Duration {
	var drain campaign.Drain
	if d != nil {
		if known := d.known.Load(); known != nil {
			drain = (*known)[route]
		}
	}
	return drain.Time()
}

// Run measures and shares until ctx ends.
func (d *Drains) Run(ctx context.Context) error {
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	for {
		if err := d.share(ctx, time.Now()); err != nil && ctx.Err() == nil {
			d.log.Warn("drain times are not being shared; the last known ones hold", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// share writes what was measured anew and reads what all know.
func (d *Drains) share(ctx context.Context, now time.Time) error {
	for i := range d.meters {
		median, samples, fresh := d.meters[i].fold(now)
		if !fresh {
			continue
		}
		if err := d.ledger.WriteDrain(ctx, campaign.Drain{Route: d.routes[i], Median: median, Samples: samples, MeasuredAt: now}); err != nil {
			return err
		}
	}
	known, err := d.ledger.Drains(ctx)
	if err != nil {
		return err
	}
	d.known.Store(&known)
	return nil
}

// drainMeter counts times in buckets, eight to each doubling, from a millisecond to some weeks. Adding to it costs an
// addition; only fold, which one goroutine calls, touches the weights.
type drainMeter struct {
	fresh    [drainBuckets]atomic.Uint32
	weights  [drainBuckets]float64
	foldedAt time.Time
}

const drainBuckets = 32 * 8

func (m *drainMeter) add(took time.Duration) { m.fresh[drainBucket(took)].Add(1) }

// drainBucket is the bucket of a time: its leading four binary digits in milliseconds.
func drainBucket(took time.Duration) int {
	ms := uint64(max(0, took.Milliseconds()))
	if ms < 16 {
		return int(ms)
	}
	exponent := bits.Len64(ms) - 4 // 1 …: the leading digit is one
	return min(8+8*exponent+int(ms>>exponent)-8, drainBuckets-1)
}

// drainTop is the least time that is longer than any of a bucket.
func drainTop(bucket int) time.Duration {
	if bucket < 16 {
		return time.Duration(bucket+1) * time.Millisecond
	}
	exponent, leading := (bucket-8)/8, (bucket-8)%8+8
	return time.Duration(uint64(leading+1)<<exponent) * time.Millisecond
}

// fold takes in what was counted since the last time and answers the median with the number of receipts behind it,
// older ones counting less. It answers false where nothing new was counted.
func (m *drainMeter) fold(now time.Time) (median time.Duration, samples int64, fresh bool) {
	keep := 1.0
	if !m.foldedAt.IsZero() {
		keep = math.Exp2(-float64(max(0, now.Sub(m.foldedAt))) / float64(drainHalfLife))
	}
	var counted [drainBuckets]uint32
	for i := range m.fresh {
		counted[i] = m.fresh[i].Swap(0)
		fresh = fresh || counted[i] > 0
	}
	if !fresh {
		return 0, 0, false
	}
	m.foldedAt = now
	sum := 0.0
	for i := range m.weights {
		m.weights[i] = m.weights[i]*keep + float64(counted[i])
		sum += m.weights[i]
	}
	below := 0.0
	for i := range m.weights {
		if below += m.weights[i]; below >= sum/2 {
			return drainTop(i), max(1, int64(sum)), true
		}
	}
	return drainTop(drainBuckets - 1), max(1, int64(sum)), true
}
