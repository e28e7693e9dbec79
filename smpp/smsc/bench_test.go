package smsc

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"pukar/smpp/pdu"
)

// BenchmarkSubmit is a raw pipelined client and the centre on the same machine: time per submit for both ends together.
func BenchmarkSubmit(b *testing.B) {
	for _, bb := range []struct {
		name       string
		opts       Options
		registered byte
		record     bool
	}{
		{name: "plain"},
		{name: "receipts", registered: pdu.RegisteredBoth},
		{name: "receipts after a second", registered: pdu.RegisteredBoth, opts: Options{ReceiptDelay: time.Second}},
		{name: "recorded", record: true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			opts := bb.opts
			if bb.record {
				opts.Record = io.Discard
			}
			c := New(opts, slog.New(slog.DiscardHandler))
			if err := c.Start(); err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			conn, err := net.Dial("tcp", c.Addr())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			b.ReportAllocs()
			b.ResetTimer()
			pump(b, conn, b.N, bb.registered)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
		})
	}
}

// pump binds, sends n submits with up to 2,000 unanswered, and reads until every one is answered and every receipt that was
// asked for has come and been acknowledged.
func pump(b *testing.B, conn net.Conn, n int, registered byte) {
	bind := pdu.Bind{SystemID: "bench", InterfaceVersion: pdu.InterfaceVersion34}
	out, _ := bind.Append(nil, pdu.BindTransceiverID, 1)
	if _, err := conn.Write(out); err != nil {
		b.Fatal(err)
	}
	tokens := make(chan struct{}, 2000)
	acks := make(chan []byte, 64)
	read := make(chan error, 1)
	go func() {
		r := bufio.NewReaderSize(conn, 64<<10)
		var buf, ack []byte
		answers, receipts := 0, 0
		for answers < n || registered != 0 && receipts < n {
			h, _, next, err := pdu.ReadPDU(r, buf)
			if err != nil {
				read <- err
				return
			}
			buf = next
			switch h.ID {
			case pdu.SubmitSMRespID:
				answers++
				<-tokens
			case pdu.DeliverSMID:
				receipts++
				ack = (&pdu.DeliverSMResp{}).Append(ack, pdu.StatusOK, h.Sequence)
				if r.Buffered() == 0 || len(ack) > 4096 || receipts == n {
					acks <- ack
					ack = nil
				}
			}
		}
		read <- nil
	}()
	m := pdu.SubmitSM{
		SourceTON: 5, Source: "HELPLN", DestTON: 1, DestNPI: 1, RegisteredDelivery: registered, DataCoding: 8,
		ShortMessage: make([]byte, 134),
		TLVs:         []pdu.TLV{{Tag: 0x1400, Value: []byte("1101172974420810001")}, {Tag: 0x1401, Value: []byte("1107172974420810001")}},
	}
	out = out[:0]
	var digits []byte
	flush := func() {
		if len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				b.Fatal(err)
			}
			out = out[:0]
		}
	}
	for i := range n {
		select {
		case tokens <- struct{}{}:
		default:
			flush()
			for full := true; full; {
				select {
				case tokens <- struct{}{}:
					full = false
				case ack := <-acks:
					out = append(out, ack...)
					flush()
				}
			}
		}
		select {
		case ack := <-acks:
			out = append(out, ack...)
		default:
		}
		digits = strconv.AppendUint(digits[:0], 919000000000+uint64(i), 10)
		m.Destination = string(digits)
		out, _ = m.Append(out, uint32(i+2))
		if len(out) > 32<<10 {
			flush()
		}
	}
	flush()
	for {
		select {
		case ack := <-acks:
			out = append(out, ack...)
			flush()
		case err := <-read:
			if err != nil {
				b.Fatal(err)
			}
			return
		}
	}
}
