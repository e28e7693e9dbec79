package coding

import (
	"unicode"
	"unicode/utf8"
)

const (
	zeroWidthNonJoiner = '\u200C'
	zeroWidthJoiner    = '\u200D'
)

// boundary says whether a reader would accept a break between text[:at] and text[at:]. It is the part of Unicode's grapheme
// clusters (UAX 29) that messages in Indian languages and emoji need, decided from the characters around the break alone:
//
//   - none before a combining mark, a vowel sign, a joiner, a variation selector, a skin tone or a tag;
//   - none after a zero width joiner, unless white space follows;
//   - none between a virama and the letter that it joins, since the two are drawn as one conjunct;
//   - none inside a flag of two regional indicators, nor between CR and LF.
func boundary(text string, at int) bool {
	if at <= 0 || at >= len(text) {
		return true
	}
	next, _ := utf8.DecodeRuneInString(text[at:])
	if extends(next) {
		return false
	}
	prev, size := utf8.DecodeLastRuneInString(text[:at])
	switch {
	case prev == '\r' && next == '\n':
		return false
	case prev == zeroWidthJoiner:
		return unicode.IsSpace(next)
	case isRegionalIndicator(prev) && isRegionalIndicator(next):
		return regionalIndicatorsBefore(text[:at])%2 == 0
	}
	if unicode.IsLetter(next) {
		// A nukta or another mark may stand after the virama; look past it.
		for i := at - size; unicode.Is(unicode.Mn, prev); i -= size {
			if isVirama(prev) {
				return false
			}
			prev, size = utf8.DecodeLastRuneInString(text[:i])
		}
	}
	return true
}

// extends says whether a character belongs to the one before it.
func extends(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.Is(unicode.M, r) || r == zeroWidthNonJoiner || r == zeroWidthJoiner ||
		r >= 0x1F3FB && r <= 0x1F3FF || // skin tones
		r >= 0xE0020 && r <= 0xE007F // tags, as in the flags of regions
}

// isVirama knows the sign that joins consonants in the scripts of India where it does so. Tamil's pulli mostly stands
// between two consonants that are drawn apart, so a break after it does no harm.
func isVirama(r rune) bool {
	switch r {
	case 0x094D, // Devanagari
		0x09CD, // Bengali and Assamese
		0x0A4D, // Gurmukhi
		0x0ACD, // Gujarati
		0x0B4D, // Oriya
		0x0C4D, // Telugu
		0x0CCD, // Kannada
		0x0D4D, // Malayalam
		0x0DCA, // Sinhala
		0xAAF6: // Meetei Mayek
		return true
	}
	return false
}

func isRegionalIndicator(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func regionalIndicatorsBefore(text string) int {
	n := 0
	for len(text) > 0 {
		r, size := utf8.DecodeLastRuneInString(text)
		if !isRegionalIndicator(r) {
			break
		}
		text = text[:len(text)-size]
		n++
	}
	return n
}
