package audience

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNumber says that a text is not an Indian mobile number that can receive a message. Every
// error of ParseNumber matches it.
var ErrNumber = errors.New("not an Indian mobile number")

// NumberError tells why a text was refused as a number. The text itself is left out on purpose, so
// that the error may be logged.
type NumberError struct {
	// Reason is a phrase for the person who keeps the list; it names the mend where there is one.
	Reason string
}

// Error returns the reason.
func (e *NumberError) Error() string { return e.Reason }

// Is reports that every NumberError is an ErrNumber.
func (e *NumberError) Is(target error) bool { return target == ErrNumber }

// The refusals are made once: a dirty list has many of them.
var (
	errNumberEmpty    = &NumberError{"the number is empty"}
	errNumberForeign  = &NumberError{"not an Indian number: only +91 is served"}
	errNumberLandline = &NumberError{"not a mobile number: Indian mobile numbers start with 6, 7, 8 or 9, landlines and service numbers receive no messages"}
	errNumberArea     = &NumberError{"written like a landline with its area code: a mobile number is ten digits in one piece"}
	errNumberService  = &NumberError{"a service number (140, 160, 1800 or 1860 series), not a person's mobile number"}
	errNumberRepeated = &NumberError{"one digit ten times is not a real number"}
	errNumberLetters  = &NumberError{"the number contains letters or signs that do not belong to a number"}
	errNumberSheet    = &NumberError{"a spreadsheet has shortened the number to a power of ten and its last digits are lost: format the column as text and export the list again"}
	errNumberSeveral  = &NumberError{"more than one number in one cell: keep one and put the other in a column of its own"}
	errNumberEleventh = &NumberError{"11 digits: a mobile number has 10, one digit is too many"}
)

const (
	indiaPrefix = 91_0000000000
	// maxNumberText bounds what is looked at: no written form of one number is longer.
	maxNumberText = 64
)

// ParseNumber reads an Indian mobile number as people write it and returns the digits of its E.164
// form without the plus, 919812345678. It accepts ten digits, the prefixes +91, 91, 0091, 091 and
// 0, spaces, hyphens, dots and brackets, and the digits of every script. A landline, a service
// number, a repeated digit, a foreign number and what a spreadsheet has spoilt are refused with a
// *NumberError. The rules follow the national numbering plan: mobile numbers have ten digits and
// begin with 6 to 9; 140, 1600, 1601, 1800 and 1860 begin service numbers. A prefix does not tell the
// operator, since numbers are ported.
func ParseNumber(s string) (int64, error) {
	// The usual forms need no copy: 9812345678, 919812345678, +919812345678.
	digits := s
	switch len(s) {
	case 12:
		if s[0] == '9' && s[1] == '1' {
			digits = s[2:]
		}
	case 13:
		if s[0] == '+' && s[1] == '9' && s[2] == '1' {
			digits = s[3:]
		}
	}
	if len(digits) == 10 && digits[0] >= '6' && digits[0] <= '9' {
		if n, ok := tenDigits(digits); ok {
			return withCountry(n)
		}
	}
	return parseWrittenNumber(s)
}

func tenDigits(s string) (int64, bool) {
	var n int64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

func withCountry(n int64) (int64, error) {
	if n%1111111111 == 0 {
		return 0, errNumberRepeated
	}
	return indiaPrefix + n, nil
}

// parseWrittenNumber strips what people put around the digits and then judges prefix and length.
func parseWrittenNumber(s string) (int64, error) {
	if len(s) > maxNumberText*utf8.UTFMax {
		return 0, errNumberLetters
	}
	s = strings.TrimPrefix(strings.TrimFunc(s, isNumberSpace), "'")
	s = strings.TrimFunc(s, isNumberSpace)
	s = trimDecimal(s)
	if isAreaCode(s) {
		return 0, errNumberArea
	}
	var buf [maxNumberText]byte
	digits := buf[:0]
	plus := false
	for _, r := range s {
		switch d := digitValue(r); {
		case d >= 0:
			if len(digits) == len(buf) {
				return 0, errNumberLetters
			}
			digits = append(digits, byte('0'+d))
		case r == '+' || r == '＋':
			if plus || len(digits) > 0 {
				return 0, spoiltNumber(s, len(digits))
			}
			plus = true
		case isNumberSpace(r) || isNumberSign(r):
		default:
			return 0, spoiltNumber(s, len(digits))
		}
	}
	return nationalNumber(string(digits), plus)
}

// nationalNumber removes the prefix from bare digits.
func nationalNumber(d string, plus bool) (int64, error) {
	switch {
	case d == "":
		return 0, errNumberEmpty
	case plus && !strings.HasPrefix(d, "91"):
		return 0, errNumberForeign
	case len(d) == 14 && strings.HasPrefix(d, "0091"):
		d = d[4:]
	case len(d) == 13 && strings.HasPrefix(d, "091"):
		d = d[3:]
	case len(d) == 12 && strings.HasPrefix(d, "91"):
		d = d[2:]
	case len(d) == 11 && d[0] == '0' && !plus:
		d = d[1:]
	}
	if isServiceNumber(d) {
		return 0, errNumberService
	}
	switch {
	case strings.HasPrefix(d, "00"):
		return 0, errNumberForeign
	case len(d) == 10:
	case len(d) == 11:
		return 0, errNumberEleventh
	case len(d) >= 20 && len(d)%2 == 0:
		return 0, errNumberSeveral
	default:
		return 0, &NumberError{strconv.Itoa(len(d)) + " digits: a mobile number has 10, or 12 with 91 before it"}
	}
	if d[0] < '6' {
		return 0, errNumberLandline
	}
	n, _ := tenDigits(d)
	return withCountry(n)
}

func isServiceNumber(d string) bool {
	return (len(d) == 10 && (strings.HasPrefix(d, "140") || strings.HasPrefix(d, "160"))) ||
		(len(d) >= 8 && len(d) <= 13 && (strings.HasPrefix(d, "1800") || strings.HasPrefix(d, "1803") || strings.HasPrefix(d, "1860") || strings.HasPrefix(d, "000800")))
}

// trimDecimal removes ".0", which a table tool adds when it took the column for decimals. No digit
// of the number is lost by that.
func trimDecimal(s string) string {
	head, tail, ok := strings.Cut(s, ".")
	if !ok || len(head) < 10 || tail == "" || strings.Trim(tail, "0") != "" {
		return s
	}
	return head
}

// isAreaCode recognises 0612-2345678: area codes that begin with 6 or 7 (Patna, Ranchi, Bhubaneswar,
// Bhopal) would otherwise pass for mobile numbers, and a stranger would get the message. Subscriber
// numbers of landlines begin with 2 nearly everywhere.
func isAreaCode(s string) bool {
	s = strings.TrimPrefix(s, "(")
	if len(s) < 11 || s[0] != '0' || (s[1] != '6' && s[1] != '7') {
		return false
	}
	i := strings.IndexAny(s, "- )")
	return i >= 3 && i <= 5 && strings.HasPrefix(strings.TrimLeft(s[i:], "- )"), "2")
}

// spoiltNumber chooses the reason for a text with a sign that has no place in a number.
func spoiltNumber(s string, digits int) error {
	if i := strings.IndexAny(s, "eE"); i > 0 && i+1 < len(s) && digits > 0 &&
		strings.Trim(s[:i], "0123456789.,") == "" && strings.Trim(s[i+1:], "+0123456789") == "" {
		return errNumberSheet
	}
	if strings.ContainsAny(s, "/,;|&+\n") && digits >= 8 {
		return errNumberSeveral
	}
	return errNumberLetters
}

func isNumberSpace(r rune) bool {
	// Format characters (zero width, direction marks) arrive with copies from chat programs.
	return r == ' ' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

func isNumberSign(r rune) bool {
	switch r {
	case '-', '.', '(', ')', '[', ']', '‐', '‑', '‒', '–', '—', '−', '﹣', '－':
		return true
	}
	return false
}

// digitValue returns the value of a decimal digit of any script, or -1.
func digitValue(r rune) int {
	if r < utf8.RuneSelf {
		if r >= '0' && r <= '9' {
			return int(r - '0')
		}
		return -1
	}
	// Unicode keeps every script's digits in runs of ten that start at zero; neighbouring runs are
	// merged in the table.
	for _, rg := range unicode.Nd.R16 {
		if r < rune(rg.Lo) {
			break
		}
		if r <= rune(rg.Hi) {
			return int(r-rune(rg.Lo)) % 10
		}
	}
	for _, rg := range unicode.Nd.R32 {
		if r < rune(rg.Lo) {
			break
		}
		if r <= rune(rg.Hi) {
			return int(r-rune(rg.Lo)) % 10
		}
	}
	return -1
}

// FormatNumber writes a number as the digits of E.164 without the plus, 919812345678.
func FormatNumber(msisdn int64) string { return strconv.FormatInt(msisdn, 10) }

// Mask writes a number so that two people can agree which one is meant and nobody can dial it:
// the country code and the last four digits, 91******5678. What is not a 12-digit number keeps
// at most its last two digits.
func Mask(msisdn int64) string {
	s := strconv.FormatInt(msisdn, 10)
	if len(s) == 12 && s[:2] == "91" {
		return "91******" + s[8:]
	}
	if len(s) > 6 {
		return strings.Repeat("*", len(s)-2) + s[len(s)-2:]
	}
	return strings.Repeat("*", len(s))
}
