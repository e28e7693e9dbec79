package smsc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gosmpp "github.com/fiorix/go-smpp/smpp"
	gopdu "github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/pdu/pdutext"

	"pukar/smpp/pdu"
)

// TestGoSMPPClient has a client that somebody else wrote bind, submit, and get its receipts over TCP.
func TestGoSMPPClient(t *testing.T) {
	t.Parallel()
	c := New(Options{Credentials: map[string]string{"foo": "bar"}, ReceiptDelay: 50 * time.Millisecond}, discard)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const messages = 20
	receipts := make(chan string, messages)
	client := &gosmpp.Transceiver{Addr: c.Addr(), User: "foo", Passwd: "bar", Handler: func(p gopdu.Body) {
		if p.Header().ID == gopdu.DeliverSMID {
			receipts <- p.Fields()[pdufield.ShortMessage].String()
		}
	}}
	status := client.Bind()
	if s := <-status; s.Status() != gosmpp.Connected {
		t.Fatalf("%v: %v", s.Status(), s.Error())
	}
	ids := map[string]bool{}
	for i := range messages {
		m, err := client.Submit(&gosmpp.ShortMessage{
			Src: "HELPLN", Dst: fmt.Sprint(919800000000 + i), Text: pdutext.Raw("hello"), Register: pdufield.FinalDeliveryReceipt,
		})
		if err != nil {
			t.Fatal(err)
		}
		ids[m.RespID()] = true
	}
	for range messages {
		select {
		case text := <-receipts:
			var id string
			if _, err := fmt.Sscanf(text, "id:%s sub:001 dlvrd:001", &id); err != nil || !ids[id] {
				t.Errorf("receipt %q: %v", text, err)
			}
			delete(ids, id)
		case <-time.After(20 * time.Second):
			t.Fatalf("no receipt for %d messages", len(ids))
		}
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	for range status {
	}
}

// TestStress opens, uses, cuts and closes at random moments; the race detector and goleak are the judges, and the books must
// balance.
func TestStress(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		c := New(Options{
			Seed: uint64(round), DropBeforeResponse: 50, DropRepeat: true, RedeliverAfter: 20 * time.Millisecond, RetryAfter: time.Millisecond,
			ReceiptDelay: time.Millisecond, ReceiptDelayJitter: 20 * time.Millisecond, StopRatio: 0.1, Record: io.Discard, CollidingSequence: round%2 == 1,
		}, discard)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(round), uint64(worker)))
				for ctx.Err() == nil {
					careless(ctx, c.Addr(), random)
				}
			})
		}
		if round%3 == 0 {
			<-ctx.Done()
			all.Wait()
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		all.Wait()
		s := c.Stats()
		if s.Submits != s.Accepted+s.Refused+s.Throttled || s.ReceiptsAcked > s.ReceiptsSent || s.Outstanding != 0 || s.Binds != 0 {
			t.Errorf("round %d: %+v", round, s)
		}
	}
}

// careless is a client that answers some deliver_sm, refuses some, and goes when it likes.
func careless(ctx context.Context, addr string, random *rand.Rand) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	b := pdu.Bind{SystemID: fmt.Sprint("foo", random.IntN(2))}
	out, _ := b.Append(nil, pdu.BindTransceiverID, 1)
	for i := range random.IntN(100) {
		m := message(fmt.Sprint(919800000000+random.IntN(1000)), "hello")
		out, _ = m.Append(out, uint32(i+2))
	}
	if _, err := conn.Write(out); err != nil {
		return
	}
	r := bufio.NewReader(conn)
	for range random.IntN(300) {
		h, _, _, err := pdu.ReadPDU(r, nil)
		if err != nil {
			return
		}
		if h.ID != pdu.DeliverSMID || random.IntN(4) == 0 {
			continue
		}
		status := pdu.StatusOK
		if random.IntN(4) == 0 {
			status = pdu.StatusReceiverTemporary
		}
		if _, err := conn.Write((&pdu.DeliverSMResp{}).Append(nil, status, h.Sequence)); err != nil {
			return
		}
	}
}

// TestNobodyReads has Close come to an end although a client takes nothing in.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		conn, err := pipe.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		b := pdu.Bind{SystemID: "foo"}
		out, _ := b.Append(nil, pdu.BindTransceiverID, 1)
		if _, err := conn.Write(out); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != closeTimeout {
			t.Errorf("closed after %v, want %v", took, closeTimeout)
		}
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	c := New(Options{}, discard)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := c.Start(); err == nil {
		t.Error("started again")
	}
	c.Serve(func() net.Conn { a, _ := net.Pipe(); return a }())
}

func TestDropAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		c.DropAll()
		client.expectEnd()
	})
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRecordThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pipe := open(t, Options{Record: fullDisk{}})
		defer c.Close()
		client := bound(t, pipe, "foo")
		defer client.close()
		m := message("919812345678", "hello")
		m.RegisteredDelivery = 0
		client.accepted(m)
		if err := c.Flush(); err == nil {
			t.Error("flushed")
		}
		client.accepted(m)
		if err := c.Close(); err == nil || !contains(err.Error(), "no space left") {
			t.Errorf("close: %v", err)
		}
	})
}

func TestScript(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		client := newClient(t, ours)
		defer client.close()
		m := message("919812345678", "hello")
		whole := pdu.AppendHeaderOnly(nil, pdu.EnquireLinkID, pdu.StatusOK, 5)
		done := make(chan error, 1)
		go func() {
			done <- Script(t.Context(), theirs,
				ExpectBind(pdu.StatusOK),
				Expect(pdu.SubmitSMID), Wait(time.Second), RespondSubmit(pdu.StatusOK, "x1"),
				Deliver(pdu.DeliverSM(m), 9), Expect(pdu.DeliverSMRespID),
				Send(whole[:3], whole[3:]), Expect(pdu.EnquireLinkRespID),
				Expect(pdu.UnbindID), Respond(pdu.StatusSystemError), Drop(),
			)
		}()
		if status := client.bind(pdu.BindTransceiverID, "foo", ""); status != pdu.StatusOK {
			t.Error(status)
		}
		start := time.Now()
		client.write(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkID, pdu.StatusOK, 2))
		client.expect(pdu.EnquireLinkRespID)
		if id := client.accepted(m); id != "x1" || time.Since(start) != time.Second {
			t.Errorf("id %q after %v", id, time.Since(start))
		}
		u, _ := client.deliver()
		client.ack(u, pdu.StatusOK)
		client.expect(pdu.EnquireLinkID)
		client.write(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkRespID, pdu.StatusOK, 5))
		client.write(pdu.AppendHeaderOnly(nil, pdu.UnbindID, pdu.StatusOK, 6))
		if u := client.expect(pdu.UnbindRespID); u.Status != pdu.StatusSystemError {
			t.Errorf("unbind answered %s", pdu.StatusName(u.Status))
		}
		client.expectEnd()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestScriptFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name  string
			steps []Step
			want  string
		}{
			{"another unit", []Step{Expect(pdu.UnbindID)}, "step 1: expect Unbind: got SubmitSM"},
			{"no bind", []Step{ExpectBind(pdu.StatusOK)}, "step 1: expect a bind: got SubmitSM"},
			{"cancelled", []Step{Expect(pdu.SubmitSMID), Wait(time.Hour)}, "step 2: context deadline exceeded"},
			{"never signalled", []Step{Expect(pdu.SubmitSMID), WaitFor(nil)}, "step 2: context deadline exceeded"},
			{"not closed", []Step{ExpectClose()}, "context deadline exceeded"},
		} {
			ours, theirs := net.Pipe()
			client := newClient(t, ours)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			done := make(chan error, 1)
			go func() { done <- Script(ctx, theirs, tt.steps...) }()
			client.submit(message("919812345678", "hello"))
			if err := <-done; err == nil || !contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
			cancel()
			client.close()
		}
	})
}
