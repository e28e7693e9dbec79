package smpp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

func TestOutcomeOfEachResponse(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 20}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(7)
		returned := inFlight(t.Context(), r.bind, batch)
		sent := make([]unit, 7)
		for i := range sent {
			sent[i] = p.expect(pdu.SubmitSMID)
			if m := sent[i].submit(t); int(m.ShortMessage[1]) != i {
				t.Errorf("part %d came in place %d", m.ShortMessage[1], i)
			}
		}
		// A refusal comes with and without a body, answers come in any order, and a generic_nack answers too.
		p.send((&pdu.SubmitSMResp{}).Append(nil, pdu.StatusInvalidDestination, sent[6].Sequence))
		p.accept(sent[0], "0E99-id")
		p.header(pdu.SubmitSMRespID, pdu.StatusThrottled, sent[1].Sequence)
		p.header(pdu.SubmitSMRespID, pdu.StatusMessageQueueFull, sent[2].Sequence)
		p.header(pdu.SubmitSMRespID, pdu.StatusSystemError, sent[3].Sequence)
		p.header(pdu.SubmitSMRespID, pdu.StatusInvalidSource, sent[4].Sequence)
		p.header(pdu.GenericNackID, pdu.StatusInvalidCommandLength, sent[5].Sequence)
		synctest.Wait()
		if !has(returned) {
			t.Error("Send did not return")
		}
		want := []Outcome{Accepted, Throttled, Throttled, Transient, Refused, Refused, Refused}
		if diff := cmp.Diff(want, got.outcomes(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if one := got.one(t, 0); one.MessageID != "0E99-id" || one.Status != 0 || one.At.IsZero() {
			t.Errorf("accepted part: %+v", one)
		}
		if s := r.bind.Status(); s.Outstanding != 0 || s.State != Bound {
			t.Errorf("status %+v", s)
		}
	})
}

func TestDeliveryWithTheSequenceOfASubmitIsADelivery(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *Delivery, 4)
	inBubble(t, BindConfig{}, func(d *Delivery) { deliveries <- d }, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(1)
		inFlight(t.Context(), r.bind, batch)
		u := p.expect(pdu.SubmitSMID)
		p.deliver(u.Sequence, "STOP")
		synctest.Wait()
		if o := got.outcomes(t)[0]; o != 0 {
			t.Errorf("the delivery settled the submit as %s", o)
		}
		d := <-deliveries
		if string(d.Message.ShortMessage) != "STOP" || d.Bind != "main-1" {
			t.Errorf("delivery %+v", d.Message)
		}
		d.Ack(pdu.StatusOK)
		d.Ack(pdu.StatusReceiverTemporary)
		if a := p.expect(pdu.DeliverSMRespID); a.Sequence != u.Sequence || a.Status != 0 {
			t.Errorf("acknowledged as %+v", a.Header)
		}
		p.accept(u, "1")
		synctest.Wait()
		if o := got.outcomes(t)[0]; o != Accepted {
			t.Errorf("submit is %s", o)
		}
		p.header(pdu.EnquireLinkID, 0, 9)
		p.expect(pdu.EnquireLinkRespID) // and not a second acknowledgement
	})
}

func TestWhatThePeerIsOwedPassesAFullWindow(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *Delivery, 4)
	inBubble(t, BindConfig{Window: 1}, func(d *Delivery) { deliveries <- d }, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(3)
		returned := inFlight(t.Context(), r.bind, batch)
		first := p.expect(pdu.SubmitSMID)
		p.header(pdu.EnquireLinkID, 0, 77)
		if u := p.expect(pdu.EnquireLinkRespID); u.Sequence != 77 {
			t.Errorf("sequence %d", u.Sequence)
		}
		p.deliver(78, "x")
		(<-deliveries).Ack(pdu.StatusOK)
		p.expect(pdu.DeliverSMRespID)
		if s := r.bind.Status(); s.Outstanding != 1 || s.Queued != 2 {
			t.Errorf("status %+v", s)
		}
		if has(returned) {
			t.Error("Send returned with parts that wait for the window")
		}
		p.accept(first, "1")
		p.accept(p.expect(pdu.SubmitSMID), "2")
		p.accept(p.expect(pdu.SubmitSMID), "3")
		<-returned
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted, Accepted, Accepted}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSlowCallbacksDoNotStopTheReader(t *testing.T) {
	t.Parallel()
	blocked, release := make(chan struct{}), make(chan struct{})
	inBubble(t, BindConfig{Window: 5}, func(*Delivery) { <-release }, func(t *testing.T, r *rig) {
		release, blocked = make(chan struct{}), make(chan struct{})
		p := r.next().bound()
		synctest.Wait()
		batch, _ := newBatch(1)
		batch.Done = func(int, Result) { close(blocked); <-release }
		inFlight(t.Context(), r.bind, batch)
		p.accept(p.expect(pdu.SubmitSMID), "1")
		<-blocked
		p.deliver(1, "a")
		p.deliver(2, "b")
		p.header(pdu.EnquireLinkID, 0, 3)
		p.expect(pdu.EnquireLinkRespID)
		if s := r.bind.Status(); s.Outstanding != 1 {
			t.Errorf("the slot was given back before Done returned: %+v", s)
		}
		close(release)
		synctest.Wait()
		if s := r.bind.Status(); s.Outstanding != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestResponseTimeoutAndLateResponse(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 2, ResponseTimeout: 4 * time.Second}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(3)
		inFlight(t.Context(), r.bind, batch)
		first := p.expect(pdu.SubmitSMID)
		p.expect(pdu.SubmitSMID)
		pass(t, 4*time.Second-time.Millisecond)
		if o := got.outcomes(t)[0]; o != 0 {
			t.Fatalf("part is %s before its time", o)
		}
		pass(t, time.Millisecond)
		if diff := cmp.Diff([]Outcome{Unknown, Unknown, 0}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if err := got.one(t, 0).Err; !errors.Is(err, ErrNoResponse) {
			t.Errorf("err %v", err)
		}
		// The slots are free again, and a late answer finds its part, once.
		third := p.expect(pdu.SubmitSMID)
		p.accept(first, "late")
		p.accept(first, "twice")
		p.accept(third, "3")
		synctest.Wait()
		if l := got.late[0]; l.Outcome != Accepted || l.MessageID != "late" {
			t.Errorf("late result %+v", l)
		}
		if diff := cmp.Diff([]Outcome{Unknown, Unknown, Accepted}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if s := r.bind.Status(); s.Outstanding != 0 || s.State != Bound {
			t.Errorf("status %+v", s)
		}
	})
}

func TestEnquireLink(t *testing.T) {
	t.Parallel()
	cfg := BindConfig{EnquireInterval: 20 * time.Second, ResponseTimeout: 5 * time.Second}
	inBubble(t, cfg, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		start := time.Now()
		u := p.expect(pdu.EnquireLinkID)
		if idle := time.Since(start); idle != 20*time.Second {
			t.Errorf("asked after %s", idle)
		}
		p.header(pdu.EnquireLinkRespID, 0, u.Sequence)
		// Traffic puts the question off.
		pass(t, 15*time.Second)
		p.header(pdu.EnquireLinkID, 0, 1)
		p.expect(pdu.EnquireLinkRespID)
		start = time.Now()
		p.expect(pdu.EnquireLinkID)
		if idle := time.Since(start); idle != 20*time.Second {
			t.Errorf("asked after %s", idle)
		}
		// Without an answer the line is given up, and the bind connects again.
		start = time.Now()
		p.closed()
		if silent := time.Since(start); silent != 5*time.Second {
			t.Errorf("given up after %s", silent)
		}
		synctest.Wait()
		s := r.bind.Status()
		if s.State != Waiting || !strings.Contains(s.Reason, "silent") || s.RetryAt.IsZero() {
			t.Errorf("status %+v", s)
		}
		r.next().bound()
		synctest.Wait()
		if s := r.bind.Status(); s.State != Bound || s.Reason != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestPeerUnbinds(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(3)
		returned := inFlight(t.Context(), r.bind, batch)
		u := p.expect(pdu.SubmitSMID)
		p.header(pdu.UnbindID, 0, 5)
		if a := p.expect(pdu.UnbindRespID); a.Sequence != 5 {
			t.Errorf("sequence %d", a.Sequence)
		}
		<-returned
		// What was sent before may still be answered.
		p.accept(u, "1")
		if rest := p.closed(); len(rest) > 0 {
			t.Errorf("sent after the unbind: %v", rest)
		}
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted, NotSent, NotSent}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if err := got.one(t, 1).Err; !errors.Is(err, ErrPeerUnbound) {
			t.Errorf("err %v", err)
		}
		if s := r.bind.Status(); s.State != Waiting || s.Reason != ErrPeerUnbound.Error() {
			t.Errorf("status %+v", s)
		}
	})
}

func TestPeerUnbindsAndWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(1)
		inFlight(t.Context(), r.bind, batch)
		p.expect(pdu.SubmitSMID)
		start := time.Now()
		p.header(pdu.UnbindID, 0, 5)
		p.expect(pdu.UnbindRespID)
		p.closed()
		if held := time.Since(start); held != unbindGrace {
			t.Errorf("closed after %s", held)
		}
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Unknown}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUnitsWithNoPlace(t *testing.T) {
	t.Parallel()
	deliveries := make(chan *Delivery, 4)
	inBubble(t, BindConfig{}, func(d *Delivery) { deliveries <- d }, func(t *testing.T, r *rig) {
		p := r.next().bound()
		expect := func(id pdu.ID, status pdu.Status, sequence uint32) {
			t.Helper()
			if u := p.expect(id); u.Status != status || u.Sequence != sequence {
				t.Errorf("answered %+v", u.Header)
			}
		}
		p.header(0x00010001, 0, 11) // a vendor's request
		expect(pdu.GenericNackID, pdu.StatusInvalidCommandID, 11)
		p.header(pdu.QuerySMID, 0, 12)
		expect(pdu.GenericNackID, pdu.StatusInvalidCommandID, 12)
		p.header(pdu.AlertNotificationID, 0, 13)
		p.header(pdu.OutbindID, 0, 14)
		p.header(0x80010001, 0, 15)         // a vendor's response
		p.header(pdu.SubmitSMRespID, 0, 16) // answers nothing
		p.header(pdu.GenericNackID, 3, 17)  // likewise
		p.send(append(pdu.AppendHeaderOnly(nil, pdu.DeliverSMID, 0, 18)[:3], 18, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 18, 'x', 'y'))
		expect(pdu.DeliverSMRespID, pdu.StatusReceiverPermanent, 18) // a body that cannot be read
		p.send([]byte{0, 0, 0, 17, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 19, 'x'})
		expect(pdu.DataSMRespID, pdu.StatusReceiverPermanent, 19)
		data, err := (&pdu.DataSM{Source: "1", Destination: "2", ESMClass: 4, TLVs: []pdu.TLV{{Tag: pdu.TagMessagePayload, Value: []byte(fullReceipt)}}}).Append(nil, 20)
		if err != nil {
			t.Fatal(err)
		}
		p.send(data)
		d := <-deliveries
		if receipt, ok := ParseReceipt(&d.Message); !ok || receipt.ID != "0123456789" {
			t.Errorf("receipt in a data_sm: %+v", receipt)
		}
		d.Ack(pdu.StatusOK)
		expect(pdu.DataSMRespID, 0, 20)
		if s := r.bind.Status(); s.State != Bound {
			t.Errorf("status %+v", s)
		}
	})
}

func TestLengthOutOfBoundsClosesTheSession(t *testing.T) {
	t.Parallel()
	for name, length := range map[string][]byte{"short": {0, 0, 0, 15}, "long": {0, 1, 0, 1}, "absurd": {0xFF, 0xFF, 0xFF, 0xFF}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
				p := r.next().bound()
				synctest.Wait()
				batch, got := newBatch(1)
				inFlight(t.Context(), r.bind, batch)
				p.expect(pdu.SubmitSMID)
				p.send(append(length, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1))
				p.closed()
				synctest.Wait()
				if s := r.bind.Status(); s.State != Waiting || !strings.Contains(s.Reason, "length out of bounds") {
					t.Errorf("status %+v", s)
				}
				if diff := cmp.Diff([]Outcome{Unknown}, got.outcomes(t)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestLineBreaks(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 2}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(5)
		returned := inFlight(t.Context(), r.bind, batch)
		u := p.expect(pdu.SubmitSMID)
		p.expect(pdu.SubmitSMID)
		p.accept(u, "1")
		_ = p.conn.Close()
		<-returned
		synctest.Wait()
		// The third may have been on its way when the line broke, but a pipe tells that nothing of it was read.
		want := []Outcome{Accepted, Unknown, NotSent, NotSent, NotSent}
		if diff := cmp.Diff(want, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if err := got.one(t, 1).Err; !errors.Is(err, ErrLine) {
			t.Errorf("err %v", err)
		}
		after, gotAfter := newBatch(2)
		r.bind.Send(t.Context(), after)
		if diff := cmp.Diff([]Outcome{NotSent, NotSent}, gotAfter.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		// Sequence numbers start anew with the next session, and a result of the last one cannot be mistaken for one of it.
		p = r.next().bound()
		synctest.Wait()
		again, gotAgain := newBatch(1)
		inFlight(t.Context(), r.bind, again)
		v := p.expect(pdu.SubmitSMID)
		if v.Sequence != u.Sequence {
			t.Errorf("sequence %d", v.Sequence)
		}
		p.accept(v, "2")
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted}, gotAgain.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWriteThatIsTakenInPart(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 3, WriteTimeout: 3 * time.Second}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(4)
		returned := inFlight(t.Context(), r.bind, batch)
		// The peer takes the first part and one byte of the second, and then reads no more.
		one, err := batch.Parts[0].Message.Append(nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		some := make([]byte, len(one)+1)
		if _, err := p.conn.Read(some); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		<-returned
		if blocked := time.Since(start); blocked != 3*time.Second {
			t.Errorf("given up after %s", blocked)
		}
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Unknown, Unknown, NotSent, NotSent}, got.outcomes(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if s := r.bind.Status(); s.State != Waiting {
			t.Errorf("status %+v", s)
		}
	})
}

func TestSendByAndAllow(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(4)
		batch.SendBy = time.Now().Add(time.Second)
		var asked []int
		batch.Allow = func(i int) bool { asked = append(asked, i); return i != 1 }
		returned := inFlight(t.Context(), r.bind, batch)
		u := p.expect(pdu.SubmitSMID)
		synctest.Wait()
		if diff := cmp.Diff([]int{0}, asked); diff != "" {
			t.Errorf("Allow was asked before the part's turn: %s", diff)
		}
		p.accept(u, "1")
		if m := p.expect(pdu.SubmitSMID).submit(t); m.ShortMessage[1] != 2 {
			t.Errorf("part %d was sent", m.ShortMessage[1])
		}
		start := time.Now()
		<-returned
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("returned after %s", waited)
		}
		pass(t, 10*time.Second)
		if diff := cmp.Diff([]Outcome{Accepted, NotSent, Unknown, NotSent}, got.outcomes(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if err := got.one(t, 1).Err; !errors.Is(err, ErrNotAllowed) {
			t.Errorf("err %v", err)
		}
		if err := got.one(t, 3).Err; !errors.Is(err, ErrSendBy) {
			t.Errorf("err %v", err)
		}
	})
}

func TestContextEndsSend(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 1}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		why := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		batch, got := newBatch(3)
		returned := inFlight(ctx, r.bind, batch)
		u := p.expect(pdu.SubmitSMID)
		cancel(why)
		<-returned
		if diff := cmp.Diff([]Outcome{0, NotSent, NotSent}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if err := got.one(t, 1).Err; !errors.Is(err, why) {
			t.Errorf("err %v", err)
		}
		p.accept(u, "1")
		synctest.Wait()
		if o := got.outcomes(t)[0]; o != Accepted {
			t.Errorf("the part that was out is %s", o)
		}
		never, gotNever := newBatch(1)
		r.bind.Send(ctx, never)
		if diff := cmp.Diff([]Outcome{NotSent}, gotNever.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPartThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(3)
		batch.Parts[1].Message.ShortMessage = make([]byte, 255)
		inFlight(t.Context(), r.bind, batch)
		p.accept(p.expect(pdu.SubmitSMID), "1")
		p.accept(p.expect(pdu.SubmitSMID), "3")
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted, Refused, Accepted}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		var limit *pdu.LimitError
		if err := got.one(t, 1).Err; !errors.Is(err, ErrCannotEncode) || !errors.As(err, &limit) {
			t.Errorf("err %v", err)
		}
	})
}

func TestCentreThatLostTheBind(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(1)
		inFlight(t.Context(), r.bind, batch)
		p.header(pdu.SubmitSMRespID, pdu.StatusIncorrectBindStatus, p.expect(pdu.SubmitSMID).Sequence)
		p.closed()
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Transient}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
		if s := r.bind.Status(); s.State != Waiting || !strings.Contains(s.Reason, "lost our bind") {
			t.Errorf("status %+v", s)
		}
	})
}

func TestNackThatNamesNoError(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(2)
		inFlight(t.Context(), r.bind, batch)
		u, v := p.expect(pdu.SubmitSMID), p.expect(pdu.SubmitSMID)
		p.header(pdu.GenericNackID, 0, u.Sequence)
		// A response whose body cannot be read says that the part is accepted all the same.
		p.send([]byte{0, 0, 0, 17, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, byte(v.Sequence), 'x'})
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Unknown, Accepted}, got.outcomes(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPartsLargerThanTheBuffer(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 10}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		batch, got := newBatch(5)
		batch.SendBy = time.Now().Add(time.Second)
		for i := range batch.Parts {
			batch.Parts[i].Message.TLVs = []pdu.TLV{{Tag: pdu.TagMessagePayload, Value: make([]byte, 40_000)}}
		}
		returned := inFlight(t.Context(), r.bind, batch)
		// The first two fill the buffer. By the time that the peer has read them it is too late for the others, which were
		// claimed with them and asked again before they would have been written.
		u := p.expect(pdu.SubmitSMID)
		pass(t, time.Second)
		v := p.expect(pdu.SubmitSMID)
		p.accept(u, "1")
		p.accept(v, "2")
		<-returned
		synctest.Wait()
		if diff := cmp.Diff([]Outcome{Accepted, Accepted, NotSent, NotSent, NotSent}, got.outcomes(t)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPeerThatSendsAndDoesNotRead(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{WriteTimeout: time.Hour, EnquireInterval: time.Hour}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		requests := pdu.AppendHeaderOnly(nil, pdu.EnquireLinkID, 0, 1)
		for range 2 * controlLimit / len(requests) {
			if _, err := p.conn.Write(requests); err != nil {
				break
			}
		}
		synctest.Wait()
		if s := r.bind.Status(); s.State != Waiting || !strings.Contains(s.Reason, "does not read") {
			t.Errorf("status %+v", s)
		}
	})
}

func TestSendOnManyGoroutinesKeepsTheWindow(t *testing.T) {
	t.Parallel()
	inBubble(t, BindConfig{Window: 7}, nil, func(t *testing.T, r *rig) {
		p := r.next().bound()
		synctest.Wait()
		var all []*results
		for range 10 {
			batch, got := newBatch(9)
			all = append(all, got)
			inFlight(t.Context(), r.bind, batch)
		}
		for answered := 0; answered < 90; {
			var window []unit
			for range min(7, 90-answered) {
				window = append(window, p.expect(pdu.SubmitSMID))
			}
			synctest.Wait()
			if s := r.bind.Status(); s.Outstanding != len(window) || s.Outstanding+s.Queued != 90-answered {
				t.Fatalf("after %d: %d out, %d queued", answered, s.Outstanding, s.Queued)
			}
			for _, u := range window {
				p.accept(u, "x")
			}
			answered += len(window)
		}
		synctest.Wait()
		for _, got := range all {
			for _, o := range got.outcomes(t) {
				if o != Accepted {
					t.Errorf("part is %s", o)
				}
			}
		}
	})
}
