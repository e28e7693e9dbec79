package smpp_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gopdu "github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/smpptest"

	"pukar/smpp"
	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

var discard = slog.New(slog.DiscardHandler)

// client runs a bind against an address until the test ends.
func client(t *testing.T, cfg smpp.BindConfig, deliver func(*smpp.Delivery)) *smpp.Bind {
	t.Helper()
	bind := smpp.NewBind(cfg, deliver, discard)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := bind.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	bound(t, bind)
	return bind
}

func bound(t *testing.T, bind *smpp.Bind) {
	t.Helper()
	until(t, "the bind", bind.Bound)
}

// until polls for a condition, at most 20 s.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-time.After(time.Millisecond):
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// sendAll submits n messages in batches from several callers, tries again what was not sent, throttled or transient, and counts the
// final outcomes by name.
func sendAll(t *testing.T, bind *smpp.Bind, n, callers int, late *atomic.Int64) map[string]int {
	t.Helper()
	var mu sync.Mutex
	outcomes := make(map[string]int)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			var numbers []int
			for i := caller; i < n; i += callers {
				numbers = append(numbers, i)
			}
			for len(numbers) > 0 {
				size := min(200, len(numbers))
				mine := numbers[:size]
				batch := &smpp.Batch{Parts: make([]smpp.Part, size)}
				for i, number := range mine {
					batch.Parts[i].Message = pdu.SubmitSM{
						Source: "HELPLN", SourceTON: pdu.TONAlphanumeric, DestTON: 1, DestNPI: 1, RegisteredDelivery: pdu.RegisteredBoth,
						Destination: fmt.Sprint(919800000000 + number), ShortMessage: fmt.Appendf(nil, "message %d", number),
					}
				}
				var left sync.WaitGroup
				left.Add(size)
				var again []int
				batch.Done = func(i int, r smpp.Result) {
					mu.Lock()
					defer mu.Unlock()
					switch r.Outcome {
					case smpp.NotSent, smpp.Throttled, smpp.Transient:
						again = append(again, mine[i])
					default:
						outcomes[r.Outcome.String()]++
					}
					left.Done()
				}
				batch.Late = func(int, smpp.Result) {
					if late != nil {
						late.Add(1)
					}
				}
				bind.Send(t.Context(), batch)
				left.Wait()
				numbers = append(numbers[size:], again...)
				if !bind.Bound() {
					bound(t, bind)
				}
			}
		})
	}
	wg.Wait()
	return outcomes
}

// TestAgainstTheSimulatedCentre plays through what centres do to their clients. Whatever it is, no message is accepted twice, and the
// books of both ends agree.
func TestAgainstTheSimulatedCentre(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options smsc.Options
		config  smpp.BindConfig
		n       int
		unknown bool // some end unknown
		perhaps bool // or none, where all that was written had its response just then
	}{
		{name: "well-behaved", n: 5000},
		{name: "colliding sequence numbers", n: 2000, options: smsc.Options{CollidingSequence: true}},
		{name: "receipts before responses", n: 1000, options: smsc.Options{ReceiptBeforeResponse: true}},
		{name: "receipts twice, in TLVs only", n: 2000, options: smsc.Options{DuplicateReceipts: true, ReceiptForm: smsc.ReceiptTLV}},
		{name: "some are refused", n: 2000, options: smsc.Options{RefuseRatio: 0.1}},
		{name: "line cut before a response", n: 3000, unknown: true, options: smsc.Options{DropBeforeResponse: 250, DropRepeat: true}},
		{name: "line cut after a response", n: 3000, unknown: true, perhaps: true, options: smsc.Options{DropAfterResponse: 250, DropRepeat: true}},
		{name: "silent now and then", n: 500, unknown: true, options: smsc.Options{SilentRatio: 0.05}, config: smpp.BindConfig{ResponseTimeout: 100 * time.Millisecond}},
		{name: "late responses", n: 200, unknown: true, options: smsc.Options{ResponseDelay: 150 * time.Millisecond}, config: smpp.BindConfig{ResponseTimeout: 100 * time.Millisecond}},
		{name: "throttles now and then", n: 150, options: smsc.Options{ThrottleRatio: 0.01}},
		{name: "id in another base", n: 1000, options: smsc.Options{IDForm: smsc.IDHexDecimal, ReceiptForm: smsc.ReceiptText}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.options.Credentials = map[string]string{"foo": "bar"}
			tt.options.RedeliverAfter = 100 * time.Millisecond
			centre := smsc.New(tt.options, discard)
			if err := centre.Start(); err != nil {
				t.Fatal(err)
			}
			defer centre.Close()
			var receipts, others atomic.Int64
			cfg := tt.config
			cfg.Name, cfg.Addr, cfg.SystemID, cfg.Password, cfg.Window = "main-1", centre.Addr(), "foo", "bar", 50
			cfg.ReconnectFirst, cfg.ReconnectLimit = time.Millisecond, 5*time.Millisecond
			bind := client(t, cfg, func(d *smpp.Delivery) {
				if r, ok := smpp.ParseReceipt(&d.Message); ok && r.ID != "" && r.Final == smpp.FinalDelivered {
					receipts.Add(1)
				} else {
					others.Add(1)
				}
				d.Ack(pdu.StatusOK)
			})
			var late atomic.Int64
			got := sendAll(t, bind, tt.n, 4, &late)
			sum := 0
			for _, n := range got {
				sum += n
			}
			if sum != tt.n {
				t.Errorf("%d messages have an outcome, of %d: %v", sum, tt.n, got)
			}
			if unknown := got["unknown"]; unknown > 0 != tt.unknown && (unknown > 0 || !tt.perhaps) {
				t.Errorf("%d are unknown", unknown)
			}
			until(t, "all receipts", func() bool {
				s := centre.Stats()
				return s.ReceiptsQueued == 0 && s.Outstanding == 0
			})
			s := centre.Stats()
			if s.Duplicates > 0 {
				t.Errorf("%d messages were accepted twice", s.Duplicates)
			}
			if s.Accepted < int64(got["accepted"]) || s.Accepted > int64(got["accepted"]+got["unknown"]) {
				t.Errorf("the centre accepted %d, and we know of %v", s.Accepted, got)
			}
			if s.Refused != int64(got["refused"]) {
				t.Errorf("the centre refused %d, and we know of %v", s.Refused, got)
			}
			if s.ProtocolErrors > 0 || s.Nacked > 0 || others.Load() > 0 {
				t.Errorf("%d protocol errors, %d nacks, %d deliveries that are no receipt", s.ProtocolErrors, s.Nacked, others.Load())
			}
			if receipts.Load() < s.ReceiptsAcked {
				t.Errorf("%d receipts were acknowledged, %d were taken", s.ReceiptsAcked, receipts.Load())
			}
			drain, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := bind.Drain(drain); err != nil {
				t.Errorf("drain: %v", err)
			}
			until(t, "the end of the session", func() bool { return centre.Stats().Binds == 0 })
			t.Logf("%v, %d late, %d receipts, %d binds", got, late.Load(), receipts.Load(), s.BindsTotal)
		})
	}
}

// TestUnansweredIsRedelivered leaves the first delivery without an answer and hands the second back: the centre brings it again.
func TestUnansweredIsRedelivered(t *testing.T) {
	t.Parallel()
	centre := smsc.New(smsc.Options{RedeliverAfter: 50 * time.Millisecond, RetryAfter: 50 * time.Millisecond}, discard)
	if err := centre.Start(); err != nil {
		t.Fatal(err)
	}
	defer centre.Close()
	var seen atomic.Int64
	client(t, smpp.BindConfig{Addr: centre.Addr(), SystemID: "foo"}, func(d *smpp.Delivery) {
		switch seen.Add(1) {
		case 1: // no answer
		case 2:
			d.Ack(pdu.StatusReceiverTemporary)
		default:
			d.Ack(pdu.StatusOK)
		}
	})
	if err := centre.Inject("919812345678", "56161", "बंद"); err != nil {
		t.Error(err)
	}
	if n := seen.Load(); n != 3 {
		t.Errorf("delivered %d times", n)
	}
}

// TestTransmitterAndReceiver sends on one bind of a route and takes the receipts on the other.
func TestTransmitterAndReceiver(t *testing.T) {
	t.Parallel()
	centre := smsc.New(smsc.Options{}, discard)
	if err := centre.Start(); err != nil {
		t.Fatal(err)
	}
	defer centre.Close()
	var receipts atomic.Int64
	count := func(d *smpp.Delivery) {
		if d.Bind == "rx" {
			receipts.Add(1)
		}
		d.Ack(pdu.StatusOK)
	}
	tx := client(t, smpp.BindConfig{Name: "tx", Addr: centre.Addr(), SystemID: "foo", Type: smpp.TypeTransmitter}, count)
	rx := client(t, smpp.BindConfig{Name: "rx", Addr: centre.Addr(), SystemID: "foo", Type: smpp.TypeReceiver}, count)
	route := smpp.NewRoute("main", rx, tx)
	for range 4 {
		if bind, ok := route.Pick(); !ok || bind != tx {
			t.Fatal("the route does not pick the transmitter")
		}
	}
	if got := sendAll(t, tx, 100, 2, nil); got["accepted"] != 100 {
		t.Errorf("outcomes %v", got)
	}
	until(t, "100 receipts on the receiver", func() bool { return receipts.Load() == 100 })
}

// TestThrottlingCentre sends three times as fast as the centre takes: all get through, none is lost to the throttling.
func TestThrottlingCentre(t *testing.T) {
	t.Parallel()
	centre := smsc.New(smsc.Options{ThrottleAbove: 200}, discard)
	if err := centre.Start(); err != nil {
		t.Fatal(err)
	}
	defer centre.Close()
	bind := client(t, smpp.BindConfig{Addr: centre.Addr(), SystemID: "foo", Window: 20}, func(d *smpp.Delivery) { d.Ack(pdu.StatusOK) })
	if got := sendAll(t, bind, 400, 2, nil); got["accepted"] != 400 {
		t.Errorf("outcomes %v", got)
	}
	s := centre.Stats()
	if s.Throttled > 60 || s.Duplicates > 0 {
		t.Errorf("%d were throttled, %d accepted twice", s.Throttled, s.Duplicates)
	}
	t.Logf("%d throttled", s.Throttled)
}

// TestOtherPeoplesCentre binds to the server that comes with go-smpp, which writes and reads with a codec of its own.
func TestOtherPeoplesCentre(t *testing.T) {
	t.Parallel()
	server := smpptest.NewUnstartedServer()
	server.Handler = func(c smpptest.Conn, m gopdu.Body) {
		switch m.Header().ID {
		case gopdu.SubmitSMID:
			resp := gopdu.NewSubmitSMResp()
			resp.Header().Seq = m.Header().Seq
			_ = resp.Fields().Set(pdufield.MessageID, m.Fields()[pdufield.ShortMessage].String())
			_ = c.Write(resp)
		case gopdu.UnbindID:
			resp := gopdu.NewUnbindResp()
			resp.Header().Seq = m.Header().Seq
			_ = c.Write(resp)
		}
	}
	server.Start()
	defer server.Close()
	bind := client(t, smpp.BindConfig{Addr: server.Addr(), SystemID: smpptest.DefaultUser, Password: smpptest.DefaultPasswd}, nil)
	results := make(chan smpp.Result, 1)
	bind.Send(t.Context(), &smpp.Batch{
		Parts: []smpp.Part{{Message: pdu.SubmitSM{Source: "HELPLN", Destination: "919812345678", ShortMessage: []byte("echo")}}},
		Done:  func(_ int, r smpp.Result) { results <- r },
	})
	if r := <-results; r.Outcome != smpp.Accepted || r.MessageID != "echo" {
		t.Errorf("result %+v", r)
	}
	if err := bind.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}
