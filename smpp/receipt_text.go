package smpp

import "strings"

// receiptFields are the fields of a receipt's text as they were written.
type receiptFields struct {
	id, sub, dlvrd, submitted, done, stat, err, text string

	n     int  // how many different fields were found
	leads bool // whether the text starts with a field
}

// receiptKeys are the keys of SMPP 3.4, appendix B, in the spellings seen; a longer key stands before one that it starts with.
var receiptKeys = [...]struct {
	key   string
	field func(*receiptFields) *string
}{
	{"id", func(f *receiptFields) *string { return &f.id }},
	{"sub", func(f *receiptFields) *string { return &f.sub }},
	{"dlvrd", func(f *receiptFields) *string { return &f.dlvrd }},
	{"submit date", func(f *receiptFields) *string { return &f.submitted }},
	{"submit_date", func(f *receiptFields) *string { return &f.submitted }},
	{"submitdate", func(f *receiptFields) *string { return &f.submitted }},
	{"done date", func(f *receiptFields) *string { return &f.done }},
	{"done_date", func(f *receiptFields) *string { return &f.done }},
	{"donedate", func(f *receiptFields) *string { return &f.done }},
	{"stat", func(f *receiptFields) *string { return &f.stat }},
	{"status", func(f *receiptFields) *string { return &f.stat }},
	{"err", func(f *receiptFields) *string { return &f.err }},
	{"error", func(f *receiptFields) *string { return &f.err }},
	{"text", func(f *receiptFields) *string { return &f.text }},
}

const blanks = " \t\r\n,;"

// parseFields reads "key:value" pairs in any order and case. The first of two equal keys counts. "text" takes all the rest, in which
// anything may stand, other keys included. What is not a pair is passed over.
func parseFields(s string) (f receiptFields) {
	s = strings.TrimLeft(s, blanks)
	for first := true; s != ""; first = false {
		key, rest, ok := cutKey(s)
		if !ok {
			s = strings.TrimLeft(skipWord(s), blanks)
			continue
		}
		if first {
			f.leads = true
		}
		field := receiptKeys[key].field(&f)
		var value string
		if field == &f.text {
			value, s = strings.TrimSpace(rest), ""
		} else {
			value, s = cutValue(rest)
		}
		if *field == "" && value != "" {
			*field = value
			f.n++
		}
	}
	return f
}

// cutKey finds which key the string starts with, up to and with its colon.
func cutKey(s string) (key int, rest string, ok bool) {
	if s == "" {
		return 0, "", false
	}
	initial := s[0] | 0x20 // in lower case, if it is a letter
	for i := range receiptKeys {
		k := receiptKeys[i].key
		if k[0] != initial || len(s) <= len(k) || !strings.EqualFold(s[:len(k)], k) {
			continue
		}
		rest := strings.TrimLeft(s[len(k):], " ")
		if rest != "" && rest[0] == ':' {
			return i, rest[1:], true
		}
	}
	return 0, "", false
}

// cutValue takes the word after a colon; a blank may stand before it, unless what follows is the next key: then it is empty.
func cutValue(s string) (value, rest string) {
	s = strings.TrimLeft(s, " ")
	if _, _, next := cutKey(s); next {
		return "", s
	}
	end := len(s) - len(skipWord(s))
	return strings.TrimRight(s[:end], ",;"), strings.TrimLeft(s[end:], blanks)
}

// skipWord drops everything up to the next blank.
func skipWord(s string) string {
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return s[i:]
	}
	return ""
}

// parseList reads the comma list "status,submitted,done,error,destination,source,reference" of an old Vodafone centre.
func parseList(s string) (f receiptFields, ok bool) {
	parts := strings.Split(strings.TrimSpace(s), ",")
	if len(parts) != 7 {
		return f, false
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if _, known := parseState(parts[0]); !known || strings.ContainsAny(parts[6], blanks) {
		return f, false
	}
	f.stat, f.submitted, f.done, f.err, f.id = parts[0], parts[1], parts[2], parts[3], parts[6]
	return f, true
}
