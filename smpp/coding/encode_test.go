package coding_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/warthog618/sms/encoding/ucs2"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"pukar/smpp/coding"
)

const (
	hindi = "नमस्ते सुनीता, आपके राशन कार्ड से आप दिल्ली में भी राशन ले सकते हैं। जानकारी के लिए कॉल करें: 1800-891-2995। रोकने के लिए मिस्ड कॉल दें।"
	latin = "Dear Sunita, your ration card works in Delhi too. Call 1800-891-2995."
)

func TestCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		text  string
		enc   coding.Encoding
		units int
		parts int
	}{
		{"empty", "", coding.GSM7, 0, 1},
		{"plain", latin, coding.GSM7, 69, 1},
		{"full single", strings.Repeat("a", 160), coding.GSM7, 160, 1},
		{"one over", strings.Repeat("a", 161), coding.GSM7, 161, 2},
		{"two full", strings.Repeat("a", 304), coding.GSM7, 304, 2},
		{"three", strings.Repeat("a", 305), coding.GSM7, 305, 3},
		{"extension counts two", strings.Repeat("€", 80), coding.GSM7, 160, 1},
		{"extension over", strings.Repeat("€", 81), coding.GSM7, 162, 2},
		{"escape kept whole costs a part", "a" + strings.Repeat("€", 151) + "a", coding.GSM7, 304, 3},
		{"greek capitals", "ΔΦΓΛΩΠΨΣΘΞ", coding.GSM7, 10, 1},
		{"greek capital outside", "Α", coding.UCS2, 1, 1},
		{"backtick", "`", coding.UCS2, 1, 1},
		{"escape itself", "\x1b", coding.UCS2, 1, 1},
		{"rupee", "₹", coding.UCS2, 1, 1},
		{"hindi single", strings.Repeat("क", 70), coding.UCS2, 70, 1},
		{"hindi two", strings.Repeat("क", 71), coding.UCS2, 71, 2},
		{"hindi two full", strings.Repeat("क", 132), coding.UCS2, 132, 2},
		{"hindi three", strings.Repeat("क", 133), coding.UCS2, 133, 3},
		{"clusters never cost a part", strings.Repeat("क", 65) + "का" + strings.Repeat("क", 65), coding.UCS2, 132, 2},
		{"emoji", strings.Repeat("😀", 35), coding.UCS2, 70, 1},
		{"emoji over", strings.Repeat("😀", 36), coding.UCS2, 72, 2},
		{"emoji at the edge", "a" + strings.Repeat("😀", 65) + "a", coding.UCS2, 132, 3},
		{"not UTF-8", "a\xffb", coding.UCS2, 3, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc, units, parts := coding.Count(tt.text)
			if enc != tt.enc || units != tt.units || parts != tt.parts {
				t.Errorf("Count() = %s, %d, %d, want %s, %d, %d", enc, units, parts, tt.enc, tt.units, tt.parts)
			}
		})
	}
}

// The octets are written by hand from TS 23.038 section 6.2.1 and TS 23.040 section 9.2.3.24.8.
func TestEncodeGolden(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want []string
		dc   byte
		udhi bool
	}{
		{"default alphabet", "@£$ Hi_\n", []string{"000102204869110a"}, 0, false},
		{"extension", "[€]", []string{"1b3c1b651b3e"}, 0, false},
		{"devanagari", "नमः", []string{"0928092e0903"}, 8, false},
		{"surrogates", "😀", []string{"d83dde00"}, 8, false},
		{"not UTF-8", "\xff", []string{"fffd"}, 8, false},
		{"longer than a part, yet whole", strings.Repeat("a", 152) + "b", []string{
			strings.Repeat("61", 152) + "62",
		}, 0, false},
		{"two parts", strings.Repeat("a", 152) + strings.Repeat("b", 9), []string{
			"060804beef0201" + strings.Repeat("61", 152),
			"060804beef0202" + strings.Repeat("62", 9),
		}, 0, true},
		{"escape moves on", strings.Repeat("a", 151) + "€" + strings.Repeat("b", 9), []string{
			"060804beef0201" + strings.Repeat("61", 151),
			"060804beef0202" + "1b65" + strings.Repeat("62", 9),
		}, 0, true},
		{"surrogates move on", strings.Repeat("क", 65) + "😀" + strings.Repeat("क", 9), []string{
			"060804beef0201" + strings.Repeat("0915", 65),
			"060804beef0202" + "d83dde00" + strings.Repeat("0915", 9),
		}, 8, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := coding.Encode(tt.text, 0xBEEF)
			var octets []string
			for _, p := range got.Payloads {
				octets = append(octets, hex.EncodeToString(p))
			}
			if diff := cmp.Diff(tt.want, octets); diff != "" {
				t.Errorf("payloads (-want +got):\n%s", diff)
			}
			if got.DataCoding != tt.dc || got.UDHI != tt.udhi {
				t.Errorf("data coding %d, UDHI %v, want %d, %v", got.DataCoding, got.UDHI, tt.dc, tt.udhi)
			}
		})
	}
}

func TestEncodeRefusesTooManyParts(t *testing.T) {
	t.Parallel()
	if got := coding.Encode(strings.Repeat("क", 66*coding.MaxParts), 1); len(got.Payloads) != coding.MaxParts {
		t.Errorf("%d payloads, want %d", len(got.Payloads), coding.MaxParts)
	}
	if got := coding.Encode(strings.Repeat("क", 66*coding.MaxParts+1), 1); len(got.Payloads) != 0 {
		t.Errorf("%d payloads for a text over the limit, want none", len(got.Payloads))
	}
}

func TestSplitKeepsClusters(t *testing.T) {
	t.Parallel()
	fill := strings.Repeat("क", 64)
	tests := []struct {
		name    string
		cluster string
	}{
		{"vowel sign", "कि"},
		{"conjunct", "क्षि"},
		{"conjunct with nukta", "क़्ष"},
		{"conjunct with joiner", "क्‍ष"},
		{"bengali conjunct", "ক্ষ"},
		{"malayalam conjunct", "ക്ഷ"},
		{"emoji with skin tone", "👍🏽"},
		{"family", "👩‍👧"},
		{"flag", "🇮🇳"},
		{"keycap", "1️⃣"},
		{"line break", "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for pad := range 3 {
				text := fill[:len(fill)-pad*len("क")] + "क" + tt.cluster + strings.Repeat("ग", 20)
				parts := coding.Split(text)
				if len(parts) != 2 {
					t.Fatalf("%d parts, want 2", len(parts))
				}
				if !strings.Contains(parts[0], tt.cluster) && !strings.Contains(parts[1], tt.cluster) {
					t.Errorf("cluster %+q was split: %+q", tt.cluster, parts)
				}
			}
		})
	}
}

func TestSplitClusterLongerThanPart(t *testing.T) {
	t.Parallel()
	text := "क" + strings.Repeat("ा", 140)
	if parts := coding.Split(text); len(parts) != 3 || strings.Join(parts, "") != text {
		t.Errorf("parts %+q", parts)
	}
}

func TestClusterSplitWhereItWouldCostAPart(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("क", 65) + "का" + strings.Repeat("क", 65)
	parts := coding.Split(text)
	if len(parts) != 2 || utf8.RuneCountInString(parts[0]) != 66 {
		t.Errorf("parts %+q", parts)
	}
}

// anyText draws texts that sit near the limits, of the alphabets that meet in practice.
func anyText() *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"a", "Z", "9", " ", "@", "€", "[", "^", "é", "Δ", "\n", "\r\n", "क", "कि", "क्ष", "त्र्य", "স্ত্র", "க்", "😀", "👩‍👧‍👦", "🇮🇳",
		"₹", "’", "\xff", "\xe0\xa4", "ا", "\u200c", "\x1b", "\f", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ककककककककककककककककककककककककककककककक",
	})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(pieces, 0, 60).Draw(t, "pieces"), "")
	})
}

func gsmText() *rapid.Generator[string] {
	alphabet := []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€")
	return rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 700, -1)
}

func TestEncodeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkEncode(t, rapid.OneOf(anyText(), gsmText(), rapid.String()).Draw(t, "text")) })
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func checkEncode(t fataler, text string) {
	enc, units, parts := coding.Count(text)
	got := coding.Encode(text, 0x1234)
	if got.Encoding != enc {
		t.Fatalf("Encode chose %s, Count %s", got.Encoding, enc)
	}
	split := coding.Split(text)
	if len(split) != parts || strings.Join(split, "") != text {
		t.Fatalf("Split gives %d parts, Count %d", len(split), parts)
	}
	if parts > coding.MaxParts {
		if got.Payloads != nil {
			t.Fatalf("payloads for %d parts", parts)
		}
		return
	}
	if len(got.Payloads) != parts || got.UDHI != (parts > 1) {
		t.Fatalf("%d payloads, UDHI %v, Count says %d parts", len(got.Payloads), got.UDHI, parts)
	}
	perUnit, single, limit := 1, 160, 159
	if enc == coding.UCS2 {
		perUnit, single, limit = 2, 140, 139
	}
	var body []byte
	for i, p := range got.Payloads {
		piece, concat, err := coding.Decode(got.DataCoding, got.UDHI, p)
		if err != nil {
			t.Fatalf("part %d: %v", i+1, err)
		}
		want := coding.Concat{}
		if got.UDHI {
			want = coding.Concat{Reference: 0x1234, Total: byte(parts), Sequence: byte(i + 1)}
			body = append(body, p[7:]...)
		} else {
			limit = single
			body = append(body, p...)
		}
		if concat != want || len(p) > limit {
			t.Fatalf("part %d: %+v, %d octets", i+1, concat, len(p))
		}
		// Each bad octet becomes U+FFFD. A byte order mark at the beginning is taken for one.
		whole := string([]rune(split[i]))
		if piece != whole && !strings.HasPrefix(whole, "\uFEFF") && !strings.HasPrefix(whole, "\uFFFE") {
			t.Fatalf("part %d reads %+q, cut as %+q", i+1, piece, whole)
		}
	}
	if len(body) != units*perUnit {
		t.Fatalf("%d octets for %d units", len(body), units)
	}
	checkOracles(t, enc, string([]rune(text)), body)
}

// checkOracles compares the joined text of all parts with other people's encoders.
func checkOracles(t fataler, enc coding.Encoding, text string, body []byte) {
	if enc == coding.GSM7 {
		want, err := oracleEncode(text)
		if err != nil || !bytes.Equal(want, body) {
			t.Fatalf("GSM 7-bit oracle (%v):\n%x\ngot\n%x", err, want, body)
		}
		return
	}
	if want := ucs2.Encode([]rune(text)); !bytes.Equal(want, body) {
		t.Fatalf("UCS-2 oracle:\n%x\ngot\n%x", want, body)
	}
	want, err := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(text))
	if err != nil || !bytes.Equal(want, body) {
		t.Fatalf("UTF-16 oracle (%v):\n%x\ngot\n%x", err, want, body)
	}
	// The alphabet was chosen rightly: the other would not have done. The oracle takes an escape for a character.
	if _, err := oracleEncode(text); err == nil && !strings.Contains(text, "\x1b") {
		t.Fatalf("%+q fits GSM 7-bit, says the oracle", text)
	}
}

// The fewest parts that code point boundaries allow, computed apart from the encoder.
func TestPartsAreMinimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		enc, units, parts := coding.Count(text)
		widths := make([]int, 0, len(text))
		for _, r := range text {
			w := utf16.RuneLen(r)
			if enc == coding.GSM7 {
				b, _ := oracleEncode(string(r))
				w = len(b)
			}
			widths = append(widths, w)
		}
		limit, single := 152, 160
		if enc == coding.UCS2 {
			limit, single = 66, 70
		}
		want, used := 1, 0
		if units > single {
			for _, w := range widths {
				if used+w > limit {
					want, used = want+1, 0
				}
				used += w
			}
		}
		if parts != want {
			t.Fatalf("%d parts, want %d", parts, want)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, text := range []string{"", latin, hindi, "a\xff[€]", strings.Repeat("क्ष", 60), strings.Repeat("👩‍👧", 40)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkEncode(t, text) })
}

func TestCountDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { coding.Count(hindi); coding.Count(latin) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"latin", latin}, {"hindi", hindi}, {"latin_long", strings.Repeat(latin, 4)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				coding.Encode(c.text, 7)
			}
		})
	}
}

func BenchmarkCount(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"latin", latin}, {"hindi", hindi}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				coding.Count(c.text)
			}
		})
	}
}
