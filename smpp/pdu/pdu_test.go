package pdu

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestAppendRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("9", n) }
	type unit interface {
		Append([]byte, uint32) ([]byte, error)
	}
	bind := func(b Bind) error {
		_, err := b.Append(nil, BindReceiverID, 1)
		return err
	}
	plain := func(u unit) error {
		_, err := u.Append(nil, 1)
		return err
	}
	tests := []struct {
		field string
		limit int
		make  func(n int) error
	}{
		{"system_id", 15, func(n int) error { return bind(Bind{SystemID: long(n)}) }},
		{"password", 8, func(n int) error { return bind(Bind{Password: long(n)}) }},
		{"system_type", 12, func(n int) error { return bind(Bind{SystemType: long(n)}) }},
		{"address_range", 40, func(n int) error { return bind(Bind{AddressRange: long(n)}) }},
		{"service_type", 5, func(n int) error { return plain(&SubmitSM{ServiceType: long(n)}) }},
		{"source_addr", 20, func(n int) error { return plain(&SubmitSM{Source: long(n)}) }},
		{"destination_addr", 20, func(n int) error { return plain(&DeliverSM{Destination: long(n)}) }},
		{"schedule_delivery_time", 16, func(n int) error { return plain(&SubmitSM{ScheduleTime: long(n)}) }},
		{"validity_period", 16, func(n int) error { return plain(&SubmitSM{ValidityPeriod: long(n)}) }},
		{"short_message", 254, func(n int) error { return plain(&SubmitSM{ShortMessage: make([]byte, n)}) }},
		{"source_addr", 64, func(n int) error { return plain(&DataSM{Source: long(n)}) }},
		{"destination_addr", 64, func(n int) error { return plain(&DataSM{Destination: long(n)}) }},
		{"service_type", 5, func(n int) error { return plain(&DataSM{ServiceType: long(n)}) }},
	}
	for _, tt := range tests {
		t.Run(tt.field, func(t *testing.T) {
			t.Parallel()
			if err := tt.make(tt.limit); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			var limit *LimitError
			if err := tt.make(tt.limit + 1); !errors.As(err, &limit) || limit.Field != tt.field || limit.Limit != tt.limit {
				t.Errorf("one over the limit of %s: %v", tt.field, err)
			}
		})
	}
}

func TestAppendLeavesTheSliceAloneWhenItRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		unit SubmitSM
		want string
	}{
		{"a NUL in an address", SubmitSM{Source: "91\x0098"}, "source_addr holds a NUL octet"},
		{"too long as a whole", SubmitSM{TLVs: []TLV{{TagMessagePayload, make([]byte, 65535)}}}, "command_length of 65572 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := []byte("before")
			got, err := tt.unit.Append(before, 1)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if string(got) != "before" {
				t.Errorf("slice became %q", got)
			}
		})
	}
}

func TestResponsesCutWhatTheyCannotRefuse(t *testing.T) {
	t.Parallel()
	var got SubmitSMResp
	b := (&SubmitSMResp{MessageID: strings.Repeat("a", 70)}).Append(nil, StatusOK, 1)
	if err := got.Decode(b[HeaderLength:]); err != nil || len(got.MessageID) != MaxMessageID {
		t.Errorf("id of %d octets, %v", len(got.MessageID), err)
	}
	b = (&DataSMResp{MessageID: "ab\x00cd"}).Append(nil, StatusOK, 1)
	var data DataSMResp
	if err := data.Decode(b[HeaderLength:]); err != nil || data.MessageID != "ab" {
		t.Errorf("id %q, %v", data.MessageID, err)
	}
	bind := BindResp{SystemID: "centre", TLVs: []TLV{{TagMessagePayload, make([]byte, MaxLength)}}}
	b = bind.Append(nil, BindReceiverRespID, StatusOK, 1)
	if h, err := DecodeHeader(b); err != nil || int(h.Length) != len(b) {
		t.Errorf("header %+v of %d octets, %v", h, len(b), err)
	}
}

// TestDecodeEveryPrefix cuts a unit at every octet: each cut is a *FormatError within the body, except where a TLV ends.
func TestDecodeEveryPrefix(t *testing.T) {
	t.Parallel()
	body := unhex(t, goldenSubmit)[HeaderLength:]
	withoutTLV := len(body) - 7
	for n := range body {
		var m SubmitSM
		err := m.Decode(body[:n])
		var format *FormatError
		switch {
		case n == withoutTLV:
			if err != nil {
				t.Errorf("cut before the TLV: %v", err)
			}
		case !errors.As(err, &format):
			t.Errorf("cut at %d: %v", n, err)
		case format.Offset > n || format.ID != SubmitSMID || format.Field == "":
			t.Errorf("cut at %d: %+v", n, format)
		}
	}
}

func TestFormatErrorNamesTheField(t *testing.T) {
	t.Parallel()
	var m DeliverSM
	err := m.Decode(unhex(t, "00 01 01 39 31"))
	want := &FormatError{ID: DeliverSMID, Field: "source_addr", Offset: 3}
	var got *FormatError
	if !errors.As(err, &got) {
		t.Fatalf("error %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if text := err.Error(); text != "DeliverSM: source_addr at body offset 3 is cut short" {
		t.Errorf("text %q", text)
	}
}

func TestDecodeIsLiberal(t *testing.T) {
	t.Parallel()
	var ack DeliverSMResp
	if err := ack.Decode(nil); err != nil {
		t.Errorf("deliver_sm_resp without a body: %v", err)
	}
	resp := SubmitSMResp{MessageID: "of the last one"}
	if err := resp.Decode(nil); err != nil || resp.MessageID != "" {
		t.Errorf("submit_sm_resp without a body: %q, %v", resp.MessageID, err)
	}
	if err := resp.Decode([]byte("abc\x00\x00\x1d\x00\x01x")); err != nil || resp.MessageID != "abc" {
		t.Errorf("submit_sm_resp with a parameter: %q, %v", resp.MessageID, err)
	}
	if err := resp.Decode([]byte("abc")); err == nil {
		t.Error("an id without its NUL was taken")
	}
	long := strings.Repeat("f", 100)
	if err := resp.Decode([]byte(long + "\x00")); err != nil || resp.MessageID != long {
		t.Errorf("submit_sm_resp with a long id: %q, %v", resp.MessageID, err)
	}
}

func TestReadPDU(t *testing.T) {
	t.Parallel()
	var stream []byte
	stream = append(stream, unhex(t, goldenSubmit)...)
	stream = append(stream, unhex(t, goldenEnquire)...)
	stream = append(stream, unhex(t, goldenDeliver)...)
	// One octet at a time, through the smallest buffer: what a slow network does.
	r := bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(stream)), 16)
	var buf []byte
	var ids []ID
	for {
		h, body, next, err := ReadPDU(r, buf)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if int(h.Length) != len(body)+HeaderLength {
			t.Errorf("%v: body of %d octets", h, len(body))
		}
		ids, buf = append(ids, h.ID), next
	}
	if diff := cmp.Diff([]ID{SubmitSMID, EnquireLinkID, DeliverSMID}, ids); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestReadPDUBounds(t *testing.T) {
	t.Parallel()
	header := func(length uint32) []byte {
		return append(binary.BigEndian.AppendUint32(nil, length), AppendHeaderOnly(nil, SubmitSMID, 0, 9)[4:]...)
	}
	tests := []struct {
		name   string
		stream []byte
		want   error
	}{
		{"nothing", nil, io.EOF},
		{"half a header", header(16)[:8], io.ErrUnexpectedEOF},
		{"shorter than a header", header(15), ErrLength},
		{"zero", header(0), ErrLength},
		{"over the limit", header(MaxLength + 1), ErrLength},
		{"huge", header(0xFFFFFFFF), ErrLength},
		{"no body", header(20), io.ErrUnexpectedEOF},
		{"half a body", append(header(20), 1, 2), io.ErrUnexpectedEOF},
		{"the longest", append(header(MaxLength), make([]byte, MaxLength-HeaderLength)...), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _, _, err := ReadPDU(bufio.NewReader(bytes.NewReader(tt.stream)), nil)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if errors.Is(err, ErrLength) && (h.Sequence != 9 || h.ID != SubmitSMID) {
				t.Errorf("header for the nack: %+v", h)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{StatusName(StatusThrottled), "ESME_RTHROTTLED"},
		{StatusName(StatusOK), "ESME_ROK"},
		{StatusName(0x400), "0x00000400"},
		{StateDelivered.String(), "DELIVRD"},
		{StateRejected.String(), "REJECTD"},
		{MessageState(77).String(), "UNKNOWN"},
		{(&FormatError{ID: 0x99, Field: "x"}).Error(), "command 0x00000099: x at body offset 0 is cut short"},
		{(&LimitError{ID: SubmitSMID, Field: "source_addr", Length: 30, Limit: 20}).Error(), "SubmitSM: source_addr of 30 octets is over the limit of 20"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if !IsResponse(GenericNackID) || IsResponse(SubmitSMID) || ResponseID(DeliverSMID) != DeliverSMRespID {
		t.Error("response ids are wrong")
	}
}

// TestAllocations is the promise that the hot path makes: none for writing, one (the destination) for reading.
func TestAllocations(t *testing.T) {
	m := submitSample()
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf, _ = m.Append(buf[:0], 1) }); n != 0 {
		t.Errorf("encoding a submit_sm allocates %v times", n)
	}
	bodies := [2][]byte{bytes.Clone(buf[HeaderLength:]), bytes.Replace(buf[HeaderLength:], []byte("919812345678"), []byte("919812345679"), 1)}
	var got SubmitSM
	i := 0
	if n := testing.AllocsPerRun(100, func() { _ = got.Decode(bodies[i&1]); i++ }); n > 1 {
		t.Errorf("decoding a submit_sm allocates %v times", n)
	}
}
