package templates

import (
	"strings"
	"unicode/utf16"
)

// Match finds the language whose registered text a message is, and the values that stand in its tags: the proof that an
// operator will recognise the message. Languages are tried fallback first. Where a text can be read in several ways, values
// are as short as possible from the left, so they need not be those that it was rendered from.
func (t *Template) Match(text string) (language string, values []string, ok bool) {
	for _, code := range t.LanguageCodes() {
		if values, ok := t.MatchLanguage(code, text); ok {
			return code, values, true
		}
	}
	return "", nil, false
}

// MatchLanguage is Match for one language.
func (t *Template) MatchLanguage(language, text string) (values []string, ok bool) {
	l, ok := t.layouts[language]
	if !ok || !strings.HasPrefix(text, l.static[0]) {
		return nil, false
	}
	m := matcher{layout: l, text: text, values: make([]string, len(l.tags))}
	if !m.from(0, len(l.static[0])) {
		return nil, false
	}
	return m.values, true
}

// matcher tries values from short to long and remembers what led nowhere, so that its work is bounded by tags times length
// times the longest value.
type matcher struct {
	*layout
	text   string
	values []string
	dead   map[[2]int]bool
}

// from matches the text from the octet at, where the tag with the given number begins.
func (m *matcher) from(tag, at int) bool {
	if tag == len(m.tags) {
		return at == len(m.text)
	}
	key := [2]int{tag, at}
	if m.dead[key] {
		return false
	}
	rest, static, last := m.text[at:], m.static[tag+1], tag == len(m.tags)-1
	units := 0
	for end, r := range rest {
		if end > 0 && m.fits(tag, rest[:end], rest[end:], static, last) && m.from(tag+1, at+end+len(static)) {
			m.values[tag] = rest[:end]
			return true
		}
		if units += max(1, utf16.RuneLen(r)); units > m.tags[tag].MaxLength() {
			break
		}
	}
	if units <= m.tags[tag].MaxLength() && rest != "" && m.fits(tag, rest, "", static, last) && m.from(tag+1, at+len(rest)+len(static)) {
		m.values[tag] = rest
		return true
	}
	if m.dead == nil {
		m.dead = make(map[[2]int]bool)
	}
	m.dead[key] = true
	return false
}

// fits says whether a value may stand in a tag with the static text after it.
func (m *matcher) fits(tag int, value, after, static string, last bool) bool {
	if !strings.HasPrefix(after, static) || last && len(after) != len(static) {
		return false
	}
	return m.tags[tag].check(value) == ""
}
