package smpp_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pukar/smpp"
	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

// BenchmarkSubmitAndReceipt is one message from Send to its acknowledged receipt, the simulated centre on the same processors.
func BenchmarkSubmitAndReceipt(b *testing.B) {
	const size, callers = 500, 4
	centre := smsc.New(smsc.Options{DuplicateLimit: -1}, discard)
	if err := centre.Start(); err != nil {
		b.Fatal(err)
	}
	defer centre.Close()
	var receipts atomic.Int64
	bind := smpp.NewBind(smpp.BindConfig{Addr: centre.Addr(), SystemID: "foo", Window: 500}, func(d *smpp.Delivery) {
		if _, ok := smpp.ParseReceipt(&d.Message); ok {
			receipts.Add(1)
		}
		d.Ack(pdu.StatusOK)
	}, discard)
	ctx, cancel := context.WithCancel(b.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = bind.Run(ctx) })
	for !bind.Bound() {
		<-time.After(time.Millisecond)
	}
	parts := make([]smpp.Part, size)
	for i := range parts {
		parts[i].Message = pdu.SubmitSM{
			Source: "HELPLN", SourceTON: 5, Destination: "919812345678", DestTON: 1, DestNPI: 1, RegisteredDelivery: 1, DataCoding: 8,
			ShortMessage: make([]byte, 134),
			TLVs:         []pdu.TLV{{Tag: 0x1400, Value: []byte("1101172974420810001")}, {Tag: 0x1401, Value: []byte("1107172974420810001")}},
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	var send sync.WaitGroup
	for c := range callers {
		send.Go(func() {
			for n := c * size; n < b.N; n += callers * size {
				var left sync.WaitGroup
				mine := parts[:min(size, b.N-n)]
				left.Add(len(mine))
				bind.Send(ctx, &smpp.Batch{Parts: mine, Done: func(_ int, r smpp.Result) {
					if r.Outcome != smpp.Accepted {
						b.Errorf("part is %s: %v", r.Outcome, r.Err)
					}
					left.Done()
				}})
				left.Wait()
			}
		})
	}
	send.Wait()
	for receipts.Load() < int64(b.N) {
		<-time.After(100 * time.Microsecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	cancel()
	run.Wait()
}
