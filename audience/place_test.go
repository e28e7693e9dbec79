package audience

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKnownPlaces(t *testing.T) {
	t.Parallel()
	p := KnownPlaces()
	if len(p.states) != 36 || len(p.districts) != 786 {
		t.Fatalf("%d states, %d districts", len(p.states), len(p.districts))
	}
	count := map[int16]int{}
	for _, d := range p.districts {
		count[d.State]++
		if d.NameEN == "" || d.NameHI == "" {
			t.Errorf("district %d has no name", d.Code)
		}
		// Every district must be found by its own name, English and Hindi, in its state.
		for _, name := range append([]string{d.NameEN, d.NameHI}, strings.ToUpper(d.NameEN)) {
			if got, err := p.ResolveDistrict(d.State, name); err != nil || got.Code != d.Code {
				t.Errorf("%q in %d: %v, %v", name, d.State, got, err)
			}
		}
	}
	for state, want := range map[int16]int{9: 75, 10: 38, 20: 24, 21: 30, 19: 23, 8: 41, 27: 36, 7: 13} {
		if count[state] != want {
			t.Errorf("state %d has %d districts, want %d", state, count[state], want)
		}
	}
	for _, s := range p.states {
		for _, name := range []string{s.Abbreviation, strings.ToLower(s.Abbreviation), s.NameEN, s.NameHI} {
			if got, err := p.ResolveState(name); err != nil || got.Code != s.Code {
				t.Errorf("%q: %v, %v", name, got, err)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	p := KnownPlaces()
	for in, want := range map[string]Place{
		"BR": {State: 10}, "bihar": {State: 10}, "बिहार": {State: 10}, "10": {State: 10}, "U.P.": {State: 9}, "Uttaranchal": {State: 5},
		"OR": {State: 21}, "Orissa": {State: 21}, "उड़ीसा": {State: 21}, "TS": {State: 36}, "TG": {State: 36}, "CT": {State: 22},
		"Delhi": {State: 7}, "jammu & kashmir": {State: 1}, "WEST-BENGAL": {State: 19}, "tamilnadu": {State: 33}, "Bihar State": {State: 10},
		"JH/Ranchi": {20, 339}, "Jharkhand / रांची": {20, 339}, "ranchi": {20, 339}, "रांची": {20, 339}, "राँची": {20, 339}, "339": {20, 339}, "20/339": {20, 339},
		"1/10": {1, 10}, "HP/Bilaspur": {2, 15}, "CG/bilaspur": {22, 375}, "Ahmednagar": {27, 466}, "Ahilyanagar": {27, 466}, "MH/Aurangabad": {27, 469},
		"BR/Aurangabad": {10, 189}, "Chhatrapati Sambhajinagar": {27, 469}, "Osmanabad": {27, 488}, "Allahabad": {9, 120}, "prayagraj": {9, 120},
		"Faizabad": {9, 140}, "East Champaran": {10, 213}, "Purbi Champaran": {10, 213}, "पूर्वी चम्पारण": {10, 213}, "West Champaran": {10, 211},
		"Bangalore": {29, 525}, "Gurgaon": {6, 62}, "Gurugram": {6, 62}, "Patna District": {10, 212}, "Dist. Gaya": {10, 196}, "पटना जिला": {10, 212},
		"Kaimur (Bhabua)": {10, 200}, "bhabua": {10, 200}, "24 Parganas (North)": {19, 303}, "सोलन": {2, 25}, "Mehsana": {24, 451},
		"South-Twenty Four Parganas": {19, 304}, "DL/Central": {7, 77}, "346.0": {21, 346},
	} {
		got, err := p.Resolve(in)
		if err != nil || got != want {
			t.Errorf("Resolve(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestResolveNeverGuesses(t *testing.T) {
	t.Parallel()
	p := KnownPlaces()
	for in, want := range map[string][]string{
		"Bilaspur":     {"HP/Bilaspur", "CG/Bilaspur"},
		"Pratapgarh":   {"RJ/Pratapgarh", "UP/Pratapgarh"},
		"हमीरपुर":      {"HP/Hamirpur", "UP/Hamirpur"},
		"Aurangabad":   {"BR/Aurangabad", "MH/Chhatrapati Sambhajinagar"},
		"BR/Champaran": {"BR/Pashchim Champaran", "BR/Purbi Champaran"},
		"Bijapur":      {"CG/Bijapur", "KA/Vijayapura"},
		"Kanpur":       {"UP/Kanpur Dehat", "UP/Kanpur Nagar"},
		"North":        {"DL/North Delhi", "SK/Mangan"},
	} {
		got, err := p.Resolve(in)
		var ambiguous *AmbiguousPlaceError
		if !errors.As(err, &ambiguous) || !errors.Is(err, ErrAmbiguousPlace) || got != (Place{}) {
			t.Errorf("Resolve(%q) = %v, %v", in, got, err)
			continue
		}
		slices.Sort(want)
		slices.Sort(ambiguous.Options)
		if diff := cmp.Diff(want, ambiguous.Options); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestResolveSuggests(t *testing.T) {
	t.Parallel()
	p := KnownPlaces()
	for _, tt := range []struct{ in, want string }{
		{"Rachni", "Ranchi (JH)"}, {"JH/Ranchii", "Ranchi (JH)"}, {"Behar", "Bihar (BR)"}, {"Muzafarnagr", "Muzaffarnagar (UP)"},
		{"BR/Ranchi", "Ranchi (JH)"}, {"Jharkhandd/Ranchi", "Jharkhand (JH)"}, {"Samastipor", "Samastipur (BR)"}, {"समसतीपुर", "Samastipur (BR)"},
	} {
		_, err := p.Resolve(tt.in)
		var unknown *UnknownPlaceError
		if !errors.As(err, &unknown) || !errors.Is(err, ErrUnknownPlace) {
			t.Errorf("Resolve(%q): %v", tt.in, err)
			continue
		}
		if !slices.Contains(unknown.Suggestions, tt.want) || len(unknown.Suggestions) > 3 {
			t.Errorf("Resolve(%q): %v, want %s among them", tt.in, err, tt.want)
		}
	}
	for _, in := range []string{"", "/", "BR/", "Kathmandu", "0", "9999", "25", "2/339", strings.Repeat("x", 1000), "xx/Ranchi", "99999999999999"} {
		if got, err := p.Resolve(in); !errors.Is(err, ErrUnknownPlace) || got.District != 0 {
			t.Errorf("Resolve(%q) = %v, %v", in, got, err)
		}
	}
}

func FuzzResolvePlace(f *testing.F) {
	for _, s := range []string{"BR", "JH/Ranchi", "पटना", "Aurangabad", "10", "24 Parganas", "district", "/\xff"} {
		f.Add(s)
	}
	p := KnownPlaces()
	f.Fuzz(func(t *testing.T, s string) {
		got, err := p.Resolve(s)
		if err != nil {
			if !errors.Is(err, ErrUnknownPlace) && !errors.Is(err, ErrAmbiguousPlace) {
				t.Fatalf("Resolve(%q): %v", s, err)
			}
			return
		}
		if got.District != 0 {
			if d, ok := p.District(got.District); !ok || d.State != got.State {
				t.Fatalf("Resolve(%q) = %v", s, got)
			}
		}
	})
}

func BenchmarkResolveDistrict(b *testing.B) {
	p := KnownPlaces()
	for _, in := range []string{"Ranchi", "रांची"} {
		b.Run(in, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.ResolveDistrict(20, in)
			}
		})
	}
}
