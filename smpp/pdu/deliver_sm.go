package pdu

// DeliverSM brings a message from a handset, or a delivery receipt (SMPP 3.4, section 4.6.1). Its fields are those of SubmitSM;
// ScheduleTime, ValidityPeriod, ReplaceIfPresent and DefaultMessageID are empty by the specification.
type DeliverSM SubmitSM

// Append appends the whole unit, as SubmitSM.Append does.
func (p *DeliverSM) Append(dst []byte, sequence uint32) ([]byte, error) {
	return (*SubmitSM)(p).append(dst, DeliverSMID, sequence)
}

// Decode reads the body of a deliver_sm. ShortMessage and the values of TLVs alias body.
func (p *DeliverSM) Decode(body []byte) error {
	return (*SubmitSM)(p).decode(body, DeliverSMID)
}

// DeliverSMResp answers a deliver_sm (SMPP 3.4, section 4.6.2).
type DeliverSMResp struct {
	MessageID string // unused by the specification: empty
}

// Append appends the whole unit. The body, one NUL, is written with every status: centres in the field expect it.
func (p *DeliverSMResp) Append(dst []byte, status Status, sequence uint32) []byte {
	messageID := clipC(p.MessageID, MaxMessageID)
	dst = appendHeader(dst, HeaderLength+len(messageID)+1, DeliverSMRespID, status, sequence)
	return appendC(dst, messageID)
}

// Decode reads the body of a deliver_sm_resp, which may be left out.
func (p *DeliverSMResp) Decode(body []byte) error {
	return decodeMessageID(&p.MessageID, body, DeliverSMRespID)
}
