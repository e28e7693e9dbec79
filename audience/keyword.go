package audience

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Keyword is what an incoming text message asks of the suppression list.
type Keyword uint8

// The three things a message can ask for.
const (
	// KeywordNone is any message that is not, as a whole, a known keyword.
	KeywordNone Keyword = iota
	// KeywordStop asks never to be contacted again.
	KeywordStop
	// KeywordStart takes an earlier stop back; it is new consent.
	KeywordStart
)

// String returns "none", "stop" or "start".
func (k Keyword) String() string {
	switch k {
	case KeywordStop:
		return "stop"
	case KeywordStart:
		return "start"
	default:
		return "none"
	}
}

// maxKeywordBytes bounds the work on a message: the longest keyword is far
// shorter, so a longer text cannot be one however much punctuation it carries.
const maxKeywordBytes = 256

// MatchKeyword tells whether the whole of an incoming message is one of the
// stop or start words that KeywordTable lists, in any of its languages.
//
// Both sides are put into Unicode NFC, case-folded, freed of punctuation,
// symbols and invisible joiners, and their runs of white space collapsed; then
// they must be equal. A keyword inside a sentence ("bus stop kahan hai") never
// matches: contacting somebody once more is a smaller harm than silently
// taking a person who asked a question off every list.
// The result for text that is not valid UTF-8 is KeywordNone.
func MatchKeyword(text string) Keyword {
	if len(text) > maxKeywordBytes || !utf8.ValidString(text) {
		return KeywordNone
	}
	index := keywordIndex()
	// "OPT-OUT" is two words and "S.T.O.P" is one: punctuation is read both
	// as a space and as nothing.
	if k, ok := index[normaliseKeyword(text, true)]; ok {
		return k
	}
	return index[normaliseKeyword(text, false)]
}

// keywordIndex builds the look-up table on first use.
var keywordIndex = sync.OnceValue(func() map[string]Keyword {
	index := make(map[string]Keyword, 128)
	for _, group := range KeywordTable() {
		for _, phrase := range group.Phrases {
			index[normaliseKeyword(phrase, true)] = group.Keyword
		}
	}
	return index
})

// arabicForms maps the Arabic letters that many handsets type to the ones that
// Urdu is written with; they look alike and have different code points.
var arabicForms = strings.NewReplacer("ك", "ک", "ي", "ی", "ى", "ی", "ه", "ہ")

func normaliseKeyword(text string, punctuationIsSpace bool) string {
	text = cases.Fold().String(norm.NFC.String(text))
	text = arabicForms.Replace(text)
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = true
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), unicode.Is(unicode.Variation_Selector, r):
			// Joiners, directional marks, byte order marks, emoji selectors.
		case unicode.IsPunct(r), unicode.IsSymbol(r):
			space = space || punctuationIsSpace
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}
