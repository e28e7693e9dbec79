package coding

import "fmt"

// Concat is what a part's header says about the message that it belongs to. The zero value means that the text is whole.
type Concat struct {
	Reference uint16 // the same in all parts of a message
	Total     byte   // number of parts
	Sequence  byte   // 1 … Total
}

// Information elements of the user data header that are read (3GPP TS 23.040 section 9.2.3.24).
const (
	elementConcat8       = 0x00
	elementConcat16      = 0x08
	elementSingleShift   = 0x24
	elementLockingShift  = 0x25
	concat8Length        = 3
	concat16Length       = 4
	elementHeadingLength = 2
)

// parseHeader reads the user data header and gives the octets after it. Unknown elements are passed over; a concatenation
// element that contradicts itself is ignored, as the standard asks. National language tables cannot be read and are an error.
func parseHeader(payload []byte) (concat Concat, rest []byte, err error) {
	if len(payload) == 0 {
		return Concat{}, nil, fmt.Errorf("empty message: %w", ErrHeader)
	}
	length := int(payload[0])
	if length >= len(payload) {
		return Concat{}, nil, fmt.Errorf("header of %d octets in a message of %d: %w", length, len(payload), ErrHeader)
	}
	header, rest := payload[1:1+length], payload[1+length:]
	for len(header) > 0 {
		if len(header) < elementHeadingLength || int(header[1]) > len(header)-elementHeadingLength {
			return concat, nil, fmt.Errorf("element beyond the end of the header: %w", ErrHeader)
		}
		id, value := header[0], header[elementHeadingLength:elementHeadingLength+int(header[1])]
		header = header[elementHeadingLength+len(value):]
		switch {
		case id == elementConcat8 && len(value) == concat8Length:
			concat = validConcat(concat, Concat{uint16(value[0]), value[1], value[2]})
		case id == elementConcat16 && len(value) == concat16Length:
			concat = validConcat(concat, Concat{uint16(value[0])<<8 | uint16(value[1]), value[2], value[3]})
		case id == elementSingleShift || id == elementLockingShift:
			err = fmt.Errorf("national language table: %w", ErrDataCoding)
		}
	}
	return concat, rest, err
}

// validConcat gives the new element if it makes sense, else the one found before. Of two valid ones the last counts.
func validConcat(before, found Concat) Concat {
	if found.Total == 0 || found.Sequence == 0 || found.Sequence > found.Total {
		return before
	}
	return found
}
