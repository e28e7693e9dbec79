package audience

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestMatchKeyword(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want Keyword
	}{
		{"plain", "STOP", KeywordStop},
		{"case", "sToP", KeywordStop},
		{"space around", " \t stop \r\n", KeywordStop},
		{"punctuation", "Stop!!!", KeywordStop},
		{"quoted", "“STOP”.", KeywordStop},
		{"dotted", "S.T.O.P.", KeywordStop},
		{"emoji", "stop 🙏🏽", KeywordStop},
		{"hyphen", "opt-out", KeywordStop},
		{"runs of space", "opt \u00a0  out", KeywordStop},
		{"byte order mark", "\ufeffSTOP", KeywordStop},
		{"hindi", "बंद", KeywordStop},
		{"hindi with danda", "बंद करो।", KeywordStop},
		{"hindi decomposed nukta form", norm.NFD.String("नहीं चाहिए"), KeywordStop},
		{"hindi written nasal", "बन्द करें", KeywordStop},
		{"zero width joiner", "ब\u200dंद", KeywordStop},
		{"zero width non joiner", "बंद\u200c", KeywordStop},
		{"hindi in latin letters", "Mat Bhejo", KeywordStop},
		{"bengali", "বন্ধ করুন", KeywordStop},
		{"bengali decomposed", norm.NFD.String("বন্ধ করো"), KeywordStop},
		{"odia", "ବନ୍ଦ କରନ୍ତୁ", KeywordStop},
		{"marathi", "थांबवा", KeywordStop},
		{"gujarati", "બંધ કરો", KeywordStop},
		{"punjabi", "ਬੰਦ ਕਰੋ", KeywordStop},
		{"tamil", "நிறுத்து", KeywordStop},
		{"tamil decomposed", norm.NFD.String("வேண்டாம்"), KeywordStop},
		{"telugu", "ఆపండి", KeywordStop},
		{"kannada", "ನಿಲ್ಲಿಸಿ", KeywordStop},
		{"malayalam chillu", "നിർത്തുക", KeywordStop},
		{"malayalam chillu by joiner", "നിര്‍ത്തുക", KeywordStop},
		{"urdu", "بند کریں", KeywordStop},
		{"urdu typed with arabic letters", "بند كريں", KeywordStop},
		{"assamese", "বন্ধ কৰক", KeywordStop},
		{"bhojpuri", "मत भेजीं", KeywordStop},
		{"start", "start.", KeywordStart},
		{"start in hindi", "शुरू", KeywordStart},
		{"start in latin letters", "Shuru", KeywordStart},

		{"inside a sentence", "bus stop", KeywordNone},
		{"at the start of a sentence", "stop kahan hai", KeywordNone},
		{"hindi sentence", "दुकान बंद है", KeywordNone},
		{"longer word", "stopped", KeywordNone},
		{"joined by punctuation", "bus.stop", KeywordNone},
		{"not start", "don't stop", KeywordNone},
		{"question", "YES", KeywordNone},
		{"empty", "", KeywordNone},
		{"only punctuation", "...!?", KeywordNone},
		{"invalid utf-8", "stop\xff", KeywordNone},
		{"too long", "stop" + strings.Repeat(".", 300), KeywordNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := MatchKeyword(tt.text); got != tt.want {
				t.Errorf("MatchKeyword(%q) = %v, want %v", tt.text, got, tt.want)
			}
		})
	}
}

func TestKeywordTableMatchesItself(t *testing.T) {
	t.Parallel()
	seen := map[string]Keyword{}
	for _, group := range KeywordTable() {
		for _, phrase := range group.Phrases {
			if got := MatchKeyword(phrase); got != group.Keyword {
				t.Errorf("%s: MatchKeyword(%q) = %v, want %v", group.Language, phrase, got, group.Keyword)
			}
			if got := MatchKeyword("  " + strings.ToLower(phrase) + " !"); got != group.Keyword {
				t.Errorf("%s: with noise MatchKeyword(%q) = %v, want %v", group.Language, phrase, got, group.Keyword)
			}
			if other := MatchKeyword("please " + phrase + " here"); other != KeywordNone {
				t.Errorf("%s: %q inside a sentence = %v, want none", group.Language, phrase, other)
			}
			key := normaliseKeyword(phrase, true)
			if before, ok := seen[key]; ok && before != group.Keyword {
				t.Errorf("%s: %q means both %v and %v", group.Language, phrase, before, group.Keyword)
			}
			seen[key] = group.Keyword
		}
	}
}

func FuzzMatchKeyword(f *testing.F) {
	for _, seed := range []string{"STOP", "बंद करो।", "bus stop", "നിര്‍ത്തുക", "S.T.O.P", "\xff\xfe", "opt-out", "بند"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k := MatchKeyword(text)
		if k == KeywordNone || !utf8.ValidString(text) {
			return
		}
		// What is recognised survives surrounding noise, and never matches as
		// part of something longer.
		if len(text)+8 < maxKeywordBytes && MatchKeyword(" "+text+" !") != k {
			t.Errorf("%q is %v, but not with noise around it", text, k)
		}
		if MatchKeyword("qqq "+text+" qqq") != KeywordNone {
			t.Errorf("%q matches inside a sentence", text)
		}
	})
}
