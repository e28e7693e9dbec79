package pdu

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type codec interface{ Decode([]byte) error }

// reencode writes a decoded unit again; ok is false where the writer's limits forbid what the reader takes.
func reencode(t *testing.T, unit codec) (b []byte, ok bool) {
	t.Helper()
	var err error
	switch u := unit.(type) {
	case *SubmitSM:
		b, err = u.Append(nil, 1)
	case *DeliverSM:
		b, err = u.Append(nil, 1)
	case *DataSM:
		b, err = u.Append(nil, 1)
	case *Bind:
		b, err = u.Append(nil, BindTransceiverID, 1)
	case *SubmitSMResp:
		b, ok = u.Append(nil, StatusOK, 1), len(u.MessageID) <= MaxMessageID
		return b, ok
	case *DeliverSMResp:
		b, ok = u.Append(nil, StatusOK, 1), len(u.MessageID) <= MaxMessageID
		return b, ok
	case *DataSMResp:
		b, ok = u.Append(nil, StatusOK, 1), len(u.MessageID) <= MaxMessageID
		return b, ok
	case *BindResp:
		b, ok = u.Append(nil, BindTransceiverRespID, StatusOK, 1), len(u.SystemID) <= MaxSystemID
		return b, ok
	default:
		t.Fatalf("no encoder for %T", unit)
	}
	return b, err == nil
}

// FuzzDecode reads a body as every unit there is: no panic, and what was read survives writing and reading.
func FuzzDecode(f *testing.F) {
	for _, golden := range []string{goldenSubmit, goldenDeliver, goldenDeliverResp, goldenBind, goldenBindResp, goldenSubmitResp, goldenData} {
		f.Add(unhex(f, golden)[HeaderLength:])
	}
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00\xff"))
	makers := []func() codec{
		func() codec { return new(SubmitSM) }, func() codec { return new(DeliverSM) }, func() codec { return new(DataSM) },
		func() codec { return new(Bind) }, func() codec { return new(BindResp) }, func() codec { return new(SubmitSMResp) },
		func() codec { return new(DeliverSMResp) }, func() codec { return new(DataSMResp) },
	}
	same := cmp.Transformer("empty", func(b []byte) string { return string(b) })
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, fresh := range makers {
			first := fresh()
			if first.Decode(body) != nil {
				continue
			}
			b, ok := reencode(t, first)
			if !ok {
				continue
			}
			second := fresh()
			if err := second.Decode(b[HeaderLength:]); err != nil {
				t.Fatalf("%T does not read its own octets %x: %v", second, b, err)
			}
			if diff := cmp.Diff(first, second, same, cmp.Transformer("none", func(l []TLV) []TLV { return append([]TLV{}, l...) })); diff != "" {
				t.Fatalf("%T after a round trip (-first +second):\n%s", first, diff)
			}
		}
	})
}

// FuzzReadPDU reads a stream to its end: no panic, and never a body beyond the limit.
func FuzzReadPDU(f *testing.F) {
	f.Add(append(unhex(f, goldenEnquire), unhex(f, goldenSubmit)...))
	f.Add(unhex(f, goldenNack)[:9])
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReader(bytes.NewReader(stream))
		var buf []byte
		read := 0
		for {
			h, body, next, err := ReadPDU(r, buf)
			if err != nil {
				return
			}
			read += int(h.Length)
			if len(body)+HeaderLength != int(h.Length) || read > len(stream) || cap(next) > MaxLength {
				t.Fatalf("header %+v with a body of %d octets", h, len(body))
			}
			buf = next
		}
	})
}
