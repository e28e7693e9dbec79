package coding

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestBoundary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before string
		after  string
		want   bool
	}{
		{"start", "", "क", true},
		{"end", "क", "", true},
		{"letters", "क", "ख", true},
		{"vowel sign", "क", "ि", false},
		{"anusvara", "का", "ं", false},
		{"virama", "क", "्", false},
		{"conjunct", "क्", "ष", false},
		{"conjunct, letter of three", "स्त्", "र", false},
		{"conjunct with nukta after the virama", "क़्", "ष", false},
		{"explicit virama", "क्\u200c", "ष", true},
		{"half form", "क्\u200d", "ष", false},
		{"virama, then a space", "क्", " ", true},
		{"virama, then a digit", "क्", "1", true},
		{"tamil pulli", "க்", "க", true},
		{"accent", "e", "\u0301", false},
		{"variation selector", "❤", "\ufe0f", false},
		{"keycap", "1\ufe0f", "\u20e3", false},
		{"skin tone", "👍", "🏽", false},
		{"joined emoji", "👩\u200d", "👧", false},
		{"joiner, then a space", "क\u200d", " ", true},
		{"first flag", "🇮", "🇳", false},
		{"between flags", "🇮🇳", "🇧", true},
		{"second flag", "🇮🇳🇧", "🇩", false},
		{"line break", "\r", "\n", false},
		{"new lines", "\n", "\n", true},
		{"broken text", "\xe0\xa4", "\x95", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := boundary(tt.before+tt.after, len(tt.before)); got != tt.want {
				t.Errorf("boundary(%+q | %+q) = %v", tt.before, tt.after, got)
			}
		})
	}
}

// Wherever a cluster is split, it was longer than a part, or keeping it whole would have cost a further part.
func TestClustersAreSplitForAReasonOnly(t *testing.T) {
	t.Parallel()
	pieces := rapid.SampledFrom([]string{"क", "कि", "क्षि", "स्त्रीं", " ", "a", "é", "👩\u200d👧", "🇮🇳", strings.Repeat("ख", 40), strings.Repeat("ा", 40)})
	rapid.Check(t, func(t *rapid.T) {
		text := "ॐ" + strings.Join(rapid.SliceOfN(pieces, 0, 50).Draw(t, "pieces"), "")
		parts := Split(text)
		at := 0
		for i, part := range parts[:len(parts)-1] {
			start := at
			at += len(part)
			if boundary(text, at) {
				continue
			}
			whole := at
			for whole > start && !boundary(text, whole) {
				_, size := utf8.DecodeLastRuneInString(text[:whole])
				whole -= size
			}
			rest := measureUCS2(text[whole:])
			if left := len(parts) - 1 - i; whole > start && rest.partsNeeded(text[whole:], rest.units) <= left {
				t.Fatalf("part %d of %+q ends inside a cluster for nothing", i+1, parts)
			}
		}
	})
}
