package worker

import "pukar/internal/metrics"

// count tells the metrics of a group that was stored.
func (b *Inbox) count(group []arrival) {
	var receipts metrics.Receipts
	for i := range group {
		a := &group[i]
		switch {
		case a.Kind == "receipt":
			receipts.Add(b.Metrics, a.Bind, a.State, a.delay)
		case a.stop != nil:
			b.Metrics.Stopped(a.stop.Source)
		}
	}
	b.Metrics.CountReceipts(&receipts)
}
