package smpp

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/pdu"
)

func ucs2(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

const fullReceipt = "id:0123456789 sub:001 dlvrd:001 submit date:2611220930 done date:2611220931 stat:DELIVRD err:000 text:Dear worker"

func TestParseReceipt(t *testing.T) {
	t.Parallel()
	full := Receipt{
		ID: "0123456789", State: pdu.StateDelivered, Final: "delivered", Err: "000", Sub: "001", Delivered: "001",
		Submitted: "2611220930", Done: "2611220931", Text: "Dear worker",
	}
	id := func(s string) pdu.TLV { return pdu.TLV{Tag: pdu.TagReceiptedMessageID, Value: []byte(s)} }
	state := func(s pdu.MessageState) pdu.TLV { return pdu.TLV{Tag: pdu.TagMessageState, Value: []byte{byte(s)}} }
	tests := []struct {
		name string
		in   pdu.DeliverSM
		want Receipt
		no   bool
	}{
		{name: "appendix B", in: pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte(fullReceipt)}, want: full},
		{name: "esm_class zero", in: pdu.DeliverSM{ShortMessage: []byte(fullReceipt)}, want: full},
		{name: "reply path bit", in: pdu.DeliverSM{ESMClass: 0x84, ShortMessage: []byte(fullReceipt)}, want: full},
		{name: "in message_payload", in: pdu.DeliverSM{ESMClass: 0x04, TLVs: []pdu.TLV{{Tag: pdu.TagMessagePayload, Value: []byte(fullReceipt)}}}, want: full},
		{name: "UCS-2", in: pdu.DeliverSM{ESMClass: 0x04, DataCoding: 8, ShortMessage: ucs2(fullReceipt)}, want: full},
		{name: "behind a header", in: pdu.DeliverSM{ESMClass: 0x44, ShortMessage: append([]byte{5, 0, 3, 1, 1, 1}, fullReceipt...)}, want: full},
		{name: "NUL first", in: pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("\x00" + fullReceipt)}, want: full},
		{
			name: "other spellings, twelve-digit dates, alphanumeric error",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("ID:0e999f21 SUBMIT_DATE:261122093000 Done_Date:261122093100 STAT:Undeliv ERR:00FA Text:stat:DELIVRD id:9")},
			want: Receipt{ID: "0e999f21", State: pdu.StateUndeliverable, Final: "failed", Err: "00FA", Submitted: "261122093000", Done: "261122093100", Text: "stat:DELIVRD id:9"},
		},
		{
			name: "another order",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("stat:EXPIRED err:1234 id:ab-12-CD done date:2611220931")},
			want: Receipt{ID: "ab-12-CD", State: pdu.StateExpired, Final: "expired", Err: "1234", Done: "2611220931"},
		},
		{
			name: "comma between fields, blanks after the colon",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id: 77, sub: 001, stat: REJECTD, err: 620")},
			want: Receipt{ID: "77", State: pdu.StateRejected, Final: "failed", Err: "620", Sub: "001"},
		},
		{
			name: "empty id, TLV carries it",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id: sub:001 dlvrd:001 stat:DELIVRD err:000"), TLVs: []pdu.TLV{id("B8BE19\x00")}},
			want: Receipt{ID: "B8BE19", State: pdu.StateDelivered, Final: "delivered", Err: "000", Sub: "001", Delivered: "001"},
		},
		{
			name: "TLVs go before the text",
			in: pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id:1 sub:001 stat:ENROUTE err:000"), TLVs: []pdu.TLV{
				id("2"), state(pdu.StateDelivered), {Tag: pdu.TagNetworkErrorCode, Value: []byte{3, 0, 11}},
			}},
			want: Receipt{ID: "2", State: pdu.StateDelivered, Final: "delivered", Err: "11", NetworkError: "3:11", Sub: "001"},
		},
		{
			name: "TLVs alone",
			in:   pdu.DeliverSM{TLVs: []pdu.TLV{id("0c7a-uuid\x00"), state(pdu.StateExpired)}},
			want: Receipt{ID: "0c7a-uuid", State: pdu.StateExpired, Final: "expired"},
		},
		{
			name: "TLV without NUL, odd state length",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("stat:DELIVRD"), TLVs: []pdu.TLV{id("5"), {Tag: pdu.TagMessageState, Value: []byte{0, 2}}}},
			want: Receipt{ID: "5", State: pdu.StateDelivered, Final: "delivered"},
		},
		{
			name: "comma list",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("DELIVERED,20261122093000,20261122093100,000,919812345678,HELPLN,4711")},
			want: Receipt{ID: "4711", State: pdu.StateDelivered, Final: "delivered", Err: "000", Submitted: "20261122093000", Done: "20261122093100"},
		},
		{
			name: "number as state",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id:1 stat:5 err:1")},
			want: Receipt{ID: "1", State: pdu.StateUndeliverable, Final: "failed", Err: "1"},
		},
		{
			name: "word that nobody knows",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id:1 stat:PERHAPS err:1")},
			want: Receipt{ID: "1", State: pdu.StateUnknown, Err: "1"},
		},
		{
			name: "accepted is not final",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id:1 sub:001 stat:ACCEPTD")},
			want: Receipt{ID: "1", State: pdu.StateAccepted, Sub: "001"},
		},
		{
			name: "intermediate notification",
			in:   pdu.DeliverSM{ESMClass: 0x20, ShortMessage: []byte("id:1 sub:001 stat:ENROUTE")},
			want: Receipt{ID: "1", State: pdu.StateEnroute, Sub: "001"},
		},
		{
			name: "NULs between fixed fields",
			in:   pdu.DeliverSM{ESMClass: 0x04, ShortMessage: []byte("id:12\x00\x00\x00 sub:001\x00stat:DELIVRD\x00")},
			want: Receipt{ID: "12", State: pdu.StateDelivered, Final: "delivered", Sub: "001"},
		},
		{name: "marked, nothing in it", in: pdu.DeliverSM{ESMClass: 0x04}, want: Receipt{State: pdu.StateUnknown}},
		{name: "a text", in: pdu.DeliverSM{ShortMessage: []byte("STOP")}, no: true},
		{name: "a text with an id", in: pdu.DeliverSM{ShortMessage: []byte("my id:5 stat:DELIVRD err:0")}, no: true},
		{name: "a text like a receipt, no state", in: pdu.DeliverSM{ShortMessage: []byte("id:5 stat:what err:0 sub:1")}, no: true},
		{name: "a text with two fields only", in: pdu.DeliverSM{ShortMessage: []byte("id:5 stat:FAILED")}, no: true},
		{name: "a comma list that nothing marks", in: pdu.DeliverSM{ShortMessage: []byte("DELIVERED,1,2,0,9,H,4711")}, no: true},
		{name: "nothing", in: pdu.DeliverSM{}, no: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ParseReceipt(&tt.in)
			if ok == tt.no {
				t.Fatalf("is a receipt: %t", ok)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestStateWordsAreReadInAnyCase(t *testing.T) {
	t.Parallel()
	for word, want := range stateWords {
		for _, w := range []string{word, strings.ToLower(word)} {
			if got, ok := parseState(w); !ok || got != want {
				t.Errorf("parseState(%q) = %v, %t, want %v", w, got, ok, want)
			}
		}
	}
	for s := pdu.StateScheduled; s <= pdu.StateSkipped; s++ {
		if got, ok := parseState(s.String()); !ok || got != s {
			t.Errorf("the name of state %d, %q, reads as %v, %t", s, s.String(), got, ok)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(byte(4), byte(0), []byte(fullReceipt), []byte("12\x00"), []byte{2})
	f.Add(byte(0), byte(8), ucs2(fullReceipt), []byte{}, []byte{})
	f.Add(byte(0x44), byte(0), []byte{200, 0, 3}, []byte{0}, []byte{1, 2, 3})
	f.Add(byte(4), byte(0), []byte("id:id:id: stat : text:"), []byte{}, []byte{9})
	f.Add(byte(4), byte(0), []byte("DELIVERED,1,2,0,9,H,4711"), []byte{}, []byte{9})
	f.Fuzz(func(t *testing.T, esm, coding byte, text, id, state []byte) {
		m := pdu.DeliverSM{ESMClass: esm, DataCoding: coding, ShortMessage: text, TLVs: []pdu.TLV{
			{Tag: pdu.TagMessageState, Value: state}, {Tag: pdu.TagNetworkErrorCode, Value: state},
		}}
		if len(id) > 0 {
			m.TLVs = append(m.TLVs, pdu.TLV{Tag: pdu.TagReceiptedMessageID, Value: id})
		}
		r, ok := ParseReceipt(&m)
		if !ok && r != (Receipt{}) {
			t.Errorf("no receipt, and yet %+v", r)
		}
		if (esm&pdu.ESMTypeMask == pdu.ESMReceipt || len(id) > 0) && !ok {
			t.Error("a marked receipt is not read as one")
		}
		if strings.ContainsAny(r.ID, "\x00 ") && len(id) == 0 {
			t.Errorf("id %q holds a blank", r.ID)
		}
		if r.State > pdu.StateSkipped {
			t.Errorf("state %d", r.State)
		}
	})
}

func BenchmarkParseReceipt(b *testing.B) {
	m := pdu.DeliverSM{ESMClass: 4, ShortMessage: []byte(fullReceipt), TLVs: []pdu.TLV{
		{Tag: pdu.TagReceiptedMessageID, Value: []byte("0123456789\x00")}, {Tag: pdu.TagMessageState, Value: []byte{2}},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseReceipt(&m); !ok {
			b.Fatal("no receipt")
		}
	}
}
