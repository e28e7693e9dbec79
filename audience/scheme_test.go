package audience

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestShippedSchemes(t *testing.T) {
	t.Parallel()
	schemes, err := LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"bocw", "eshram", "onorc", "pmsym"}, schemes.IDs()); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	// The clauses as the schemes' rules have them: none may be lost.
	want := map[string][]string{
		"bocw":   {"age_from: age >= 18", "age_below: age < 60", "construction_days: construction_days_12m >= 90", "not other_fund: welfare_fund_member"},
		"eshram": {"age_from: age >= 16", "age_to: age <= 59", "unorganised: unorganised_worker", "not epfo: epfo_member", "not esic: esic_member", "not nps: nps_member", "not government: government_employee", "not income_tax: income_tax_payer"},
		"onorc":  {"nfsa_card: ration_card_type in ['PHH', 'AAY']", "aadhaar_seeded: aadhaar_seeded", "not state_card: ration_card_type == 'other'"},
		"pmsym":  {"age_from: age >= 18", "age_to: age <= 40", "income: income_monthly <= 15000", "unorganised: unorganised_worker", "bank_account: bank_account", "not epfo: epfo_member", "not esic: esic_member", "not nps: nps_member", "not income_tax: income_tax_payer"},
	}
	for id, scheme := range schemes {
		var got []string
		for _, c := range scheme.Clauses {
			text := c.ID + ": " + c.Rule.String()
			if c.Exclusion {
				text = "not " + text
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want[id], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		// The lint of what ships: nothing is past its validity on the day it was checked.
		if warnings := scheme.Warnings(scheme.CheckedOn); len(warnings) > 0 {
			t.Errorf("%s: %v", id, warnings)
		}
	}
}

func TestFindScheme(t *testing.T) {
	t.Parallel()
	schemes, err := LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	_, err = schemes.Find("onrc")
	if !errors.Is(err, ErrUnknownScheme) {
		t.Fatalf("error %v is not ErrUnknownScheme", err)
	}
	if want := `unknown scheme "onrc": did you mean onorc? Known are bocw, eshram, onorc, pmsym`; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestSchemeWarnings(t *testing.T) {
	t.Parallel()
	s := Scheme{
		ID: "x", ValidFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ValidTo: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		CheckedOn: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	tests := []struct {
		name string
		on   time.Time
		want []string
	}{
		{"day before in India", time.Date(2025, 12, 31, 23, 59, 0, 0, india()), []string{"begins on 2026-01-01"}},
		{"first day in India, still the day before in Greenwich", time.Date(2026, 1, 1, 0, 1, 0, 0, india()), nil},
		{"last day", time.Date(2026, 12, 31, 23, 59, 0, 0, india()), nil},
		{"day after", time.Date(2027, 1, 1, 0, 0, 0, 0, india()), []string{"ended on 2026-12-31"}},
		{"a year later", time.Date(2027, 1, 2, 0, 0, 0, 0, india()), []string{"ended on", "last checked on"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := s.Warnings(tt.on)
			if len(got) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("warning %q, want %q", got[i], tt.want[i])
				}
			}
		})
	}
}

const goodScheme = `id: test_scheme
version: 1
level: state
states: [BR, Jharkhand]
name: {en: Test, hi: परीक्षा}
benefit: {en: A benefit, hi: लाभ}
valid_from: 2026-01-01
valid_to: 2026-12-31
helpline: "14434"
criteria:
  - {id: adult, rule: age >= 18, en: is adult, hi: वयस्क है}
documents: [{en: Aadhaar, hi: आधार}]
sources: [the act]
checked_on: 2026-11-01
`

func TestParseScheme(t *testing.T) {
	t.Parallel()
	s, err := ParseScheme([]byte(goodScheme))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.States) != 2 || s.States[0].Abbreviation != "BR" || s.States[1].Abbreviation != "JH" {
		t.Errorf("states %v", s.States)
	}
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"unknown key", "helpline:", "helplin:", []string{`line 9: unknown key "helplin": did you mean helpline?`}},
		{"unknown key in a clause", "en: is adult", "eng: is adult", []string{`line 11: unknown key "eng": did you mean en?`}},
		{"key twice", "version: 1", "version: 1\nversion: 2", []string{"line 3: version is said twice"}},
		{"rule with a typo", "age >= 18", "agee >= 18", []string{"line 11: ", "did you mean age?"}},
		{"rule missing", "rule: age >= 18, ", "", []string{"line 11: ", "needs a rule"}},
		{"state unknown", "Jharkhand]", "Jharkand state of]", []string{"line 4: unknown state"}},
		{"dates reversed", "valid_to: 2026", "valid_to: 2020", []string{"line 8: valid_to lies before valid_from"}},
		{"date wrong", "checked_on: 2026-11-01", "checked_on: 1 Nov", []string{"line 14: ", "write a day as 2026-11-30"}},
		{"no version", "version: 1", "version: 0", []string{"line 2: version must be 1 or more"}},
		{"level", "level: state", "level: city", []string{`line 3: level "city"`}},
		{"hindi missing", "name: {en: Test, hi: परीक्षा}", "name: {en: Test}", []string{"line 5: name needs en and hi"}},
		{"two problems at once", "level: state\nstates: [BR, Jharkhand]", "level: x\nstates: []", []string{"line 3: level", "line 4: states"}},
		{"not yaml", "id: test_scheme", "id: [", []string{"yaml"}},
		{"not a mapping", goodScheme, "- a\n- b\n", []string{"begins", "id"}[1:]},
		{"empty", goodScheme, "", []string{"beginning with id"}},
		{"type", "version: 1", "version: one", []string{"line 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseScheme([]byte(strings.Replace(goodScheme, tt.old, tt.new, 1)))
			if !errors.Is(err, ErrScheme) {
				t.Fatalf("error %v is not ErrScheme", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestLoadSchemesOverlay(t *testing.T) {
	t.Parallel()
	own := fstest.MapFS{"test_scheme.yaml": {Data: []byte(goodScheme)}, "README.md": {Data: []byte("x")}}
	schemes, err := LoadSchemes(own)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schemes.Find("test_scheme"); err != nil {
		t.Error(err)
	}
	if _, err := schemes.Find("onorc"); err != nil {
		t.Error(err)
	}
	shipped, err := LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := shipped["test_scheme"]; ok {
		t.Error("an added scheme leaked into the shipped ones")
	}
	_, err = LoadSchemes(fstest.MapFS{"other.yaml": {Data: []byte(goodScheme)}})
	if !errors.Is(err, ErrScheme) || !strings.Contains(err.Error(), "name the file test_scheme.yaml") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseScheme(f *testing.F) {
	f.Add([]byte(goodScheme))
	f.Add([]byte("id: x\ncriteria: [1, 2]\n"))
	f.Add([]byte("criteria: {a: b}\nstates: {}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if _, err := ParseScheme(source); err != nil && !errors.Is(err, ErrScheme) {
			t.Fatalf("error %v is not ErrScheme", err)
		}
	})
}
