package smpp

import (
	"bytes"
	"fmt"
	"strings"

	"pukar/smpp/pdu"
)

// The final outcomes of Receipt.Final.
const (
	FinalDelivered = "delivered"
	FinalFailed    = "failed"
	FinalExpired   = "expired"
)

// Receipt is what a delivery receipt says about a message sent before.
type Receipt struct {
	ID    string // the centre's id of the message, as it was written; it may differ from the response's in base, case and zeros
	State pdu.MessageState
	// Final is delivered, failed or expired; empty for a state on the way, and for ACCEPTD and UNKNOWN, which leave open whether
	// the handset has the message.
	Final string
	Err   string // the error as the text gives it, else from TLV network_error_code in decimal; empty or zeros mean none
	// NetworkError is TLV network_error_code as "type:code" in decimal (type 3 is GSM); empty where there is none.
	NetworkError string
	// Submitted and Done are the dates as they were written: their zone is anybody's guess.
	Submitted, Done string
	Sub, Delivered  string // how many messages, as they were written
	Text            string // the start of the message, where the centre repeats it
}

// ParseReceipt reads a delivery receipt in any of the forms seen in the field; false means that the message is a text that
// somebody sent. What the TLVs receipted_message_id and message_state say goes before the text, which is read key by key.
//
// A receipt is what esm_class says is one (SMPP 3.4, section 5.2.12, intermediate notifications included), what bears a
// receipted_message_id, and a text that starts with an id and has a known state and one more field of appendix B, since some
// centres leave esm_class zero.
func ParseReceipt(m *pdu.DeliverSM) (Receipt, bool) {
	var r Receipt
	kind := m.ESMClass & pdu.ESMTypeMask
	marked := kind == pdu.ESMReceipt || kind == pdu.ESMIntermediate
	id, hasID := pdu.FindTLV(m.TLVs, pdu.TagReceiptedMessageID)
	marked = marked || hasID

	text := receiptText(m)
	fields := parseFields(text)
	state, known := parseState(fields.stat)
	switch {
	case marked && fields.stat == "" && fields.id == "":
		if list, ok := parseList(text); ok {
			fields = list
			state, known = parseState(fields.stat)
		}
	case !marked:
		if !fields.leads || fields.id == "" || !known || fields.n < 3 {
			return Receipt{}, false
		}
	}
	r.ID, r.Err, r.Text = fields.id, fields.err, fields.text
	r.Submitted, r.Done, r.Sub, r.Delivered = fields.submitted, fields.done, fields.sub, fields.dlvrd
	r.State = pdu.StateUnknown
	if known {
		r.State = state
	}
	if s := cString(id); s != "" {
		r.ID = s
	}
	if v, ok := pdu.FindTLV(m.TLVs, pdu.TagMessageState); ok && len(v) == 1 && v[0] <= byte(pdu.StateSkipped) {
		r.State = pdu.MessageState(v[0])
	}
	if v, ok := pdu.FindTLV(m.TLVs, pdu.TagNetworkErrorCode); ok && len(v) == pdu.NetworkErrorCodeSize {
		code := uint16(v[1])<<8 | uint16(v[2])
		r.NetworkError = fmt.Sprintf("%d:%d", v[0], code)
		if strings.Trim(r.Err, "0") == "" && code != 0 {
			r.Err = fmt.Sprintf("%d", code)
		}
	}
	r.Final = final(r.State)
	return r, true
}

func final(s pdu.MessageState) string {
	switch s {
	case pdu.StateDelivered:
		return FinalDelivered
	case pdu.StateUndeliverable, pdu.StateRejected, pdu.StateDeleted, pdu.StateSkipped:
		return FinalFailed
	case pdu.StateExpired:
		return FinalExpired
	}
	return ""
}

// stateWords are the words for states seen in receipts, in upper case.
var stateWords = map[string]pdu.MessageState{
	"SCHEDULED": pdu.StateScheduled,
	"ENROUTE":   pdu.StateEnroute, "BUFFERED": pdu.StateEnroute, "BUFFRED": pdu.StateEnroute,
	"DELIVRD": pdu.StateDelivered, "DELIVERED": pdu.StateDelivered, "SUCCESS": pdu.StateDelivered, "DELIVRED": pdu.StateDelivered,
	"EXPIRED": pdu.StateExpired,
	"DELETED": pdu.StateDeleted,
	"UNDELIV": pdu.StateUndeliverable, "UNDELIVERABLE": pdu.StateUndeliverable, "UNDELIVERED": pdu.StateUndeliverable,
	"UNDELIVRD": pdu.StateUndeliverable, "FAILED": pdu.StateUndeliverable,
	"ACCEPTD": pdu.StateAccepted, "ACCEPTED": pdu.StateAccepted,
	"UNKNOWN": pdu.StateUnknown, "UNKNOWD": pdu.StateUnknown,
	"REJECTD": pdu.StateRejected, "REJECTED": pdu.StateRejected, "NACK": pdu.StateRejected,
	"SKIPPED": pdu.StateSkipped,
}

// parseState reads a word, or the number that TLV message_state would hold.
func parseState(word string) (pdu.MessageState, bool) {
	if len(word) == 1 && word[0] >= '0' && word[0] <= '9' {
		return pdu.MessageState(word[0] - '0'), true
	}
	if len(word) > len("UNDELIVERABLE") {
		return 0, false
	}
	s, ok := stateWords[strings.ToUpper(word)]
	return s, ok
}

// receiptText is the text of a message as far as a receipt is concerned: without a user data header, UCS-2 brought down to ASCII,
// and NULs, with which some centres fill fixed fields up, as blanks.
func receiptText(m *pdu.DeliverSM) string {
	b := Payload(m)
	if m.ESMClass&pdu.ESMUserDataHeader != 0 && len(b) > 0 && int(b[0]) < len(b) {
		b = b[int(b[0])+1:]
	}
	if m.DataCoding == pdu.DataCodingUCS2 && bytes.IndexByte(b, 0) >= 0 {
		return strings.ReplaceAll(string(b), "\x00", "")
	}
	return strings.ReplaceAll(string(b), "\x00", " ")
}

// cString is a C-octet string from a TLV, which may lack its NUL or have several.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(bytes.TrimSpace(b))
}
