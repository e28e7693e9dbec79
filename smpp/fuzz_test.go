package smpp

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"pukar/smpp/pdu"
)

// FuzzPeer lets a peer say anything at all to a session that waits for a response: nothing panics, the session ends when the peer
// closes, and the part that was out has exactly one result.
func FuzzPeer(f *testing.F) {
	f.Add((&pdu.SubmitSMResp{MessageID: "1"}).Append(nil, 0, 2))
	f.Add(pdu.AppendHeaderOnly(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkID, 0, 7), pdu.GenericNackID, 3, 2))
	f.Add(pdu.AppendHeaderOnly(nil, pdu.UnbindID, 0, 7))
	f.Add(append(pdu.AppendHeaderOnly(nil, pdu.DeliverSMID, 0, 2), 0, 0, 0, 4))
	f.Add([]byte{0, 0, 0, 15, 0, 0, 0, 0})
	deliver, err := (&pdu.DeliverSM{ShortMessage: []byte(fullReceipt)}).Append(nil, 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(deliver)
	bind := NewBind(BindConfig{Addr: "pipe", Window: 1}, func(*Delivery) {}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		s := newSession(bind, ours, bufio.NewReader(ours), bindSequence)
		ended := make(chan error, 1)
		go func() { ended <- s.run(context.Background()) }()
		batch, got := newBatch(2)
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			s.send(context.Background(), batch)
		}()
		in := bufio.NewReader(theirs)
		if _, _, _, err := pdu.ReadPDU(in, nil); err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(io.Discard, in)
		}()
		// An error means that the session found what was said unbearable.
		_, _ = theirs.Write(said)
		_ = theirs.Close()
		if err := <-ended; err == nil {
			t.Error("the session ended without a cause")
		}
		<-returned
		<-read
		for i, o := range got.outcomes(t) {
			if o == 0 {
				t.Errorf("part %d has no result", i)
			}
		}
		for len(bind.deliveries) > 0 {
			<-bind.deliveries
		}
	})
}
