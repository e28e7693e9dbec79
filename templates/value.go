package templates

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// check says why a value cannot stand in the tag, or gives "" where it can. It is asked for every variable of every message,
// so the way without a complaint does not allocate.
func (t Tag) check(value string) string {
	units := 0
	digits, dots := 0, 0
	ascii := true
	for _, r := range value {
		units++
		switch {
		case r < utf8.RuneSelf:
			if r < ' ' || r == 0x7F {
				return fmt.Sprintf("has the control character %U", r)
			}
			if r >= '0' && r <= '9' {
				digits++
			} else if r == '.' || r == ':' {
				dots++
			}
		default:
			ascii = false
			if r > 0xFFFF {
				units++
			}
			if !printable(r) {
				return fmt.Sprintf("has the unprintable character %U", r)
			}
		}
	}
	if value == "" {
		return "is empty"
	}
	if value[0] == ' ' || value[len(value)-1] == ' ' {
		return "begins or ends with a space"
	}
	if longest := t.MaxLength(); units > longest {
		return fmt.Sprintf("has %d characters, the tag takes at most %d", units, longest)
	}
	switch t.Type {
	case TypeNumeric:
		if digits != len(value) {
			return "is not made of the digits 0 to 9 alone"
		}
		return ""
	case TypeAlphanumeric:
		if r, ok := notAlphanumeric(value); ok {
			return fmt.Sprintf("has the character %q; letters, digits, space and _ / . - ' are taken", r)
		}
	case TypeURL, TypeURLOTT:
		if !ascii || !isURL(value) {
			return "is no link with a domain name"
		}
		return ""
	case TypeCBN:
		if !isCallBackNumber(value) {
			return "is no Indian number to call back: 10 digits, or 1800 or 1860 with 8 to 11"
		}
		return ""
	case TypeEmail:
		if !ascii || !isEmail(value) {
			return "is no e-mail address"
		}
		return ""
	}
	// A link or number to call inside a plain tag is refused by the operators, who look for them there.
	if dots > 0 && holdsURL(value) {
		return "holds a link; register the tag as {#url#}"
	}
	if digits >= 10 && holdsMobile(value) {
		return "holds a phone number; register the tag as {#cbn#}, or as {#numeric#} if it is none"
	}
	return ""
}

// printable says whether a character outside ASCII may stand in a message: letters, marks, digits, punctuation and signs, and
// the two joiners that spelling needs. Spaces other than the ordinary one, marks of direction and the character that stands
// for broken text may not.
func printable(r rune) bool {
	if inIndicBlocks(r) {
		return indic[r-indicLow]&indicPrintable != 0
	}
	return r == 0x200C || r == 0x200D || r != utf8.RuneError && unicode.IsPrint(r)
}

// notAlphanumeric finds the first character that an alphanumeric tag does not take. Letters of every script pass: portals
// differ, and refusing Devanagari here would keep names in their own script out of every message. The signs are those that
// one operator's notes allow, with the hyphen and apostrophe of names such as Janjgir-Champa.
func notAlphanumeric(value string) (rune, bool) {
	for _, r := range value {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r < utf8.RuneSelf:
			if !strings.ContainsRune(" _/.-'", r) {
				return r, true
			}
		case inIndicBlocks(r):
			if indic[r-indicLow]&indicWord == 0 {
				return r, true
			}
		case r == 0x200C, r == 0x200D:
		case !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r):
			return r, true
		}
	}
	return 0, false
}

// The blocks of the Indic scripts, Devanagari to Malayalam, lie side by side; a table spares the search through Unicode's
// ranges for nearly every character that is met.
const (
	indicLow  = 0x0900
	indicHigh = 0x0D7F

	indicPrintable = 1 << 0
	indicWord      = 1 << 1
)

var indic = indicTable()

func indicTable() (table [indicHigh - indicLow + 1]byte) {
	for i := range table {
		r := rune(indicLow + i)
		if unicode.IsPrint(r) {
			table[i] |= indicPrintable
		}
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			table[i] |= indicWord
		}
	}
	return table
}

func inIndicBlocks(r rune) bool { return r >= indicLow && r <= indicHigh }

// isURL takes links with or without https://. A host that is an IP address is refused, as portals do.
func isURL(s string) bool {
	for _, scheme := range []string{"https://", "http://"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
			break
		}
	}
	host := s
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		host = s[:i]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return isDomain(host) && !strings.ContainsAny(s, ` <>"\^{}|`+"`")
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isASCIILetter(c) && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return len(last) >= 2 && isASCIILetter(last[0])
}

func isASCIILetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && !strings.ContainsAny(local, ` ()<>[]:;,\"`) && isDomain(domain)
}

// holdsURL looks for a link among the words of a value.
func holdsURL(s string) bool {
	for word := range strings.FieldsSeq(s) {
		lower := strings.ToLower(word)
		if strings.Contains(lower, "://") || strings.HasPrefix(lower, "www.") {
			return true
		}
		host, _, _ := strings.Cut(lower, "/")
		if dot := strings.LastIndexByte(host, '.'); dot > 0 && isTopLevel(host[dot+1:]) && isDomain(host) {
			return true
		}
	}
	return false
}

// isTopLevel knows the endings that links in Indian messages have. A longer list would take abbreviated names for links.
func isTopLevel(s string) bool {
	switch s {
	case "com", "in", "org", "net", "gov", "info", "ly", "me", "co", "app", "link", "io", "page", "gl", "to":
		return true
	}
	return false
}

// callBackDigits strips the signs that numbers are written with, or gives "" where there are others.
func callBackDigits(s string) string {
	var digits strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits.WriteByte(c)
		case c == '-', c == ' ', c == '+' && i == 0:
		default:
			return ""
		}
	}
	return digits.String()
}

// isCallBackNumber follows the forms that can be whitelisted: mobile numbers of 10 digits from 6 to 9 with or without 91,
// landlines of 10 digits with or without 0, toll-free and shared-cost numbers, and the series 140 and 160 of 10 digits.
func isCallBackNumber(s string) bool {
	d := callBackDigits(s)
	switch {
	case strings.HasPrefix(d, "1800"), strings.HasPrefix(d, "1860"):
		return len(d) >= 8 && len(d) <= 11
	case strings.HasPrefix(d, "140"), strings.HasPrefix(d, "160"):
		return len(d) == 10
	case len(d) == 12 && strings.HasPrefix(d, "91"):
		return d[2] >= '6'
	case len(d) == 11 && d[0] == '0':
		return d[1] != '0'
	}
	return len(d) == 10 && d[0] >= '2'
}

// holdsMobile looks for a run of digits that is a mobile number: 10 digits from 6 to 9, alone or after 0 or 91.
func holdsMobile(s string) bool {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		run := s[i:j]
		switch {
		case len(run) == 12 && strings.HasPrefix(run, "91"), len(run) == 11 && run[0] == '0':
			run = run[len(run)-10:]
		}
		if len(run) == 10 && run[0] >= '6' {
			return true
		}
		i = j + 1
	}
	return false
}
