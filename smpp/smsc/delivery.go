package smsc

import (
	"encoding/binary"
	"strconv"
	"time"

	"pukar/smpp/pdu"
)

// address is an SMPP address without a pointer in it, so that a million queued deliveries cost the garbage collector nothing.
type address struct {
	ton, npi, n byte
	octets      [pdu.MaxAddress]byte
}

func (a *address) set(ton, npi byte, s string) {
	a.ton, a.npi, a.n = ton, npi, byte(copy(a.octets[:], s))
}

func (a *address) bytes() []byte { return a.octets[:a.n] }

// delivery is a deliver_sm to be: the receipt of a message or, where inbound is not zero, a message from a handset.
type delivery struct {
	due          time.Duration // since the centre's start
	id           uint64        // the number behind the message id
	source, dest address       // of the submitted message: its receipt goes the other way
	submitted    [10]byte      // YYMMDDhhmm
	text         [20]byte      // the first octets of the message, where they are readable
	textLength   byte
	state        pdu.MessageState
	failure      uint16 // the network's error code
	inbound      uint32 // key into Centre.inbound
	tries        uint32 // how often it was sent
}

// ist is the zone of the dates in receipts.
var ist = time.FixedZone("IST", 5*3600+1800)

// minuteText is the current minute as a receipt writes it, made anew only when the minute changes.
type minuteText struct {
	minute int64
	text   [10]byte
}

func (m *minuteText) at(now time.Time) [10]byte {
	if minute := now.Unix() / 60; minute != m.minute {
		m.minute = minute
		copy(m.text[:], now.In(ist).AppendFormat(make([]byte, 0, 16), "0601021504"))
	}
	return m.text
}

// receiptWriter makes deliver_sm of deliveries; it is used under Centre.mu, so that its buffers serve all connections.
type receiptWriter struct {
	form  string
	id    func([]byte, uint64) []byte
	clock minuteText
	text  []byte
	ident []byte
	tlvs  []pdu.TLV
	state [1]byte
	error [3]byte
}

// append appends the deliver_sm of a receipt.
func (w *receiptWriter) append(dst []byte, d *delivery, sequence uint32, now time.Time) ([]byte, error) {
	m := pdu.DeliverSM{
		SourceTON: d.dest.ton, SourceNPI: d.dest.npi, Source: string(d.dest.bytes()),
		DestTON: d.source.ton, DestNPI: d.source.npi, Destination: string(d.source.bytes()),
		ESMClass: pdu.ESMReceipt,
	}
	w.ident = w.id(w.ident[:0], d.id)
	if w.form != ReceiptTLV {
		m.ShortMessage = w.describe(d, now)
	}
	w.tlvs = w.tlvs[:0]
	if w.form != ReceiptText {
		w.ident = append(w.ident, 0)
		w.state[0] = byte(d.state)
		w.error[0] = pdu.NetworkGSM
		binary.BigEndian.PutUint16(w.error[1:], d.failure)
		w.tlvs = append(w.tlvs, pdu.TLV{Tag: pdu.TagReceiptedMessageID, Value: w.ident},
			pdu.TLV{Tag: pdu.TagMessageState, Value: w.state[:]})
		if d.failure != 0 {
			w.tlvs = append(w.tlvs, pdu.TLV{Tag: pdu.TagNetworkErrorCode, Value: w.error[:]})
		}
	}
	m.TLVs = w.tlvs
	return m.Append(dst, sequence)
}

// describe writes the text of SMPP 3.4, appendix B.
func (w *receiptWriter) describe(d *delivery, now time.Time) []byte {
	done := w.clock.at(now)
	b := append(w.text[:0], "id:"...)
	b = append(b, w.ident...)
	if d.state == pdu.StateDelivered {
		b = append(b, " sub:001 dlvrd:001 submit date:"...)
	} else {
		b = append(b, " sub:001 dlvrd:000 submit date:"...)
	}
	b = append(b, d.submitted[:]...)
	b = append(b, " done date:"...)
	b = append(b, done[:]...)
	b = append(b, " stat:"...)
	b = append(b, d.state.String()...)
	b = append(b, " err:"...)
	if d.failure < 100 {
		b = append(b, "00"[:2-min(1, d.failure/10)]...)
	}
	b = strconv.AppendUint(b, uint64(d.failure), 10)
	b = append(b, " text:"...)
	w.text = append(b, d.text[:d.textLength]...)
	return w.text
}
