package pdu

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unhex turns hexadecimal with blanks and line comments into octets.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("golden hex: %v", err)
	}
	return b
}

// The goldens are written by hand from the tables of the specification; the encoder had no part in them.
const (
	goldenSubmit = `
		00 00 00 52  00 00 00 04  00 00 00 00  00 00 00 2A   # header, section 3.2
		00                                                   # service_type, section 4.4.1
		05 00 48 45 4C 50 4C 4E 00                           # source: alphanumeric HELPLN
		01 01 39 31 39 38 31 32 33 34 35 36 37 38 00         # destination: 919812345678
		43 00 00                                             # esm_class: store and forward, UDHI
		00                                                   # schedule_delivery_time
		30 30 30 30 30 31 30 30 30 30 30 30 30 30 30 52 00   # validity_period: one day, relative (7.1.1)
		01 00 08 00                                          # registered_delivery, replace, data_coding, default id
		08                                                   # sm_length
		05 00 03 07 02 01 09 28                              # short_message: UDH, 2 parts, part 1; U+0928
		14 00 00 03 31 31 30                                 # 0x1400, section 3.2.4`
	goldenSubmitResp = `
		00 00 00 15  80 00 00 04  00 00 00 00  00 00 00 2A   # section 4.4.2
		42 38 42 45 00`
	goldenDeliver = `
		00 00 00 41  00 00 00 05  00 00 00 00  00 00 00 07   # section 4.6.1
		00
		01 01 39 31 39 38 31 32 33 34 35 36 37 38 00
		05 00 48 45 4C 50 4C 4E 00
		04 00 00                                             # esm_class: delivery receipt
		00 00
		00 00 00 00
		00                                                   # empty short_message
		00 1E 00 05 42 38 42 45 00                           # receipted_message_id, a C-octet string
		04 27 00 01 02                                       # message_state: delivered`
	goldenDeliverResp = `00 00 00 11  80 00 00 05  00 00 00 00  00 00 00 07  00   # section 4.6.2`
	goldenBind        = `
		00 00 00 20  00 00 00 09  00 00 00 00  00 00 00 01   # section 4.1.5
		66 6F 6F 00
		62 61 72 00
		00
		34 00 00
		2A 39 31 00`
	goldenBindResp    = `00 00 00 19  80 00 00 09  00 00 00 00  00 00 00 01  66 6F 6F 00  02 10 00 01 34   # section 4.1.6`
	goldenBindRefusal = `00 00 00 10  80 00 00 09  00 00 00 0E  00 00 00 01   # section 4.1.2: no body`
	goldenEnquire     = `00 00 00 10  00 00 00 15  00 00 00 00  00 00 00 03   # section 4.11.1`
	goldenUnbindResp  = `00 00 00 10  80 00 00 06  00 00 00 00  00 00 00 04   # section 4.2.2`
	goldenNack        = `00 00 00 10  80 00 00 00  00 00 00 03  00 00 00 05   # section 4.3.1: invalid command id`
	goldenData        = `
		00 00 00 35  00 00 01 03  00 00 00 00  00 00 00 09   # section 4.7.1
		00
		05 00 48 45 4C 50 4C 4E 00
		01 01 39 31 39 38 31 32 33 34 35 36 37 38 00
		00 01 00
		04 24 00 05 68 65 6C 6C 6F                           # message_payload`
)

func submitSample() SubmitSM {
	return SubmitSM{
		SourceTON: TONAlphanumeric, Source: "HELPLN",
		DestTON: TONInternational, DestNPI: NPIISDN, Destination: "919812345678",
		ESMClass: ESMStoreAndForward | ESMUserDataHeader, ValidityPeriod: "000001000000000R",
		RegisteredDelivery: RegisteredBoth, DataCoding: DataCodingUCS2,
		ShortMessage: []byte{5, 0, 3, 7, 2, 1, 0x09, 0x28},
		TLVs:         []TLV{{TagDLTEntity, []byte("110")}},
	}
}

func deliverSample() DeliverSM {
	return DeliverSM{
		SourceTON: 1, SourceNPI: 1, Source: "919812345678",
		DestTON: TONAlphanumeric, Destination: "HELPLN",
		ESMClass: ESMReceipt, ShortMessage: []byte{},
		TLVs: []TLV{{TagReceiptedMessageID, []byte("B8BE\x00")}, {TagMessageState, []byte{2}}},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Error(err)
		}
		return b
	}
	submit, deliver := submitSample(), deliverSample()
	bind := Bind{SystemID: "foo", Password: "bar", InterfaceVersion: InterfaceVersion34, AddressRange: "*91"}
	data := DataSM{
		SourceTON: 5, Source: "HELPLN", DestTON: 1, DestNPI: 1, Destination: "919812345678", RegisteredDelivery: 1,
		TLVs: []TLV{{TagMessagePayload, []byte("hello")}},
	}
	bindResp := BindResp{SystemID: "foo", TLVs: []TLV{{TagInterfaceVersion, []byte{0x34}}}}
	tests := []struct {
		name   string
		golden string
		got    []byte
	}{
		{"submit_sm", goldenSubmit, must(submit.Append(nil, 42))},
		{"submit_sm_resp", goldenSubmitResp, (&SubmitSMResp{MessageID: "B8BE"}).Append(nil, StatusOK, 42)},
		{"deliver_sm", goldenDeliver, must(deliver.Append(nil, 7))},
		{"deliver_sm_resp", goldenDeliverResp, (&DeliverSMResp{}).Append(nil, StatusOK, 7)},
		{"bind_transceiver", goldenBind, must(bind.Append(nil, BindTransceiverID, 1))},
		{"bind_transceiver_resp", goldenBindResp, bindResp.Append(nil, BindTransceiverRespID, StatusOK, 1)},
		{"bind refused", goldenBindRefusal, bindResp.Append(nil, BindTransceiverRespID, StatusInvalidPassword, 1)},
		{"enquire_link", goldenEnquire, AppendHeaderOnly(nil, EnquireLinkID, StatusOK, 3)},
		{"unbind_resp", goldenUnbindResp, AppendHeaderOnly(nil, UnbindRespID, StatusOK, 4)},
		{"generic_nack", goldenNack, AppendHeaderOnly(nil, GenericNackID, StatusInvalidCommandID, 5)},
		{"data_sm", goldenData, must(data.Append(nil, 9))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := unhex(t, tt.golden)
			if diff := cmp.Diff(hex.Dump(want), hex.Dump(tt.got)); diff != "" {
				t.Errorf("octets (-want +got):\n%s", diff)
			}
			h, _, _, err := ReadPDU(bufio.NewReader(bytes.NewReader(want)), nil)
			if err != nil || int(h.Length) != len(want) {
				t.Errorf("reading it back: %+v, %v", h, err)
			}
		})
	}
}

func TestGoldenDecodes(t *testing.T) {
	t.Parallel()
	var submit SubmitSM
	if err := submit.Decode(unhex(t, goldenSubmit)[HeaderLength:]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(submitSample(), submit); diff != "" {
		t.Errorf("submit_sm (-want +got):\n%s", diff)
	}
	var deliver DeliverSM
	if err := deliver.Decode(unhex(t, goldenDeliver)[HeaderLength:]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(deliverSample(), deliver); diff != "" {
		t.Errorf("deliver_sm (-want +got):\n%s", diff)
	}
	var bind Bind
	if err := bind.Decode(unhex(t, goldenBind)[HeaderLength:]); err != nil {
		t.Fatal(err)
	}
	want := Bind{SystemID: "foo", Password: "bar", InterfaceVersion: 0x34, AddressRange: "*91"}
	if diff := cmp.Diff(want, bind); diff != "" {
		t.Errorf("bind (-want +got):\n%s", diff)
	}
	var resp SubmitSMResp
	if err := resp.Decode(unhex(t, goldenSubmitResp)[HeaderLength:]); err != nil || resp.MessageID != "B8BE" {
		t.Errorf("submit_sm_resp: %+v, %v", resp, err)
	}
	var bindResp BindResp
	if err := bindResp.Decode(unhex(t, goldenBindResp)[HeaderLength:]); err != nil || bindResp.SystemID != "foo" {
		t.Errorf("bind_resp: %+v, %v", bindResp, err)
	}
	if v, ok := FindTLV(bindResp.TLVs, TagInterfaceVersion); !ok || !bytes.Equal(v, []byte{0x34}) {
		t.Errorf("sc_interface_version: %x, %t", v, ok)
	}
	var data DataSM
	if err := data.Decode(unhex(t, goldenData)[HeaderLength:]); err != nil || data.Destination != "919812345678" || len(data.TLVs) != 1 {
		t.Errorf("data_sm: %+v, %v", data, err)
	}
}
