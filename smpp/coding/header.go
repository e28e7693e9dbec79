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
	shiftLength          = 1
	elementHeadingLength = 2
)

// header is what is read from a user data header. locking and single are nil for the default alphabet and its extension.
type header struct {
	concat          Concat
	locking, single *national
	rest            []byte // the octets after it
}

// parseHeader reads the user data header. Unknown elements and languages are passed over; a concatenation element that
// contradicts itself is ignored, as the standard asks.
func parseHeader(payload []byte) (h header, err error) {
	if len(payload) == 0 {
		return h, fmt.Errorf("empty message: %w", ErrHeader)
	}
	length := int(payload[0])
	if length >= len(payload) {
		return h, fmt.Errorf("header of %d octets in a message of %d: %w", length, len(payload), ErrHeader)
	}
	elements := payload[1 : 1+length]
	h.rest = payload[1+length:]
	for len(elements) > 0 {
		if len(elements) < elementHeadingLength || int(elements[1]) > len(elements)-elementHeadingLength {
			return h, fmt.Errorf("element beyond the end of the header: %w", ErrHeader)
		}
		id, value := elements[0], elements[elementHeadingLength:elementHeadingLength+int(elements[1])]
		elements = elements[elementHeadingLength+len(value):]
		switch {
		case id == elementConcat8 && len(value) == concat8Length:
			h.concat = validConcat(h.concat, Concat{uint16(value[0]), value[1], value[2]})
		case id == elementConcat16 && len(value) == concat16Length:
			h.concat = validConcat(h.concat, Concat{uint16(value[0])<<8 | uint16(value[1]), value[2], value[3]})
		case id == elementSingleShift && len(value) == shiftLength:
			h.single = nationals[value[0]]
		case id == elementLockingShift && len(value) == shiftLength:
			h.locking = nationals[value[0]]
		}
	}
	return h, nil
}

// validConcat gives the new element if it makes sense, else the one found before. Of two valid ones the last counts.
func validConcat(before, found Concat) Concat {
	if found.Total == 0 || found.Sequence == 0 || found.Sequence > found.Total {
		return before
	}
	return found
}
