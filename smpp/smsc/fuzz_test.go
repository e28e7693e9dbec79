package smsc

import (
	"io"
	"net"
	"testing"

	"pukar/smpp/pdu"
)

// FuzzConnection sends a bound centre arbitrary octets, and then goes: whatever they are, the centre neither panics nor hangs, and
// its books balance.
func FuzzConnection(f *testing.F) {
	m := message("919812345678", "hello")
	submit, _ := m.Append(nil, 2)
	f.Add(submit)
	f.Add(append((&pdu.DeliverSMResp{}).Append(nil, 0, firstSequence+1), pdu.AppendHeaderOnly(nil, pdu.UnbindID, 0, 3)...))
	f.Add(append(append([]byte{}, submit...), (&pdu.DeliverSMResp{}).Append(nil, pdu.StatusSystemError, firstSequence+1)...))
	f.Add(pdu.AppendHeaderOnly(nil, pdu.GenericNackID, 0, firstSequence+1))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, octets []byte) {
		c := New(Options{Listener: NewPipe(), StopRatio: 0.5, FailRatio: 0.5, DuplicateLimit: 100}, discard)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		c.Serve(theirs)
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(io.Discard, ours)
		}()
		b := pdu.Bind{SystemID: "foo"}
		out, _ := b.Append(nil, pdu.BindTransceiverID, 1)
		// The centre may hang up before it has read everything.
		_, _ = ours.Write(append(out, octets...))
		ours.Close()
		<-read
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if s := c.Stats(); s.Submits != s.Accepted+s.Refused+s.Throttled || s.Binds != 0 || s.Outstanding != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}
