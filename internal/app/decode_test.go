package app

import (
	"encoding/binary"
	"fmt"

	"github.com/warthog618/sms/encoding/gsm7"
	"golang.org/x/text/encoding/unicode"
)

// textOf joins the parts of a message as a handset does, with decoders that are not ours.
func textOf(parts []submit) (string, error) {
	var octets []byte
	for i, p := range parts {
		if p.dataCoding != parts[0].dataCoding {
			return "", fmt.Errorf("part %d has data_coding %d, the first %d", i+1, p.dataCoding, parts[0].dataCoding)
		}
		payload := p.payload
		if len(parts) > 1 {
			var err error
			if payload, err = bodyOf(p, parts[0], i+1, len(parts)); err != nil {
				return "", err
			}
		} else if p.esmClass&0x40 != 0 {
			return "", fmt.Errorf("the only part has a user data header")
		}
		if len(payload) > 140 && p.dataCoding != 0 || len(payload) > 160 {
			return "", fmt.Errorf("part %d has %d octets, more than fit", i+1, len(payload))
		}
		octets = append(octets, payload...)
	}
	switch parts[0].dataCoding {
	case 0:
		text, err := gsm7.Decode(octets)
		return string(text), err
	case 8:
		text, err := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Bytes(octets)
		return string(text), err
	}
	return "", fmt.Errorf("data_coding %d", parts[0].dataCoding)
}

// bodyOf takes the user data header off a part: 3GPP TS 23.040, section 9.2.3.24.8, concatenation with a
// reference of 16 bits.
func bodyOf(p, first submit, part, parts int) ([]byte, error) {
	const header = 7
	if p.esmClass&0x40 == 0 || len(p.payload) < header || [3]byte(p.payload) != [3]byte{6, 8, 4} {
		return nil, fmt.Errorf("part %d of %d has no header that says so", part, parts)
	}
	if reference := binary.BigEndian.Uint16(p.payload[3:]); reference != binary.BigEndian.Uint16(first.payload[3:]) {
		return nil, fmt.Errorf("part %d has another reference than the first", part)
	}
	if int(p.payload[5]) != parts || int(p.payload[6]) != part {
		return nil, fmt.Errorf("part %d of %d says that it is %d of %d", part, parts, p.payload[6], p.payload[5])
	}
	return p.payload[header:], nil
}
