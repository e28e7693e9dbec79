package smpp

import (
	"sync/atomic"
	"time"

	"pukar/smpp/pdu"
)

// Delivery is a message that the centre brought: a receipt, which ParseReceipt reads, or a text that somebody sent. A data_sm
// comes as one too.
type Delivery struct {
	Bind    string        // the bind's name
	Message pdu.DeliverSM // in memory of its own
	At      time.Time     // when it was read from the connection

	session  *session
	response pdu.ID
	sequence uint32
	acked    atomic.Bool
}

// Ack answers the delivery: pdu.StatusOK once it is safe with us, pdu.StatusReceiverTemporary for the centre to bring it again
// later, pdu.StatusReceiverPermanent for it to be dropped. The first call counts, from any goroutine; it does not block. After
// the session is gone it does nothing: the centre brings what was not acknowledged to the next session.
func (d *Delivery) Ack(status pdu.Status) {
	if d.session == nil || !d.acked.CompareAndSwap(false, true) {
		return
	}
	d.session.acknowledge(d.response, status, d.sequence)
}

// Payload is the text of a message as it came: short_message, or TLV message_payload where that is empty. It may start with a
// user data header (pdu.ESMUserDataHeader).
func Payload(m *pdu.DeliverSM) []byte {
	if len(m.ShortMessage) > 0 {
		return m.ShortMessage
	}
	payload, _ := pdu.FindTLV(m.TLVs, pdu.TagMessagePayload)
	return payload
}

// fromDataSM turns a data_sm into the deliver_sm that says the same.
func fromDataSM(p *pdu.DataSM) pdu.DeliverSM {
	return pdu.DeliverSM{
		ServiceType: p.ServiceType,
		SourceTON:   p.SourceTON, SourceNPI: p.SourceNPI, Source: p.Source,
		DestTON: p.DestTON, DestNPI: p.DestNPI, Destination: p.Destination,
		ESMClass: p.ESMClass, RegisteredDelivery: p.RegisteredDelivery, DataCoding: p.DataCoding,
		TLVs: p.TLVs,
	}
}
