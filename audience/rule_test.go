package audience

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sqlOf translates a rule for the first of June 2026.
func sqlOf(t *testing.T, source string) (string, []any) {
	t.Helper()
	r, err := ParseRule(source)
	if err != nil {
		t.Fatalf("ParseRule(%q): %v", source, err)
	}
	p := newParams(1)
	tr := &translator{rule: r, places: KnownPlaces(), params: p, on: time.Date(2026, 6, 1, 0, 0, 0, 0, india())}
	sql, err := tr.condition(r.checked.Expr())
	if err != nil {
		t.Fatalf("translate %q: %v", source, err)
	}
	return sql, p.args
}

func TestRuleToSQL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule string
		sql  string
		args []any
	}{
		{"epfo_member", "c.epfo_member", nil},
		{"!epfo_member", "(NOT c.epfo_member)", nil},
		{"true", "TRUE", nil},
		{"income_monthly <= 15000", "(c.income_monthly <= $1::int8)", []any{int64(15000)}},
		{"income_monthly > -5", "(c.income_monthly > $1::int8)", []any{int64(-5)}},
		{"occupation == 'construction'", "(c.occupation = $1::text)", []any{"construction"}},
		{"occupation != \"O'Brien\\\\\"", "(c.occupation <> $1::text)", []any{`O'Brien\`}},
		{"ration_card_type in ['PHH', 'AAY']", "(c.ration_card_type = ANY($1::text[]))", []any{[]string{"PHH", "AAY"}}},
		{"construction_days_12m in [90, 91]", "(c.construction_days_12m = ANY($1::int8[]))", []any{[]int64{90, 91}}},
		{"epfo_member && esic_member && nps_member", "((c.epfo_member AND c.esic_member) AND c.nps_member)", nil},
		{"epfo_member == false", "(c.epfo_member = FALSE)", nil},
		{"known(eshram_uan)", "(c.eshram_uan IS NOT NULL)", nil},
		{"has(attributes.trade)", "((c.attributes ->> $1::text) IS NOT NULL)", []any{"trade"}},
		{"attributes.trade == 'mason'", "((c.attributes ->> $1::text) = $2::text)", []any{"trade", "mason"}},
		{"attributes['Trade name'] == 'mason'", "((c.attributes ->> $1::text) = $2::text)", []any{"Trade name", "mason"}},
		{"name.startsWith('A%_')", "starts_with(c.name, $1::text)", []any{"A%_"}},
		{"name.contains('ji')", "(strpos(c.name, $1::text) > 0)", []any{"ji"}},
		{"name.endsWith('ji')", "(right(c.name, length($1::text)) = $1::text)", []any{"ji"}},
		{"home_state == 'BR'", "(c.home_state = $1::int2)", []any{int16(10)}},
		{"home_state == 'बिहार'", "(c.home_state = $1::int2)", []any{int16(10)}},
		{"home_state != current_state", "(c.home_state <> c.current_state)", nil},
		{"home_state in ['BR', '20']", "(c.home_state = ANY($1::int2[]))", []any{[]int16{10, 20}}},
		{"home_district == 'JH/Ranchi'", "(c.home_district = $1::int4)", []any{int32(339)}},
		{"birth_year + 18 <= 2026", "(((c.birth_year)::int8 + ($1::int8)::int8) <= $2::int8)", []any{int64(18), int64(2026)}},
		{"home_pincode >= '800000'", `(c.home_pincode COLLATE "C" >= $1::text COLLATE "C")`, []any{"800000"}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			sql, args := sqlOf(t, tt.rule)
			if diff := cmp.Diff(tt.sql, sql); diff != "" {
				t.Errorf("sql (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.args, args); diff != "" {
				t.Errorf("args (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRuleRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule   string
		column int
		want   string // part of the reason
	}{
		{"", 1, "is empty"},
		{"agee >= 18", 1, "did you mean age?"},
		{"true && ocupation == 'x'", 9, "did you mean occupation?"},
		{"zzzzzzzzzzzz == 'x'", 1, "known are aadhaar_seeded, age,"},
		{"age = 18", 5, "write == to compare"},
		{"age > 18 and epfo_member", 10, "write && for and"},
		{"age >= '18'", 5, "write text in quotes and numbers without"},
		{"age >= 18.5", 5, "whole"},
		{"age == null", 5, "known(field)"},
		{"age", 1, "a rule must be a condition"},
		{"name", 1, "a rule must be a condition"},
		{"age > 18 ? epfo_member : esic_member", 10, "write both cases"},
		{"income_monthly * 12 < 100000", 16, "compare with the number you mean"},
		{"name.matches('^A')", 13, "use startsWith"},
		{"name.size() > 3", 10, "known(field)"},
		{"size(name) > 3", 5, "known(field)"},
		{"upper(name) == 'A'", 6, "upper() cannot be put to the database"},
		{"gender == 'femal'", 11, "gender is never \"femal\": its values are male, female, other"},
		{"ration_card_type in ['PHH', 'BPL']", 29, "its values are PHH, AAY, other"},
		{"language == 'Hindi'", 13, "write 'hi'"},
		{"language == 'xx'", 13, "no known language"},
		{"home_state == 'Bihrr'", 15, "unknown state"},
		{"home_state == 10", 12, "a place's code is text"},
		{"home_state < 'BR'", 12, "places have no order"},
		{"home_state == name", 15, "compare it with a place in quotes"},
		{"home_state.startsWith('B')", 1, "home_state is a place"},
		{"home_district == 'Bilaspur'", 18, "can be"},
		{"home_district == home_state", 18, "is a place"},
		{"occupation in []", 15, "the list is empty"},
		{"occupation in ['a', 1]", 21, "texts in quotes only"},
		{"occupation in ['a', name]", 21, "texts in quotes only"},
		{"'a' in attributes", 5, "has(attributes.name)"},
		{"attributes == {}", 15, "not maps"},
		{"[1, 2].exists(x, x == age)", 14, "in [...]"},
		{"known(attributes)", 7, "name the attribute"},
		{"known('x')", 7, "takes a field"},
		{"attributes[name] == 'a'", 12, "written out"},
		{"age > 99999999999999", 7, "out of range"},
		{"name == 'a\\u0000b'", 9, "NUL"},
		{"epfo_member < esic_member", 1, "== and !="},
		{"age >= 18 &&", 13, "cannot be read"},
		{strings.Repeat("(", 80) + "true" + strings.Repeat(")", 80), 1, ""},
		{strings.Repeat("epfo_member || ", 600) + "true", 1, "the limit is"},
		{strings.Repeat("x", MaxRuleBytes+1), 1, "the limit is"},
	}
	for _, tt := range tests {
		t.Run(tt.rule[:min(len(tt.rule), 40)], func(t *testing.T) {
			t.Parallel()
			_, err := ParseRule(tt.rule)
			var ruleErr *RuleError
			if !errors.As(err, &ruleErr) || !errors.Is(err, ErrRule) {
				t.Fatalf("ParseRule: %v, want a RuleError", err)
			}
			if !strings.Contains(ruleErr.Reason, tt.want) {
				t.Errorf("reason %q does not say %q", ruleErr.Reason, tt.want)
			}
			if ruleErr.Column != tt.column {
				t.Errorf("column %d, want %d (%s)", ruleErr.Column, tt.column, ruleErr.Reason)
			}
		})
	}
}

func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{
		"age >= 18 && occupation == 'construction'", "home_state != current_state", "has(attributes.trade)",
		"!(epfo_member || esic_member)", "name.contains('\\'')", "birth_year - -5 in [1990]", "known(age) == true",
		"[1,2].map(x, x)", "a.b.c", "{'a': 1}", "((((", "'\\x00'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		r, err := ParseRule(source)
		if err != nil {
			if !errors.Is(err, ErrRule) {
				t.Fatalf("not a rule error: %v", err)
			}
			return
		}
		p := newParams(1)
		tr := &translator{rule: r, places: KnownPlaces(), params: p, on: time.Now()}
		sql, err := tr.condition(r.checked.Expr())
		if err != nil {
			t.Fatalf("a rule that was checked is refused: %v", err)
		}
		// Nothing of the rule may become SQL: a text marked by the fuzzer shows.
		if strings.ContainsAny(sql, `'\;`) {
			t.Fatalf("text in SQL: %s", sql)
		}
	})
}
