package pdu

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Limits of the C-octet strings, without their terminating NUL (SMPP 3.4, sections 4.1 to 4.7 give them with it).
const (
	MaxSystemID     = 15
	MaxPassword     = 8
	MaxSystemType   = 12
	MaxAddressRange = 40
	MaxServiceType  = 5
	MaxAddress      = 20
	MaxDataAddress  = 64 // data_sm allows longer addresses
	MaxTime         = 16
	MaxMessageID    = 64
	MaxShortMessage = 254 // octets of short_message; longer goes to message_payload
)

// TLV is one optional parameter (SMPP 3.4, section 3.2.4). They keep their order, and a tag may repeat.
type TLV struct {
	Tag   uint16
	Value []byte
}

// FindTLV returns the value of the first optional parameter with the given tag.
func FindTLV(tlvs []TLV, tag uint16) ([]byte, bool) {
	for i := range tlvs {
		if tlvs[i].Tag == tag {
			return tlvs[i].Value, true
		}
	}
	return nil, false
}

func sizeTLVs(tlvs []TLV) int {
	n := 4 * len(tlvs)
	for i := range tlvs {
		n += len(tlvs[i].Value)
	}
	return n
}

func appendTLVs(dst []byte, tlvs []TLV) []byte {
	for i := range tlvs {
		dst = binary.BigEndian.AppendUint16(dst, tlvs[i].Tag)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(tlvs[i].Value)))
		dst = append(dst, tlvs[i].Value...)
	}
	return dst
}

// checkTotal refuses what no reader with our own limit would take; a TLV within it cannot overflow its 16-bit length.
func checkTotal(id ID, length int) error {
	if length > MaxLength {
		return &LimitError{ID: id, Field: "command_length", Length: length, Limit: MaxLength}
	}
	return nil
}

func checkC(id ID, field, s string, limit int) error {
	if len(s) > limit || strings.IndexByte(s, 0) >= 0 {
		return &LimitError{ID: id, Field: field, Length: len(s), Limit: limit}
	}
	return nil
}

func appendC(dst []byte, s string) []byte {
	dst = append(dst, s...)
	return append(dst, 0)
}

// clipC cuts what a response without an error return cannot refuse.
func clipC(s string, limit int) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return s[:min(len(s), limit)]
}

// cursor reads the fields of a body in order. After the first field that does not fit it returns zero values only, so that a
// decoder may read on and ask for the error once.
type cursor struct {
	b   []byte
	off int
	id  ID
	bad *FormatError
}

func (c *cursor) fail(field string, off int) {
	if c.bad == nil {
		c.bad = &FormatError{ID: c.id, Field: field, Offset: off}
	}
	c.off = len(c.b)
}

func (c *cursor) octet(field string) byte {
	if c.off >= len(c.b) {
		c.fail(field, c.off)
		return 0
	}
	v := c.b[c.off]
	c.off++
	return v
}

// text reads a C-octet string; was is the value that the field holds already, and is kept when it is the same.
func (c *cursor) text(field, was string) string {
	rest := c.b[c.off:]
	n := bytes.IndexByte(rest, 0)
	if n < 0 {
		c.fail(field, c.off)
		return ""
	}
	c.off += n + 1
	if string(rest[:n]) == was {
		return was
	}
	return string(rest[:n])
}

func (c *cursor) octets(field string, n int) []byte {
	if len(c.b)-c.off < n {
		c.fail(field, c.off)
		return nil
	}
	v := c.b[c.off : c.off+n : c.off+n]
	c.off += n
	return v
}

// tlvs reads optional parameters up to the end of the body into the slice given.
func (c *cursor) tlvs(into []TLV) []TLV {
	into = into[:0]
	for c.off < len(c.b) {
		start := c.off
		if len(c.b)-c.off < 4 {
			c.fail("optional parameter", start)
			break
		}
		tag := binary.BigEndian.Uint16(c.b[c.off:])
		n := int(binary.BigEndian.Uint16(c.b[c.off+2:]))
		c.off += 4
		if len(c.b)-c.off < n {
			c.fail("optional parameter", start)
			break
		}
		into = append(into, TLV{Tag: tag, Value: c.b[c.off : c.off+n : c.off+n]})
		c.off += n
	}
	return into
}

func (c *cursor) err() error {
	if c.bad == nil {
		return nil
	}
	return c.bad
}
