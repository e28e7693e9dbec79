package coding

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

var (
	// ErrDataCoding says that the octets are no text, or in an alphabet that cannot be read.
	ErrDataCoding = errors.New("data coding is not text")
	// ErrHeader says that the user data header contradicts its own lengths.
	ErrHeader = errors.New("user data header is malformed")
	// ErrText says that the octets do not fill the last character. The text up to there is still given.
	ErrText = errors.New("text ends inside a character")
)

// Decode reads an incoming text. Known values of data_coding are 0 (GSM 7-bit, one septet to an octet), 1 (ASCII), 3
// (Latin-1), 8 (UCS-2) and the forms of 0 and 8 that carry a message class. udhi says that esm_class announces a user data
// header; its concatenation element, 8-bit or 16-bit, is returned, and its choice of the alphabets of Indian languages is
// followed.
//
// Reading is lenient, because a person's STOP must not be lost to a sloppy gateway: with data_coding 0 or 1 a text with octets
// above 0x7F is read as UTF-8 where it is valid, else as Latin-1. An error comes together with whatever could be read.
func Decode(dataCoding byte, udhi bool, payload []byte) (text string, concat Concat, err error) {
	tables := gsmTables{&fromSeptet, &fromExt}
	if udhi {
		h, err := parseHeader(payload)
		if err != nil {
			return "", h.concat, err
		}
		concat, payload = h.concat, h.rest
		if h.locking != nil {
			tables.main = &h.locking.locking
		}
		if h.single != nil {
			tables.extension = &h.single.single
		}
	}
	switch {
	case dataCoding == DataCodingDefault, dataCoding&0xFC == 0x10, dataCoding&0xFC == 0xF0:
		return tables.decode(payload), concat, nil
	case dataCoding == DataCodingASCII:
		return decodeASCII(payload), concat, nil
	case dataCoding == DataCodingLatin1:
		return decodeLatin1(payload), concat, nil
	case dataCoding == DataCodingUCS2, dataCoding&0xFC == 0x18:
		text, err = decodeUCS2(payload)
		return text, concat, err
	}
	return "", concat, fmt.Errorf("data coding 0x%02X: %w: known are 0, 1, 3 and 8", dataCoding, ErrDataCoding)
}

func hasHighOctet(b []byte) bool {
	for _, c := range b {
		if c > 0x7F {
			return true
		}
	}
	return false
}

// gsmTables are the two tables that septets are read with.
type gsmTables struct {
	main, extension *[128]rune
}

// decode reads septets. An extension that is not in its table shows the character of the main table, and what is in neither
// a space, as a second escape and an escape at the end do (TS 23.038 section 6.2.1.1).
func (t gsmTables) decode(b []byte) string {
	if hasHighOctet(b) {
		return decodeASCII(b)
	}
	var out strings.Builder
	out.Grow(len(b))
	escaped := false
	for _, c := range b {
		if c == escape && !escaped {
			escaped = true
			continue
		}
		r := rune(0)
		if escaped {
			r = t.extension[c]
		}
		if r == 0 {
			r = t.main[c]
		}
		if r == 0 {
			r = ' '
		}
		out.WriteRune(r)
		escaped = false
	}
	if escaped {
		out.WriteByte(' ')
	}
	return out.String()
}

func decodeASCII(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return decodeLatin1(b)
}

func decodeLatin1(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

// decodeUCS2 reads UTF-16, big endian unless a byte order mark says otherwise. Half a surrogate pair becomes U+FFFD.
func decodeUCS2(b []byte) (string, error) {
	high, low := 0, 1
	if len(b) >= 2 {
		switch {
		case b[0] == 0xFE && b[1] == 0xFF:
			b = b[2:]
		case b[0] == 0xFF && b[1] == 0xFE:
			high, low = 1, 0
			b = b[2:]
		}
	}
	var out strings.Builder
	out.Grow(len(b) * 3 / 2)
	unit := func(i int) rune { return rune(b[i+high])<<8 | rune(b[i+low]) }
	for i := 0; i+1 < len(b); i += 2 {
		r := unit(i)
		if r&0xFC00 == 0xD800 && i+3 < len(b) {
			if second := unit(i + 2); second&0xFC00 == 0xDC00 {
				r = 0x10000 + ((r - 0xD800) << 10) + (second - 0xDC00)
				i += 2
			}
		}
		out.WriteRune(r) // half a pair is no valid rune and is written as U+FFFD
	}
	if len(b)%2 != 0 {
		return out.String(), fmt.Errorf("UCS-2 text of %d octets: %w", len(b), ErrText)
	}
	return out.String(), nil
}
