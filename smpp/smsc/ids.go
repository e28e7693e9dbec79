package smsc

import (
	"encoding/hex"
	"strconv"
)

// idForms are the writers of an id in the response and in the receipt.
var idForms = map[string]struct{ response, receipt func([]byte, uint64) []byte }{
	IDDecimal:    {appendDecimal, appendDecimal},
	IDHex:        {appendHex, appendHex},
	IDHexDecimal: {appendHex, appendDecimal},
	IDDecimalHex: {appendDecimal, appendHex},
	IDPaddedHex:  {appendPaddedHex, appendHex},
	IDUUID:       {appendUUID, appendUUID},
}

func appendDecimal(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

func appendHex(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 16) }

func appendPaddedHex(dst []byte, n uint64) []byte {
	const digits = "0123456789ABCDEF"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}

// appendUUID writes a UUID of version 8, whose bits are the maker's own (RFC 9562, section 5.8): here a hash of the number.
func appendUUID(dst []byte, n uint64) []byte {
	hi, lo := mix(n)&^0xF000|0x8000, mix(^n)&^(3<<62)|1<<63
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(hi>>(56-8*i)), byte(lo>>(56-8*i))
	}
	for i, r := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[r[0]:r[1]])
	}
	return dst
}
