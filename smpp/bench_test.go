package smpp

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"pukar/smpp/pdu"
)

// trivialCentre accepts everything at once, with as little work as a centre can do.
func trivialCentre(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { acceptAll(conn) })
		}
	})
	b.Cleanup(func() { _ = listener.Close(); wg.Wait() })
	return listener.Addr().String()
}

func acceptAll(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var buf, out []byte
	for {
		h, _, grown, err := pdu.ReadPDU(in, buf)
		if err != nil {
			return
		}
		buf = grown
		switch h.ID {
		case pdu.SubmitSMID:
			out = (&pdu.SubmitSMResp{MessageID: "0123456789"}).Append(out, 0, h.Sequence)
		case pdu.BindTransceiverID:
			out = (&pdu.BindResp{SystemID: "x"}).Append(out, pdu.BindTransceiverRespID, 0, h.Sequence)
		default:
			out = pdu.AppendHeaderOnly(out, pdu.ResponseID(h.ID), 0, h.Sequence)
		}
		if in.Buffered() < pdu.HeaderLength || len(out) > 32<<10 {
			if _, err := conn.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
	}
}

// BenchmarkSubmit is one part from Send to Done over loopback, in batches of 500 from four callers, the centre on the same processors.
func BenchmarkSubmit(b *testing.B) {
	const size, callers = 500, 4
	addr := trivialCentre(b)
	bind := NewBind(BindConfig{Addr: addr, SystemID: "foo", Password: "bar", Window: 500}, nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = bind.Run(ctx) })
	for !bind.Bound() {
		<-time.After(time.Millisecond)
	}
	parts := make([]Part, size)
	for i := range parts {
		parts[i].Message = pdu.SubmitSM{
			Source: "HELPLN", SourceTON: 5, Destination: "919812345678", DestTON: 1, DestNPI: 1, RegisteredDelivery: 1, DataCoding: 8,
			ValidityPeriod: "000000040000000R", ShortMessage: make([]byte, 134),
			TLVs: []pdu.TLV{{Tag: 0x1400, Value: []byte("1101172974420810001")}, {Tag: 0x1401, Value: []byte("1107172974420810001")}},
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
				bind.Send(ctx, &Batch{Parts: mine, SendBy: time.Now().Add(time.Minute), Allow: func(int) bool { return true }, Done: func(_ int, r Result) {
					if r.Outcome != Accepted {
						b.Errorf("part is %s: %v", r.Outcome, r.Err)
					}
					left.Done()
				}})
				left.Wait()
			}
		})
	}
	send.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "parts/s")
	cancel()
	wg.Wait()
}
