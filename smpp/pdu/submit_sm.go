package pdu

// SubmitSM asks the centre to send a message (SMPP 3.4, section 4.4.1).
type SubmitSM struct {
	ServiceType          string
	SourceTON, SourceNPI byte
	Source               string
	DestTON, DestNPI     byte
	Destination          string
	ESMClass             byte
	ProtocolID           byte
	Priority             byte
	ScheduleTime         string // "" or the 16 characters of SMPP 3.4, section 7.1.1
	ValidityPeriod       string // likewise
	RegisteredDelivery   byte
	ReplaceIfPresent     byte
	DataCoding           byte
	DefaultMessageID     byte
	ShortMessage         []byte // at most 254 octets; user data header included
	TLVs                 []TLV
}

// Append appends the whole unit, header included, with status zero. A field over the limits of the specification, or a
// string with a NUL in it, is a *LimitError and dst is returned unchanged.
func (p *SubmitSM) Append(dst []byte, sequence uint32) ([]byte, error) {
	return p.append(dst, SubmitSMID, sequence)
}

// Decode reads the body of a submit_sm. ShortMessage and the values of TLVs alias body.
func (p *SubmitSM) Decode(body []byte) error {
	return p.decode(body, SubmitSMID)
}

func (p *SubmitSM) check(id ID) error {
	if err := checkC(id, "service_type", p.ServiceType, MaxServiceType); err != nil {
		return err
	}
	if err := checkC(id, "source_addr", p.Source, MaxAddress); err != nil {
		return err
	}
	if err := checkC(id, "destination_addr", p.Destination, MaxAddress); err != nil {
		return err
	}
	if err := checkC(id, "schedule_delivery_time", p.ScheduleTime, MaxTime); err != nil {
		return err
	}
	if err := checkC(id, "validity_period", p.ValidityPeriod, MaxTime); err != nil {
		return err
	}
	if len(p.ShortMessage) > MaxShortMessage {
		return &LimitError{ID: id, Field: "short_message", Length: len(p.ShortMessage), Limit: MaxShortMessage}
	}
	return nil
}

func (p *SubmitSM) append(dst []byte, id ID, sequence uint32) ([]byte, error) {
	if err := p.check(id); err != nil {
		return dst, err
	}
	// 12 single octets and 5 NULs surround the strings.
	length := HeaderLength + 17 + len(p.ServiceType) + len(p.Source) + len(p.Destination) + len(p.ScheduleTime) +
		len(p.ValidityPeriod) + len(p.ShortMessage) + sizeTLVs(p.TLVs)
	if err := checkTotal(id, length); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, length, id, StatusOK, sequence)
	dst = appendC(dst, p.ServiceType)
	dst = append(dst, p.SourceTON, p.SourceNPI)
	dst = appendC(dst, p.Source)
	dst = append(dst, p.DestTON, p.DestNPI)
	dst = appendC(dst, p.Destination)
	dst = append(dst, p.ESMClass, p.ProtocolID, p.Priority)
	dst = appendC(dst, p.ScheduleTime)
	dst = appendC(dst, p.ValidityPeriod)
	dst = append(dst, p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding, p.DefaultMessageID, byte(len(p.ShortMessage)))
	dst = append(dst, p.ShortMessage...)
	return appendTLVs(dst, p.TLVs), nil
}

func (p *SubmitSM) decode(body []byte, id ID) error {
	c := cursor{b: body, id: id}
	p.ServiceType = c.text("service_type", p.ServiceType)
	p.SourceTON = c.octet("source_addr_ton")
	p.SourceNPI = c.octet("source_addr_npi")
	p.Source = c.text("source_addr", p.Source)
	p.DestTON = c.octet("dest_addr_ton")
	p.DestNPI = c.octet("dest_addr_npi")
	p.Destination = c.text("destination_addr", p.Destination)
	p.ESMClass = c.octet("esm_class")
	p.ProtocolID = c.octet("protocol_id")
	p.Priority = c.octet("priority_flag")
	p.ScheduleTime = c.text("schedule_delivery_time", p.ScheduleTime)
	p.ValidityPeriod = c.text("validity_period", p.ValidityPeriod)
	p.RegisteredDelivery = c.octet("registered_delivery")
	p.ReplaceIfPresent = c.octet("replace_if_present_flag")
	p.DataCoding = c.octet("data_coding")
	p.DefaultMessageID = c.octet("sm_default_msg_id")
	p.ShortMessage = c.octets("short_message", int(c.octet("sm_length")))
	p.TLVs = c.tlvs(p.TLVs)
	return c.err()
}

// SubmitSMResp answers a submit_sm (SMPP 3.4, section 4.4.2).
type SubmitSMResp struct {
	MessageID string // the centre's name for the message; at most 64 octets, empty in a refusal
}

// Append appends the whole unit. A status other than zero leaves out the body, as the specification asks; an id over 64 octets
// is cut there, or at a NUL, since a response cannot be refused by the one who answers.
func (p *SubmitSMResp) Append(dst []byte, status Status, sequence uint32) []byte {
	return appendMessageID(dst, SubmitSMRespID, status, sequence, p.MessageID)
}

// Decode reads the body of a submit_sm_resp. A body that is left out means an empty id; what follows the id is ignored.
func (p *SubmitSMResp) Decode(body []byte) error {
	return decodeMessageID(&p.MessageID, body, SubmitSMRespID)
}

func appendMessageID(dst []byte, id ID, status Status, sequence uint32, messageID string) []byte {
	if status != StatusOK {
		return AppendHeaderOnly(dst, id, status, sequence)
	}
	messageID = clipC(messageID, MaxMessageID)
	dst = appendHeader(dst, HeaderLength+len(messageID)+1, id, status, sequence)
	return appendC(dst, messageID)
}

func decodeMessageID(into *string, body []byte, id ID) error {
	if len(body) == 0 {
		*into = ""
		return nil
	}
	c := cursor{b: body, id: id}
	*into = c.text("message_id", *into)
	return c.err()
}
