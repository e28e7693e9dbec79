package smpp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

func TestReconnectBacksOff(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{ReconnectFirst: 2 * time.Second, ReconnectLimit: 10 * time.Second}, nil, func(t *testing.T, r *rig) {
		_ = r.next().conn.Close()
		for _, limit := range []time.Duration{2, 4, 8, 10, 10} {
			start := time.Now()
			p := r.next()
			if waited := time.Since(start); waited < limit*time.Second/2 || waited > limit*time.Second {
				t.Errorf("waited %s, want %d s at most and half of it at least", waited, limit)
			}
			_ = p.conn.Close()
		}
		// A session that held puts the waits back to the shortest; one that did not, does not.
		p := r.next().bound()
		pass(t, steady)
		_ = p.conn.Close()
		start := time.Now()
		p = r.next().bound()
		if waited := time.Since(start); waited > 2*time.Second {
			t.Errorf("waited %s after a steady session", waited)
		}
		synctest.Wait()
		_ = p.conn.Close()
		start = time.Now()
		r.next()
		if waited := time.Since(start); waited < 2*time.Second {
			t.Errorf("waited %s after a session that broke at once", waited)
		}
	})
}

func TestBindRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status      pdu.Status
		least, most time.Duration
		refused     bool
	}{
		{pdu.StatusInvalidPassword, 30 * time.Second, time.Minute, true},
		{pdu.StatusInvalidSystemID, 30 * time.Second, time.Minute, true},
		{pdu.StatusBindFailed, 30 * time.Second, time.Minute, true},
		{pdu.StatusAlreadyBound, 2500 * time.Millisecond, 5 * time.Second, false},
		{pdu.StatusSystemError, 500 * time.Millisecond, time.Second, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("0x%02X", uint32(tt.status)), func(t *testing.T) {
			t.Parallel()
			inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
				p := r.next()
				u := p.expect(pdu.BindTransceiverID)
				p.header(pdu.BindTransceiverRespID, tt.status, u.Sequence)
				p.closed()
				synctest.Wait()
				s := r.bind.Status()
				if s.State != Waiting || s.Refused != tt.refused || !strings.Contains(s.Reason, tt.status.Error()) {
					t.Errorf("status %+v", s)
				}
				start := time.Now()
				r.next()
				if waited := time.Since(start); waited < tt.least || waited > tt.most {
					t.Errorf("waited %s", waited)
				}
			})
		})
	}
}

func TestSilentPeersDoNotHoldTheBind(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{ResponseTimeout: 3 * time.Second}, nil, func(t *testing.T, r *rig) {
		p := r.next()
		p.expect(pdu.BindTransceiverID)
		start := time.Now()
		p.closed()
		if held := time.Since(start); held != 3*time.Second {
			t.Errorf("given up after %s", held)
		}
		// One that does not even read.
		r.next()
		synctest.Wait()
		start = time.Now()
		r.next()
		if held := time.Since(start); held < 3*time.Second || held > 6*time.Second {
			t.Errorf("given up after %s", held)
		}
	})
}

func TestDialTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{DialTimeout: 3 * time.Second}, nil, func(t *testing.T, r *rig) {
		pass(t, 3*time.Second) // nobody takes the connection
		if s := r.bind.Status(); s.State != Waiting || !strings.Contains(s.Reason, "dial pipe") {
			t.Errorf("status %+v", s)
		}
	})
}

func TestBindTypes(t *testing.T) {
	t.Parallel()
	for kind, command := range bindCommands {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			inBubble(t, BindConfig{Type: kind}, nil, func(t *testing.T, r *rig) {
				p := r.next()
				u := p.expect(command)
				var request pdu.Bind
				if err := request.Decode(u.body); err != nil || request.SystemID != "foo" || request.Password != "bar" || request.InterfaceVersion != 0x34 {
					t.Errorf("bind %+v, %v", request, err)
				}
				p.send((&pdu.BindResp{SystemID: "c"}).Append(nil, pdu.ResponseID(command), 0, u.Sequence))
				synctest.Wait()
				route := NewRoute("main", r.bind)
				if _, ok := route.Pick(); ok != (kind != TypeReceiver) {
					t.Errorf("route picks it: %t", ok)
				}
				batch, got := newBatch(1)
				returned := inFlight(t.Context(), r.bind, batch)
				if kind == TypeReceiver {
					<-returned
					if err := got.one(t, 0).Err; !errors.Is(err, ErrNotBound) {
						t.Errorf("err %v", err)
					}
					return
				}
				p.accept(p.expect(pdu.SubmitSMID), "1")
				synctest.Wait()
				if o := got.outcomes(t)[0]; o != Accepted {
					t.Errorf("part is %s", o)
				}
			})
		})
	}
}

func TestPacingLetsOthersPass(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		start := time.Now()
		slow, gotSlow := newBatch(3)
		for i := range slow.Parts {
			slow.Parts[i].NotBefore = start.Add(time.Duration(i+1) * time.Second)
			slow.Parts[i].Message.Source = "SLOW"
		}
		inFlight(t.Context(), r.bind, slow)
		synctest.Wait()
		fast, _ := newBatch(2)
		inFlight(t.Context(), r.bind, fast)
		type arrival struct {
			Source string
			After  time.Duration
		}
		var arrivals []arrival
		for range 5 {
			u := p.expect(pdu.SubmitSMID)
			arrivals = append(arrivals, arrival{u.submit(t).Source, time.Since(start)})
			p.accept(u, "x")
		}
		want := []arrival{{"HELPLN", 0}, {"HELPLN", 0}, {"SLOW", time.Second}, {"SLOW", 2 * time.Second}, {"SLOW", 3 * time.Second}}
		if diff := cmp.Diff(want, arrivals); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted, Accepted, Accepted}, gotSlow.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCallersTakeTurns(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		big, _ := newBatch(100)
		inFlight(t.Context(), r.bind, big)
		u := p.expect(pdu.SubmitSMID)
		for _, source := range []string{"B", "C"} {
			small, _ := newBatch(2)
			for i := range small.Parts {
				small.Parts[i].Message.Source = source
			}
			inFlight(t.Context(), r.bind, small)
			synctest.Wait()
		}
		var order []string
		for range 8 {
			p.accept(u, "x")
			u = p.expect(pdu.SubmitSMID)
			order = append(order, u.submit(t).Source[:1])
		}
		if got := strings.Join(order, ""); got != "HBCHBCHH" && got != "BCHBCHHH" {
			t.Errorf("order %s", got)
		}
	})
}

func TestBindRate(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1000, PartsPerSecond: 50}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, _ := newBatch(160)
		inFlight(t.Context(), r.bind, batch)
		var at []time.Time
		for range batch.Parts {
			u := p.expect(pdu.SubmitSMID)
			at = append(at, time.Now())
			p.accept(u, "x")
		}
		if took := at[len(at)-1].Sub(at[0]); took < 3*time.Second || took > 3500*time.Millisecond {
			t.Errorf("160 parts took %s", took)
		}
		for i := 50; i < len(at); i++ {
			if gap := at[i].Sub(at[i-50]); gap < time.Second {
				t.Fatalf("parts %d to %d fell into %s", i-50, i, gap)
			}
		}
	})
}

func TestThrottledBindPauses(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 2, ResponseTimeout: 200 * time.Second, EnquireInterval: time.Hour}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		route := NewRoute("main", r.bind)
		batch, got := newBatch(40)
		inFlight(t.Context(), r.bind, batch)
		throttle := func() {
			t.Helper()
			u, v := p.expect(pdu.SubmitSMID), p.expect(pdu.SubmitSMID)
			p.header(pdu.SubmitSMRespID, pdu.StatusThrottled, u.Sequence)
			p.header(pdu.SubmitSMRespID, pdu.StatusThrottled, v.Sequence) // of the same burst
			synctest.Wait()
		}
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			throttle()
			until := r.bind.Status().PausedUntil
			if pause := time.Until(until); pause != want*time.Second {
				t.Fatalf("pauses for %s, want %d s", pause, want)
			}
			if _, ok := route.Pick(); ok {
				t.Error("the route picks a bind that pauses")
			}
			// Meanwhile the peer is answered.
			p.header(pdu.EnquireLinkID, 0, 1)
			p.expect(pdu.EnquireLinkRespID)
			quiet := time.NewTimer(time.Until(until))
			<-quiet.C
		}
		p.accept(p.expect(pdu.SubmitSMID), "x")
		p.accept(p.expect(pdu.SubmitSMID), "y")
		synctest.Wait()
		if s := r.bind.Status(); !s.PausedUntil.IsZero() {
			t.Errorf("status %+v", s)
		}
		throttle()
		if pause := time.Until(r.bind.Status().PausedUntil); pause != time.Second {
			t.Errorf("pauses for %s after it had recovered", pause)
		}
		if o := got.outcomes(t); o[0] != Throttled || o[16] != Accepted || o[20] != 0 {
			t.Errorf("outcomes %v", o)
		}
	})
}

func TestPauseOutlivesTheSession(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, _ := newBatch(1)
		inFlight(t.Context(), r.bind, batch)
		p.header(pdu.SubmitSMRespID, pdu.StatusThrottled, p.expect(pdu.SubmitSMID).Sequence)
		synctest.Wait()
		until := r.bind.Status().PausedUntil
		_ = p.conn.Close()
		p = r.next().bound()
		synctest.Wait()
		again, _ := newBatch(1)
		inFlight(t.Context(), r.bind, again)
		p.expect(pdu.SubmitSMID)
		if time.Now().Before(until) {
			t.Errorf("sent %s before the pause ended", time.Until(until))
		}
	})
}

func TestTooManyDeliveries(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *Delivery, 10)
	inBubble(t, BindConfig{DeliveryLimit: 2}, func(d *Delivery) { deliveries <- d }, func(t *testing.T, r *rig) {
		p := r.next().bound()
		for i := range uint32(3) {
			p.deliver(i+1, "x")
		}
		if u := p.expect(pdu.DeliverSMRespID); u.Sequence != 3 || u.Status != pdu.StatusReceiverTemporary {
			t.Errorf("the third was answered %+v", u.Header)
		}
		first := <-deliveries
		<-deliveries
		first.Ack(pdu.StatusReceiverTemporary)
		if u := p.expect(pdu.DeliverSMRespID); u.Sequence != 1 || u.Status != pdu.StatusReceiverTemporary {
			t.Errorf("answered %+v", u.Header)
		}
		p.deliver(4, "x")
		third := <-deliveries
		_ = p.conn.Close()
		synctest.Wait()
		third.Ack(pdu.StatusOK) // nothing to answer to
		p = r.next().bound()
		p.deliver(1, "x")
		(<-deliveries).Ack(pdu.StatusOK)
		if u := p.expect(pdu.DeliverSMRespID); u.Sequence != 1 || u.Status != 0 {
			t.Errorf("answered %+v", u.Header)
		}
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *Delivery, 10)
	inBubble(t, BindConfig{Window: 2}, func(d *Delivery) { deliveries <- d }, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(4)
		returned := inFlight(t.Context(), r.bind, batch)
		u, v := p.expect(pdu.SubmitSMID), p.expect(pdu.SubmitSMID)
		drained := make(chan error, 1)
		go func() { drained <- r.bind.Drain(t.Context()) }()
		<-returned
		after, gotAfter := newBatch(1)
		r.bind.Send(t.Context(), after)
		if err := gotAfter.one(t, 0).Err; !errors.Is(err, ErrDraining) {
			t.Errorf("err %v", err)
		}
		p.accept(u, "1")
		p.deliver(1, "receipt") // still taken, since a response is awaited
		late := <-deliveries
		p.accept(v, "2")
		synctest.Wait()
		p.deliver(2, "receipt") // too late for this session
		if a := p.expect(pdu.DeliverSMRespID); a.Sequence != 2 || a.Status != pdu.StatusReceiverTemporary {
			t.Errorf("answered %+v", a.Header)
		}
		late.Ack(pdu.StatusOK)
		if a := p.expect(pdu.DeliverSMRespID); a.Sequence != 1 || a.Status != 0 {
			t.Errorf("answered %+v", a.Header)
		}
		b := p.expect(pdu.UnbindID)
		p.header(pdu.UnbindRespID, 0, b.Sequence)
		if err := <-drained; err != nil {
			t.Errorf("drain: %v", err)
		}
		<-r.done
		if diff := cmp.Diff([]Outcome{Accepted, Accepted, NotSent, NotSent}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if s := r.bind.Status(); s.State != Closed {
			t.Errorf("status %+v", s)
		}
	})
}

func TestDrainIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(1)
		inFlight(t.Context(), r.bind, batch)
		p.expect(pdu.SubmitSMID)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := r.bind.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %s", took)
		}
		<-r.done
		if diff := cmp.Diff([]Outcome{Unknown}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDrainWithAPeerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{ResponseTimeout: 2 * time.Second}, func(*Delivery) {}, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		p.deliver(1, "never acknowledged")
		go p.closed()
		start := time.Now()
		if err := r.bind.Drain(t.Context()); err != nil {
			t.Errorf("drain: %v", err)
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("took %s", took)
		}
		<-r.done
	})
}

func TestDrainWithoutAConnection(t *testing.T) {
	t.Parallel()
	for _, state := range []State{Connecting, Waiting, Closed} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			inBubble(t, BindConfig{ReconnectFirst: time.Hour, ReconnectLimit: time.Hour}, nil, func(t *testing.T, r *rig) {
				switch state {
				case Connecting:
					r.next()
				case Waiting:
					_ = r.next().conn.Close()
				case Closed:
					r.stop()
				}
				synctest.Wait()
				if s := r.bind.Status(); s.State != state {
					t.Errorf("status %+v", s)
				}
				start := time.Now()
				if err := r.bind.Drain(t.Context()); err != nil {
					t.Errorf("drain: %v", err)
				}
				<-r.done
				if took := time.Since(start); took != 0 {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestThePasswordIsNowhere(t *testing.T) {
	t.Parallel()
	cfg := BindConfig{Name: "b", Addr: "a:1", SystemID: "foo", Password: "s3cr3t-and-too-long", Type: "half"}
	var logged bytes.Buffer
	b := NewBind(cfg, nil, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	err := b.Run(t.Context())
	if err == nil {
		t.Fatal("a configuration that makes no sense is taken")
	}
	for _, want := range []string{"unknown type", "password of 19 octets"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	all := fmt.Sprintf("%v %+v %#v %s %v %+v %s", cfg, cfg, cfg, cfg, err, b.Status(), logged.String())
	if strings.Contains(all, "s3cr3t") {
		t.Errorf("the password is in: %s", all)
	}
}
