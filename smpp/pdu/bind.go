package pdu

// Bind opens a session (SMPP 3.4, section 4.1). The command id tells a transmitter, a receiver and a transceiver apart.
type Bind struct {
	SystemID         string // at most 15 octets
	Password         string // at most 8 octets
	SystemType       string // at most 12 octets
	InterfaceVersion byte   // 0x34
	AddrTON, AddrNPI byte
	AddressRange     string // at most 40 octets
}

// Append appends the whole unit under the given one of the three bind commands; the errors are those of SubmitSM.Append.
func (p *Bind) Append(dst []byte, id ID, sequence uint32) ([]byte, error) {
	if err := checkC(id, "system_id", p.SystemID, MaxSystemID); err != nil {
		return dst, err
	}
	if err := checkC(id, "password", p.Password, MaxPassword); err != nil {
		return dst, err
	}
	if err := checkC(id, "system_type", p.SystemType, MaxSystemType); err != nil {
		return dst, err
	}
	if err := checkC(id, "address_range", p.AddressRange, MaxAddressRange); err != nil {
		return dst, err
	}
	// 3 single octets and 4 NULs surround the strings.
	length := HeaderLength + 7 + len(p.SystemID) + len(p.Password) + len(p.SystemType) + len(p.AddressRange)
	dst = appendHeader(dst, length, id, StatusOK, sequence)
	dst = appendC(dst, p.SystemID)
	dst = appendC(dst, p.Password)
	dst = appendC(dst, p.SystemType)
	dst = append(dst, p.InterfaceVersion, p.AddrTON, p.AddrNPI)
	return appendC(dst, p.AddressRange), nil
}

// Decode reads the body of a bind; a *FormatError names bind_transceiver, whichever of the three it was.
func (p *Bind) Decode(body []byte) error {
	c := cursor{b: body, id: BindTransceiverID}
	p.SystemID = c.text("system_id", p.SystemID)
	p.Password = c.text("password", p.Password)
	p.SystemType = c.text("system_type", p.SystemType)
	p.InterfaceVersion = c.octet("interface_version")
	p.AddrTON = c.octet("addr_ton")
	p.AddrNPI = c.octet("addr_npi")
	p.AddressRange = c.text("address_range", p.AddressRange)
	return c.err()
}

// BindResp answers a bind (SMPP 3.4, section 4.1.2).
type BindResp struct {
	SystemID string // the centre's own name
	TLVs     []TLV  // sc_interface_version, where the centre says it
}

// Append appends the whole unit under the given response command. A status other than zero leaves out the body. A system id
// over 15 octets is cut there, or at a NUL, and parameters that would take the unit over MaxLength are left out.
func (p *BindResp) Append(dst []byte, id ID, status Status, sequence uint32) []byte {
	if status != StatusOK {
		return AppendHeaderOnly(dst, id, status, sequence)
	}
	systemID, tlvs := clipC(p.SystemID, MaxSystemID), p.TLVs
	length := HeaderLength + len(systemID) + 1 + sizeTLVs(tlvs)
	if length > MaxLength {
		length, tlvs = HeaderLength+len(systemID)+1, nil
	}
	dst = appendHeader(dst, length, id, status, sequence)
	dst = appendC(dst, systemID)
	return appendTLVs(dst, tlvs)
}

// Decode reads the body of a bind response, which a refusal leaves out. The values of TLVs alias body.
func (p *BindResp) Decode(body []byte) error {
	p.TLVs = p.TLVs[:0]
	if len(body) == 0 {
		p.SystemID = ""
		return nil
	}
	c := cursor{b: body, id: BindTransceiverRespID}
	p.SystemID = c.text("system_id", p.SystemID)
	p.TLVs = c.tlvs(p.TLVs)
	return c.err()
}
