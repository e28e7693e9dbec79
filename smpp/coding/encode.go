package coding

import "unicode/utf8"

// Encoding names an alphabet; the value stands in previews, plans and reports.
type Encoding string

// The alphabets that messages go out in.
const (
	GSM7 Encoding = "gsm7" // GSM 7-bit default alphabet with its extension table, data_coding 0
	UCS2 Encoding = "ucs2" // UTF-16, big endian, data_coding 8
)

// Values of data_coding (SMPP 3.4 section 5.2.19).
const (
	DataCodingDefault byte = 0x00 // the message centre's default alphabet, taken as GSM 7-bit
	DataCodingASCII   byte = 0x01
	DataCodingLatin1  byte = 0x03
	DataCodingUCS2    byte = 0x08
)

// MaxParts is the largest number of parts that a message may have. Handsets reassemble up to 255, but operators in India and
// older phones give up long before; a text over the limit is refused when its template is checked.
const MaxParts = 16

// Units that fit: septets for GSM 7-bit, UTF-16 units for UCS-2. A concatenated part loses seven octets to its header.
const (
	gsmSingle  = 160
	gsmPart    = 152
	ucs2Single = 70
	ucs2Part   = 66

	headerLength = 7
)

// Encoded is a text ready for the short_message fields of its parts.
type Encoded struct {
	Encoding   Encoding
	DataCoding byte
	UDHI       bool     // a user data header precedes the text: esm_class needs 0x40
	Payloads   [][]byte // one for each part, header included; they share memory that nothing else uses
}

// Encode turns a text into parts, in GSM 7-bit where every character is in that alphabet and in UCS-2 otherwise, which is
// always the smaller number of parts. A text of one part has no header; others carry the 16-bit concatenation header with the
// given reference, which [Reference] derives. Octets that are not UTF-8 become U+FFFD. A text that needs more than [MaxParts]
// parts has no payloads; [Count] says how many it would need.
func Encode(text string, reference uint16) Encoded {
	m := measureText(text)
	out := Encoded{Encoding: m.encoding, UDHI: m.parts > 1}
	if m.encoding == UCS2 {
		out.DataCoding = DataCodingUCS2
	}
	if m.parts > MaxParts {
		return out
	}
	if m.parts == 1 {
		out.Payloads = [][]byte{m.appendUnits(make([]byte, 0, m.octets()), text)}
		return out
	}
	buf := make([]byte, 0, m.octets()+m.parts*headerLength)
	out.Payloads = make([][]byte, 0, m.parts)
	rest := m
	for number := 1; number <= m.parts; number++ {
		end, units := rest.cut(text)
		start := len(buf)
		buf = append(buf, 0x06, 0x08, 0x04, byte(reference>>8), byte(reference), byte(m.parts), byte(number))
		buf = m.appendUnits(buf, text[:end])
		out.Payloads = append(out.Payloads, buf[start:len(buf):len(buf)])
		text = text[end:]
		rest.units -= units
		rest.parts--
	}
	return out
}

// Count says how a text would be encoded: the alphabet, its units (septets for GSM 7-bit with two for a character of the
// extension table, UTF-16 units for UCS-2) and the number of parts, which is at least 1. It does not allocate.
func Count(text string) (enc Encoding, units, parts int) {
	m := measureText(text)
	return m.encoding, m.units, m.parts
}

// Split gives the text of each part, as Encode cuts them, for showing to people. It has no limit on the number of parts.
func Split(text string) []string {
	rest := measureText(text)
	out := make([]string, 0, rest.parts)
	for rest.parts > 1 {
		end, units := rest.cut(text)
		out = append(out, text[:end])
		text = text[end:]
		rest.units -= units
		rest.parts--
	}
	return append(out, text)
}

// measure is what one pass over a text finds out.
type measure struct {
	encoding Encoding
	units    int
	parts    int
	pairs    bool // some character takes two units, so that parts may end one short
}

func measureText(text string) measure {
	m := measure{encoding: GSM7}
	for _, r := range text {
		septet := septetOf(r)
		if septet >= extended {
			if septet == noSeptet {
				return measureUCS2(text)
			}
			m.units++
			m.pairs = true
		}
		m.units++
	}
	m.parts = m.partsOf(text, m.units, gsmSingle)
	return m
}

func measureUCS2(text string) measure {
	m := measure{encoding: UCS2}
	for _, r := range text {
		m.units++
		if r > 0xFFFF {
			m.units++
			m.pairs = true
		}
	}
	m.parts = m.partsOf(text, m.units, ucs2Single)
	return m
}

// partsOf counts the parts of a whole text.
func (m *measure) partsOf(text string, units, single int) int {
	if units <= single {
		return 1
	}
	return m.partsNeeded(text, units)
}

// partsNeeded counts concatenated parts by filling each as far as it goes, which is the fewest that can be.
func (m *measure) partsNeeded(text string, units int) int {
	limit := m.partLimit()
	if !m.pairs {
		return (units + limit - 1) / limit
	}
	parts, used := 1, 0
	for _, r := range text {
		w := m.width(r)
		if used+w > limit {
			parts++
			used = 0
		}
		used += w
	}
	return parts
}

func (m *measure) partLimit() int {
	if m.encoding == GSM7 {
		return gsmPart
	}
	return ucs2Part
}

// width is the number of units of a character that is known to be in the alphabet.
func (m *measure) width(r rune) int {
	if m.encoding == GSM7 {
		if septetOf(r)&extended != 0 {
			return 2
		}
		return 1
	}
	if r > 0xFFFF {
		return 2
	}
	return 1
}

func (m *measure) octets() int {
	if m.encoding == GSM7 {
		return m.units
	}
	return 2 * m.units
}

// cut finds where the next part of the text ends, in octets of text, and how many units it holds. m.units and m.parts are of
// the whole remaining text. The part ends before a cluster that would not fit, unless the cluster is longer than a part or
// the room lost would cost a further part: then it ends between code points.
func (m *measure) cut(text string) (end, units int) {
	if m.parts == 1 {
		return len(text), m.units
	}
	limit := m.partLimit()
	end = len(text)
	for i, r := range text {
		w := m.width(r)
		if units+w > limit {
			end = i
			break
		}
		units += w
	}
	if m.encoding == GSM7 || end == len(text) {
		return end, units // the GSM alphabet has no character that joins another
	}
	at, kept := end, units
	for at > 0 && !boundary(text, at) {
		r, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
		kept -= m.width(r)
	}
	if at > 0 && m.partsNeeded(text[at:], m.units-kept) < m.parts {
		return at, kept
	}
	return end, units
}

// appendUnits appends the octets of a text that is known to fit the alphabet.
func (m *measure) appendUnits(dst []byte, text string) []byte {
	if m.encoding == GSM7 {
		for _, r := range text {
			septet := septetOf(r)
			if septet >= extended {
				dst = append(dst, escape, septet&^extended)
				continue
			}
			dst = append(dst, septet)
		}
		return dst
	}
	for _, r := range text {
		if r > 0xFFFF {
			r -= 0x10000
			high, low := 0xD800+r>>10, 0xDC00+r&0x3FF
			dst = append(dst, byte(high>>8), byte(high), byte(low>>8), byte(low))
			continue
		}
		dst = append(dst, byte(r>>8), byte(r))
	}
	return dst
}
