package smpp

import (
	"bufio"
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pukar/smpp/pdu"
)

// wildCentre accepts, refuses, keeps silent, delivers with colliding numbers, unbinds and cuts the line, as chance has it, and
// remembers every part that it read.
type wildCentre struct {
	listener net.Listener
	conns    sync.WaitGroup
	acked    atomic.Int64
	cut      int // one in so many submits cuts the line

	mu   sync.Mutex
	read map[uint64]int // how often each part was read
}

func newWildCentre(t *testing.T, cut int) *wildCentre {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &wildCentre{listener: listener, read: make(map[uint64]int), cut: cut}
	c.conns.Go(func() {
		for seed := uint64(1); ; seed++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.conns.Go(func() { c.serve(conn, rand.New(rand.NewPCG(seed, 7))) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); c.conns.Wait() })
	return c
}

func (c *wildCentre) serve(conn net.Conn, chance *rand.Rand) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	var buf, out []byte
	var held []uint32
	var deliveries uint32
	for {
		h, body, grown, err := pdu.ReadPDU(in, buf)
		if err != nil {
			return
		}
		buf = grown
		switch h.ID {
		case pdu.SubmitSMID:
			var p pdu.SubmitSM
			if p.Decode(body) != nil || len(p.ShortMessage) != 8 {
				return
			}
			c.mu.Lock()
			c.read[binary.BigEndian.Uint64(p.ShortMessage)]++
			c.mu.Unlock()
			switch n := chance.IntN(c.cut); {
			case n == 0 && c.cut > 1:
				return
			case n == 1 && c.cut > 20:
				out = pdu.AppendHeaderOnly(out, pdu.UnbindID, 0, 1)
			case n < c.cut/100:
				// No answer.
			case n < c.cut/50:
				out = pdu.AppendHeaderOnly(out, pdu.SubmitSMRespID, pdu.StatusInvalidDestination, h.Sequence)
			case n < c.cut/10:
				held = append(held, h.Sequence)
			default:
				out = (&pdu.SubmitSMResp{MessageID: string(p.ShortMessage[4:])}).Append(out, 0, h.Sequence)
			}
			if chance.IntN(10) == 0 {
				deliveries++
				out, _ = (&pdu.DeliverSM{ShortMessage: []byte("STOP")}).Append(out, deliveries)
			}
		case pdu.DeliverSMRespID:
			c.acked.Add(1)
		case pdu.UnbindRespID, pdu.EnquireLinkRespID:
		default:
			out = pdu.AppendHeaderOnly(out, pdu.ResponseID(h.ID), 0, h.Sequence)
		}
		if in.Buffered() > 0 && len(out) < 4<<10 {
			continue
		}
		for _, sequence := range held {
			out = (&pdu.SubmitSMResp{MessageID: "x"}).Append(out, 0, sequence)
		}
		held = held[:0]
		// Units come in pieces.
		at := chance.IntN(len(out) + 1)
		for _, piece := range [][]byte{out[:at], out[at:]} {
			if _, err := conn.Write(piece); err != nil {
				return
			}
		}
		out = out[:0]
	}
}

// TestPromiseUnderChaos holds the session to its word whatever happens: each part has one result, a part that is accepted was read
// once, and one that is not sent was never read.
func TestPromiseUnderChaos(t *testing.T) {
	t.Parallel()
	const callers, rounds = 6, 60
	c := newWildCentre(t, 5000)
	bind := NewBind(BindConfig{
		Name: "wild", Addr: c.listener.Addr().String(), SystemID: "foo", Window: 40,
		ResponseTimeout: 60 * time.Millisecond, ReconnectFirst: time.Millisecond, ReconnectLimit: 2 * time.Millisecond,
	}, func(d *Delivery) { d.Ack(pdu.StatusOK) }, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var run sync.WaitGroup
	run.Go(func() {
		if err := bind.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})

	type part struct {
		outcome Outcome
		results int
	}
	var mu sync.Mutex
	parts := make(map[uint64]*part)
	var callersDone sync.WaitGroup
	for caller := range callers {
		callersDone.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(caller), 1))
			for round := range rounds {
				for !bind.Bound() {
					<-time.After(time.Millisecond)
				}
				n := 1 + chance.IntN(100)
				var left sync.WaitGroup
				left.Add(n)
				batch := &Batch{Parts: make([]Part, n), Late: func(int, Result) {}}
				ids := make([]uint64, n)
				for i := range batch.Parts {
					ids[i] = uint64(caller)<<48 | uint64(round)<<16 | uint64(i)
					batch.Parts[i].Message = pdu.SubmitSM{Destination: "919812345678", ShortMessage: binary.BigEndian.AppendUint64(nil, ids[i])}
					if chance.IntN(20) == 0 {
						batch.Parts[i].NotBefore = time.Now().Add(time.Duration(chance.IntN(3)) * time.Millisecond)
					}
				}
				batch.Done = func(i int, r Result) {
					mu.Lock()
					defer mu.Unlock()
					p := parts[ids[i]]
					if p == nil {
						p = new(part)
						parts[ids[i]] = p
						left.Done()
					}
					p.results++
					p.outcome = r.Outcome
				}
				if chance.IntN(4) == 0 {
					batch.SendBy = time.Now().Add(time.Duration(chance.IntN(5)) * time.Millisecond)
				}
				if chance.IntN(4) == 0 {
					batch.Allow = func(i int) bool { return i%7 != 3 }
				}
				sendCtx, cancelSend := context.WithCancel(ctx)
				if chance.IntN(8) == 0 {
					time.AfterFunc(time.Duration(chance.IntN(2000))*time.Microsecond, cancelSend)
				}
				bind.Send(sendCtx, batch)
				cancelSend()
				left.Wait()
			}
		})
	}
	callersDone.Wait()
	drain, cancelDrain := context.WithTimeout(ctx, 5*time.Second)
	defer cancelDrain()
	if err := bind.Drain(drain); err != nil {
		t.Errorf("drain: %v", err)
	}
	run.Wait()
	_ = c.listener.Close()
	c.conns.Wait()

	count := make(map[Outcome]int)
	for id, p := range parts {
		count[p.outcome]++
		times := c.read[id]
		switch {
		case p.results != 1:
			t.Errorf("part %x has %d results", id, p.results)
		case times > 1:
			t.Errorf("part %x, %s, was sent %d times", id, p.outcome, times)
		case p.outcome == NotSent && times != 0:
			t.Errorf("part %x is not_sent, and the centre has read it", id)
		case (p.outcome == Accepted || p.outcome == Refused) && times != 1:
			t.Errorf("part %x is %s, and the centre has not read it", id, p.outcome)
		}
	}
	t.Logf("%d parts: %v; %d deliveries acknowledged", len(parts), count, c.acked.Load())
	for _, o := range []Outcome{Accepted, Refused, NotSent, Unknown} {
		if count[o] == 0 {
			t.Errorf("chance never led to %s", o)
		}
	}
}

// TestStartAndStop starts and stops binds under load, at any moment of their lives.
func TestStartAndStop(t *testing.T) {
	t.Parallel()
	c := newWildCentre(t, 1)
	for i := range 60 {
		bind := NewBind(BindConfig{
			Addr: c.listener.Addr().String(), SystemID: "foo", Window: 10, ReconnectFirst: time.Millisecond,
			ResponseTimeout: 50 * time.Millisecond,
		}, func(d *Delivery) { d.Ack(pdu.StatusOK) }, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := bind.Run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
		for caller := range 4 {
			wg.Go(func() {
				for range 20 {
					var done atomic.Int32
					batch := &Batch{Parts: make([]Part, 5), Done: func(int, Result) { done.Add(1) }}
					for p := range batch.Parts {
						batch.Parts[p].Message.ShortMessage = binary.BigEndian.AppendUint64(nil, uint64(caller))
					}
					bind.Send(ctx, batch)
					bind.Status()
				}
			})
		}
		stop := time.NewTimer(time.Duration(i*37%2500) * time.Microsecond)
		<-stop.C
		if i%2 == 0 {
			drain, cancelDrain := context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
			_ = bind.Drain(drain)
			cancelDrain()
		}
		cancel()
		wg.Wait()
		if s := bind.Status(); s.State != Closed || s.Outstanding != 0 {
			t.Errorf("status %+v", s)
		}
	}
}
