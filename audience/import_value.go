package audience

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	// maxValue bounds one value in characters.
	maxValue = 1000
	maxAge   = 120
	// firstYear is the earliest birth year taken for real.
	firstYear = 1900
	maxMoney  = 100_000_000
)

// isUnknown tells a value by which people say that they do not know. It is asked only about values
// that could not be read, so that a village named Na stays one.
func isUnknown(s string) bool {
	if len(s) > 40 {
		return false
	}
	switch strings.ToLower(s) {
	case "-", "--", "---", ".", "?", "na", "n/a", "n.a.", "n.a", "#n/a", "null", "nil", "none", "unknown", "not known", "dont know", "don't know", "पता नहीं", "ज्ञात नहीं", "मालूम नहीं", "—", "–":
		return true
	}
	return false
}

// parseBool reads yes and no.
func parseBool(s string) (value, ok bool) {
	switch s {
	case "1", "true", "yes", "y", "TRUE", "YES", "Y", "True", "Yes":
		return true, true
	case "0", "false", "no", "n", "FALSE", "NO", "N", "False", "No":
		return false, true
	}
	if len(s) > 24 {
		return false, false
	}
	switch foldPlace(strings.TrimSuffix(s, ".0")) {
	case "true", "yes", "y", "1", "t", "haan", "han", "हां", "जीहां", "हा", "सही":
		return true, true
	case "false", "no", "n", "0", "f", "nahi", "nahin", "नहीं", "नही", "जीनहीं", "ना", "गलत":
		return false, true
	}
	return false, false
}

// parseWhole reads a whole number that is not negative, in the digits of any script, with or without
// the commas of money and the ".0" that table tools add.
func parseWhole(s string) (int64, bool) {
	if i := strings.IndexByte(s, '.'); i >= 0 {
		if strings.Trim(s[i+1:], "0") != "" {
			return 0, false
		}
		s = s[:i]
	}
	if s == "" || len(s) > 40 {
		return 0, false
	}
	var n int64
	digits := 0
	for _, r := range s {
		if r == ',' && digits > 0 {
			continue
		}
		d := digitValue(r)
		if d < 0 || digits > 15 {
			return 0, false
		}
		n = n*10 + int64(d)
		digits++
	}
	return n, digits > 0
}

// parseMoney reads rupees: 15000, 15,000, Rs 15000, ₹15,000/-. Paise are dropped.
func parseMoney(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	lower := strings.ToLower(s)
	for _, sign := range []string{"₹", "rs.", "rs", "inr", "रु.", "रु", "रुपये"} {
		if strings.HasPrefix(lower, sign) {
			s = strings.TrimSpace(s[len(sign):])
			break
		}
	}
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(s, "/-"), "/"))
	if whole, paise, ok := strings.Cut(s, "."); ok && len(paise) <= 2 && strings.Trim(paise, "0123456789") == "" {
		s = whole
	}
	n, ok := parseWhole(s)
	return n, ok && n <= maxMoney
}

// parseGender reads male, female or other.
func parseGender(s string) (string, bool) {
	switch foldPlace(s) {
	case "m", "male", "man", "पुरुष", "पु":
		return "male", true
	case "f", "female", "woman", "w", "महिला", "स्त्री", "म", "औरत":
		return "female", true
	case "o", "other", "others", "transgender", "trans", "t", "third", "thirdgender", "अन्य", "किन्नर", "ट्रांसजेंडर":
		return "other", true
	}
	return "", false
}

// parseCardType reads the kind of a ration card.
func parseCardType(s string) (string, bool) {
	switch foldPlace(s) {
	case "phh", "priority", "priorityhousehold", "nfsaphh", "पीएचएच", "पात्रगृहस्थी", "प्राथमिकता":
		return "PHH", true
	case "aay", "antyodaya", "antodaya", "antyodayaannayojana", "एएवाई", "अंत्योदय", "अन्त्योदय":
		return "AAY", true
	case "other", "others", "apl", "bpl", "nphh", "nonnfsa", "state", "none", "अन्य", "एपीएल", "बीपीएल":
		return "other", true
	}
	return "", false
}

// parsePincode reads the six digits of a pincode.
func parsePincode(s string) (int64, bool) {
	n, ok := parseWhole(strings.ReplaceAll(s, " ", ""))
	return n, ok && n >= 100000 && n <= 999999
}

// isShortened tells an id that a spreadsheet has turned into a power of ten.
func isShortened(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i > 0 && i+1 < len(s) && strings.Contains(s[:i], ".") &&
		strings.Trim(s[:i], "0123456789.,") == "" && strings.Trim(s[i+1:], "+0123456789") == ""
}

// cleanID removes what people put between the groups of an id.
func cleanID(dst, s []byte) []byte {
	for _, c := range s {
		if c != ' ' && c != '\t' {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendCollapsed appends a text with every run of white space and control characters as one space.
func appendCollapsed(dst, s []byte) []byte {
	space := false
	for i := 0; i < len(s); {
		c := s[i]
		size := 1
		blank := c <= ' ' || c == 0x7f
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRune(s[i:])
			blank = r == 0xa0 || r == 0x2028 || r == 0x2029 || r == 0x3000
		}
		if blank {
			space = true
		} else {
			if space {
				dst = append(dst, ' ')
				space = false
			}
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return dst
}

// appendJSONString appends a text as a JSON string. It must be UTF-8 without NUL, which the import
// has made sure of.
func appendJSONString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// The binary forms of PostgreSQL's types.
func appendInt2(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(min(n, math.MaxInt16))) //nolint:gosec // callers have checked the range
}

func appendInt4(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(min(n, math.MaxInt32))) //nolint:gosec // callers have checked the range
}

func appendInt8(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n)) //nolint:gosec // the bits are wanted
}
