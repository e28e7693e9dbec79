package pdu

// DataSM is the shorter way to send or bring a message, with the text in TLV message_payload (SMPP 3.4, section 4.7.1). Some
// centres send receipts in it.
type DataSM struct {
	ServiceType          string
	SourceTON, SourceNPI byte
	Source               string
	DestTON, DestNPI     byte
	Destination          string
	ESMClass             byte
	RegisteredDelivery   byte
	DataCoding           byte
	TLVs                 []TLV
}

// Append appends the whole unit; the errors are those of SubmitSM.Append.
func (p *DataSM) Append(dst []byte, sequence uint32) ([]byte, error) {
	if err := checkC(DataSMID, "service_type", p.ServiceType, MaxServiceType); err != nil {
		return dst, err
	}
	if err := checkC(DataSMID, "source_addr", p.Source, MaxDataAddress); err != nil {
		return dst, err
	}
	if err := checkC(DataSMID, "destination_addr", p.Destination, MaxDataAddress); err != nil {
		return dst, err
	}
	// 7 single octets and 3 NULs surround the strings.
	length := HeaderLength + 10 + len(p.ServiceType) + len(p.Source) + len(p.Destination) + sizeTLVs(p.TLVs)
	if err := checkTotal(DataSMID, length); err != nil {
		return dst, err
	}
	dst = appendHeader(dst, length, DataSMID, StatusOK, sequence)
	dst = appendC(dst, p.ServiceType)
	dst = append(dst, p.SourceTON, p.SourceNPI)
	dst = appendC(dst, p.Source)
	dst = append(dst, p.DestTON, p.DestNPI)
	dst = appendC(dst, p.Destination)
	dst = append(dst, p.ESMClass, p.RegisteredDelivery, p.DataCoding)
	return appendTLVs(dst, p.TLVs), nil
}

// Decode reads the body of a data_sm. The values of TLVs alias body.
func (p *DataSM) Decode(body []byte) error {
	c := cursor{b: body, id: DataSMID}
	p.ServiceType = c.text("service_type", p.ServiceType)
	p.SourceTON = c.octet("source_addr_ton")
	p.SourceNPI = c.octet("source_addr_npi")
	p.Source = c.text("source_addr", p.Source)
	p.DestTON = c.octet("dest_addr_ton")
	p.DestNPI = c.octet("dest_addr_npi")
	p.Destination = c.text("destination_addr", p.Destination)
	p.ESMClass = c.octet("esm_class")
	p.RegisteredDelivery = c.octet("registered_delivery")
	p.DataCoding = c.octet("data_coding")
	p.TLVs = c.tlvs(p.TLVs)
	return c.err()
}

// DataSMResp answers a data_sm (SMPP 3.4, section 4.7.2).
type DataSMResp struct {
	MessageID string
}

// Append appends the whole unit, as SubmitSMResp.Append does.
func (p *DataSMResp) Append(dst []byte, status Status, sequence uint32) []byte {
	return appendMessageID(dst, DataSMRespID, status, sequence, p.MessageID)
}

// Decode reads the body of a data_sm_resp, which may be left out; what follows the id is ignored.
func (p *DataSMResp) Decode(body []byte) error {
	return decodeMessageID(&p.MessageID, body, DataSMRespID)
}
