package audience

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseNumber(t *testing.T) {
	t.Parallel()
	const want = int64(919812345678)
	for _, in := range []string{
		"9812345678", "919812345678", "+919812345678", "00919812345678", "0919812345678", "09812345678",
		"+91 98123 45678", "+91-98123-45678", "(0) 98123-45678", "[91] 98123.45678", "98123–45678",
		" 9812345678 ", "\t9812345678\u00a0", "\u200e+91 98123\u200b45678\u202c", "'9812345678", "9812345678.0", "919812345678.00",
		"९८१२३४५६७८", "+९१ ९८१२३ ४५६७८", "৯৮১২৩৪৫৬৭৮", "੯੮੧੨੩੪੫੬੭੮", "૯૮૧૨૩૪૫૬૭૮", "୯୮୧୨୩୪୫୬୭୮",
		"௯௮௧௨௩௪௫௬௭௮", "౯౮౧౨౩౪౫౬౭౮", "೯೮೧೨೩೪೫೬೭೮", "൯൮൧൨൩൪൫൬൭൮", "۹۸۱۲۳۴۵۶۷۸", "９８１２３４５６７８", "+91९८१२३45678",
	} {
		if got, err := ParseNumber(in); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %d, %v", in, got, err)
		}
	}
	// A mobile number may itself begin with 91.
	for in, want := range map[string]int64{"9198123456": 919198123456, "919198123456": 919198123456, "6000000001": 916000000001} {
		if got, err := ParseNumber(in); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %d, %v", in, got, err)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want error
	}{
		{"", errNumberEmpty}, {"  ", errNumberEmpty}, {"-", errNumberEmpty},
		{"9.19812E+11", errNumberSheet}, {"9.81235e9", errNumberSheet}, {"9,19812E+11", errNumberSheet}, {"9E+09", errNumberSheet},
		{"98123456781", errNumberEleventh}, {"91981234567", errNumberEleventh},
		{"9999999999", errNumberRepeated}, {"917777777777", errNumberRepeated},
		{"01123456789", errNumberLandline}, {"0612-2345678", errNumberArea}, {"(0651) 2345678", errNumberArea}, {"06152 223344", errNumberArea}, {"911123456789", errNumberLandline}, {"5812345678", errNumberLandline},
		{"1600123456", errNumberService}, {"1601123456", errNumberService}, {"1401234567", errNumberService},
		{"18008912995", errNumberService}, {"1800-891-2995", errNumberService}, {"18602662345", errNumberService}, {"911600123456", errNumberService},
		{"+9812345678", errNumberForeign}, {"+9779812345678", errNumberForeign}, {"009779812345678", errNumberForeign},
		{"9812345678 / 9876543210", errNumberSeveral}, {"9812345678,9876543210", errNumberSeveral}, {"98123456789876543210", errNumberSeveral},
		{"N/A", errNumberLetters}, {"98123x45678", errNumberLetters}, {"nil", errNumberLetters}, {strings.Repeat("9", 1000), errNumberLetters},
		{"98123\x0045678", errNumberLetters},
	} {
		got, err := ParseNumber(tt.in)
		if got != 0 || err != tt.want { //nolint:errorlint // the very reason is wanted
			t.Errorf("ParseNumber(%q) = %d, %v; want %v", tt.in, got, err, tt.want)
		}
		if !errors.Is(err, ErrNumber) {
			t.Errorf("ParseNumber(%q): %v is no ErrNumber", tt.in, err)
		}
	}
	for _, in := range []string{"981234567", "12345", "+98 12 3", "+919812345", "9198123456789"} {
		if got, err := ParseNumber(in); !errors.Is(err, ErrNumber) {
			t.Errorf("ParseNumber(%q) = %d, %v", in, got, err)
		}
	}
}

func TestParseNumberAllocates(t *testing.T) {
	for _, in := range []string{"9812345678", "919812345678", "+919812345678", "9999999999"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = ParseNumber(in) }); n != 0 {
			t.Errorf("ParseNumber(%q) allocates %v times", in, n)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"9812345678", "+91 98123-45678", "९८१२३४५६७८", "9.19812E+11", "0091 98123 45678", "1800 891 2995", "\xff9812345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseNumber(s)
		if err != nil {
			if n != 0 || !errors.Is(err, ErrNumber) || err.Error() == "" {
				t.Fatalf("ParseNumber(%q) = %d, %v", s, n, err)
			}
			return
		}
		if n < 916000000000 || n > 919999999999 {
			t.Fatalf("ParseNumber(%q) = %d is no mobile number", s, n)
		}
		// What is accepted is read the same again from its own written forms.
		d := FormatNumber(n)
		for _, again := range []string{d, "+" + d, "00" + d, "0" + d, d[2:], "0" + d[2:], d[2:7] + " " + d[7:]} {
			if m, err := ParseNumber(again); err != nil || m != n {
				t.Fatalf("ParseNumber(%q) = %d, %v; want %d as from %q", again, m, err, n, s)
			}
		}
	})
}

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{919812345678: "91******5678", 14155550100: "*********00", 1909: "****", 0: "*"} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestDigitValue(t *testing.T) {
	t.Parallel()
	for _, zero := range []rune{'0', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '٠', '۰', '０', 0x1d7ce, 0x1d7d8, 0x1a90} {
		for i := range 10 {
			if got := digitValue(zero + rune(i)); got != i {
				t.Errorf("digitValue(%U) = %d, want %d", zero+rune(i), got, i)
			}
		}
	}
	for _, r := range []rune{'a', 'अ', utf8.RuneError, '²', '½'} {
		if got := digitValue(r); got != -1 {
			t.Errorf("digitValue(%U) = %d", r, got)
		}
	}
}

func BenchmarkParseNumber(b *testing.B) {
	for _, in := range []string{"9812345678", "+919812345678", "+91 98123 45678", "९८१२३४५६७८"} {
		b.Run(strconv.Quote(in), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = ParseNumber(in)
			}
		})
	}
}
