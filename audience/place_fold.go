package audience

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldPlace reduces a name to what tells places apart: letters, digits and vowel signs. Case,
// spaces, hyphens, dots, brackets, Latin accents, the Devanagari nukta (ढ़ and ढ) and the choice
// between chandrabindu and anusvara (ँ and ं) are folded away, because lists differ in them freely.
func foldPlace(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			b.Reset()
			return foldPlaceRunes(s)
		}
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteByte(c)
		case c == '&':
			b.WriteString("and")
		}
	}
	return b.String()
}

func foldPlaceRunes(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '&':
			b.WriteString("and")
		case r == 'ँ':
			b.WriteRune('ं')
		case r == '़', r >= 0x300 && r <= 0x36f:
		case unicode.IsLetter(r), unicode.IsMark(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			if d := digitValue(r); d >= 0 {
				b.WriteByte(byte('0' + d))
			}
		}
	}
	return b.String()
}

// placeWords are words that people put before or after a name.
var placeWords = [...]string{"district", "dist", "distt", "zila", "zilla", "jila", "जिला", "जनपद", "state", "राज्य"}

// placeKeys returns the folded forms under which a text is to be sought, best first: as written,
// then without the word "district" around it.
func placeKeys(s string) []string {
	key := foldPlace(s)
	if key == "" {
		return nil
	}
	keys := []string{key}
	for _, word := range placeWords {
		if rest, ok := strings.CutSuffix(key, word); ok && rest != "" {
			keys = append(keys, rest)
		}
		if rest, ok := strings.CutPrefix(key, word); ok && rest != "" {
			keys = append(keys, rest)
		}
	}
	return keys
}
