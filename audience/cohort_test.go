package audience

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func loadSchemes(t testing.TB) Schemes {
	t.Helper()
	schemes, err := LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	return schemes
}

func may2026(day int) time.Time { return time.Date(2026, 5, day, 12, 0, 0, 0, india()) }

func TestCountCohort(t *testing.T) {
	t.Parallel()
	db := register(t,
		"home_state=10, home_district=188, language='hi', age=30, age_on='2026-05-01', occupation='construction'",
		"home_state=10, home_district=188, language='bho', age=17, age_on='2026-05-01', occupation='construction'",
		"home_state=20, home_district=339, language='hi', occupation='construction'",
		"home_state=20, home_district=340, language='hi', birth_year=2008",
		"home_state=9, language='hi', birth_year=1990, ration_card_type='PHH', aadhaar_seeded=true",
		"home_state=9, birth_year=1990, ration_card_type='PHH'",
		"home_state=9, birth_year=1990, ration_card_type='other', aadhaar_seeded=true",
		"birth_year=1990, ration_card_type='AAY', aadhaar_seeded=false",
	)
	tests := []struct {
		name   string
		cohort Cohort
		want   Count
	}{
		{"everybody", Cohort{All: true}, Count{8, 8, 0, 0}},
		{"a state", Cohort{Home: []string{"BR"}}, Count{2, 2, 0, 0}},
		{"a state by name and a district", Cohort{Home: []string{"बिहार", "JH/Ranchi"}}, Count{3, 3, 0, 0}},
		{"a district of a whole state again", Cohort{Home: []string{"JH", "JH/Ranchi"}}, Count{2, 2, 0, 0}},
		{"languages", Cohort{Language: []string{"Hindi", "bho"}}, Count{5, 5, 0, 0}},
		{"home and language", Cohort{Home: []string{"10"}, Language: []string{"bho"}}, Count{1, 1, 0, 0}},
		{"rule", Cohort{Where: "age >= 18 && occupation == 'construction'"}, Count{1, 1, 1, 6}},
		{"rule, unknown", Cohort{Where: "age >= 18 && occupation == 'construction'", Eligibility: "unknown"}, Count{6, 1, 1, 6}},
		{"rule, both", Cohort{Where: "age >= 18 && occupation == 'construction'", Eligibility: "both"}, Count{7, 1, 1, 6}},
		{"birth year at the edge", Cohort{Home: []string{"JH/Palamu", "JH/Pakur", "JH"}, Where: "age >= 18"}, Count{0, 0, 0, 2}},
		{"scheme", Cohort{Scheme: "onorc"}, Count{1, 1, 2, 5}},
		{"scheme in a state", Cohort{Scheme: "onorc", Home: []string{"UP"}}, Count{1, 1, 1, 1}},
		{"scheme and rule", Cohort{Scheme: "onorc", Where: "age < 30"}, Count{0, 0, 5, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := CountCohort(context.Background(), db, tt.cohort, KnownPlaces(), loadSchemes(t), may2026(1))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// Those whom the count says are targeted are those whom Eligible picks.
			p, err := Compile(tt.cohort, KnownPlaces(), loadSchemes(t), may2026(1), 3)
			if err != nil {
				t.Fatal(err)
			}
			var n int64
			args := append([]any{"unused", int64(0)}, p.Args...)
			sql := "SELECT count(*) FROM contact c WHERE $1::text <> '' AND $2::int8 = 0 AND " + p.Eligible()
			if err := db.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if n != got.Count {
				t.Errorf("Eligible picks %d, the count says %d", n, got.Count)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		cohort Cohort
		is     error
		want   []string
	}{
		{"nothing", Cohort{}, ErrInvalidCohort, []string{"it picks nobody", "everyone is all: true"}},
		{"blank rule", Cohort{Where: " "}, ErrInvalidCohort, []string{"it picks nobody"}},
		{"all and more", Cohort{All: true, Scheme: "onorc"}, ErrInvalidCohort, []string{"contradicts"}},
		{"eligibility", Cohort{All: true, Eligibility: "maybe"}, ErrInvalidCohort, []string{"write eligible, unknown or both"}},
		{"scheme", Cohort{Scheme: "onrc"}, ErrUnknownScheme, []string{"did you mean onorc?"}},
		{"home", Cohort{Home: []string{"Bihr"}}, ErrUnknownPlace, []string{"home: unknown", "Bihar"}},
		{"ambiguous home", Cohort{Home: []string{"Bilaspur"}}, ErrAmbiguousPlace, []string{"HP/Bilaspur", "CG/Bilaspur"}},
		{"language", Cohort{Language: []string{"klingon"}}, ErrInvalidCohort, []string{`unknown language "klingon"`}},
		{"rule", Cohort{Where: "agee > 3"}, ErrRule, []string{"where:", "did you mean age?"}},
		{"all at once", Cohort{Scheme: "x", Home: []string{"zz"}, Where: "1"}, ErrInvalidCohort, []string{"unknown scheme", "unknown", "where:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(tt.cohort, KnownPlaces(), loadSchemes(t), may2026(1), 1)
			if !errors.Is(err, ErrInvalidCohort) || !errors.Is(err, tt.is) {
				t.Fatalf("error %v is not %v", err, tt.is)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestExplainCohort(t *testing.T) {
	t.Parallel()
	db := register(t,
		"name='Asha', language='hi', home_state=20, home_district=339, birth_year=1966, construction_days_12m=120, welfare_fund_member=false",
		"msisdn=919800000001, name='Ravi', home_state=10, age=61, age_on='2026-05-01', attributes='{\"trade\": \"mason\"}'",
	)
	cohort := Cohort{Scheme: "bocw", Home: []string{"JH"}, Where: "attributes.trade == 'mason' && !welfare_fund_member"}
	got, err := ExplainCohort(context.Background(), db, cohort, KnownPlaces(), loadSchemes(t), may2026(1), 919800000001)
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ Source, ID, Answer, Why string }
	lines := func(e Explanation) []line {
		var out []line
		for _, c := range e.Clauses {
			out = append(out, line{c.Source, c.ID, c.Answer, c.Why})
		}
		return out
	}
	if len(got) != 2 {
		t.Fatalf("%d contacts, want 2", len(got))
	}
	want := Person{Contact: 1, MSISDN: 919800000001, Masked: "91******0001", Name: "Asha", Language: "hi", HomeState: "JH", HomeDistrict: "Ranchi", Eligibility: "unknown", Why: "age 59 or 60, attributes.trade unknown"}
	if diff := cmp.Diff(want, got[0].Person); diff != "" {
		t.Errorf("person (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]line{
		{"home", "home", "true", "home_state JH, home_district Ranchi"},
		{"criterion", "age_from", "true", "age 59 or 60"},
		{"criterion", "age_below", "unknown", "age 59 or 60"},
		{"criterion", "construction_days", "true", "construction_days_12m 120"},
		{"exclusion", "other_fund", "true", "welfare_fund_member no"},
		{"where", "where_1", "unknown", "attributes.trade unknown"},
		{"where", "where_2", "true", "welfare_fund_member no"},
	}, lines(got[0])); diff != "" {
		t.Errorf("clauses (-want +got):\n%s", diff)
	}
	if got[0].Targeted || got[1].Targeted {
		t.Error("somebody is targeted")
	}
	if got[1].Eligibility != "not_eligible" || got[1].Why != "age 61" {
		t.Errorf("Ravi is %s because of %q", got[1].Eligibility, got[1].Why)
	}
	if words := got[1].Clauses[4].Words.EN; words != "not: member of another welfare fund" {
		t.Errorf("words %q", words)
	}
	none, err := ExplainCohort(context.Background(), db, cohort, KnownPlaces(), loadSchemes(t), may2026(1), 919899999999)
	if err != nil || len(none) != 0 {
		t.Errorf("nobody has the number: %v, %v", none, err)
	}
}

func TestPreviewCohort(t *testing.T) {
	t.Parallel()
	db := register(t, "age=30, age_on='2026-05-01'", "age=17, age_on='2026-05-01'", "age=40, age_on='2026-05-01'", "name='Unknown'")
	preview := func(cohort Cohort, limit int) []Person {
		people, err := PreviewCohort(context.Background(), db, cohort, KnownPlaces(), nil, may2026(1), limit)
		if err != nil {
			t.Fatal(err)
		}
		return people
	}
	people := preview(Cohort{Where: "age >= 18"}, 1)
	if len(people) != 1 || people[0].Why != "age 30" || people[0].Masked != "91******0001" {
		t.Errorf("preview %+v", people)
	}
	if people := preview(Cohort{Where: "age >= 18"}, 0); len(people) != 2 {
		t.Errorf("%d people, want 2", len(people))
	}
	if people := preview(Cohort{Where: "age >= 18", Eligibility: "unknown"}, 0); len(people) != 1 || people[0].Name != "Unknown" || people[0].Why != "age unknown" {
		t.Errorf("unknown %+v", people)
	}
	if people := preview(Cohort{All: true}, 0); len(people) != 4 {
		t.Errorf("%d people, want 4", len(people))
	}
}

func TestUnderAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		person string
		day    int
		want   string // "t", "f" or "" for unknown
	}{
		{"age=17, age_on='2026-05-01'", 1, "t"},
		{"age=18, age_on='2026-05-01'", 1, "f"},
		{"age=17, age_on='2025-05-02'", 1, "t"},
		{"age=17, age_on='2025-05-01'", 1, "f"},
		{"age=17, age_on='2024-05-01'", 1, "f"},
		{"birth_year=2009", 1, "t"},
		{"birth_year=2008", 1, "f"}, // 17 or 18: not known to be under 18
		{"birth_year=1970", 1, "f"},
		{"birth_year=2015, age=20, age_on='2026-05-01'", 1, "f"}, // what was stated wins
		{"name='x'", 1, ""},
	}
	people := make([]string, len(tests))
	for i, tt := range tests {
		people[i] = tt.person
	}
	db := register(t, people...)
	for i, tt := range tests {
		var got *bool
		sql := "SELECT " + UnderAgeSQL("$1::date") + " FROM contact c WHERE c.id = $2"
		if err := db.QueryRow(context.Background(), sql, indianDate(may2026(tt.day)), i+1).Scan(&got); err != nil {
			t.Fatal(err)
		}
		text := ""
		if got != nil {
			text = map[bool]string{true: "t", false: "f"}[*got]
		}
		if text != tt.want {
			t.Errorf("%s: under age %q, want %q", tt.person, text, tt.want)
		}
	}
}

func TestFieldText(t *testing.T) {
	t.Parallel()
	db := register(t, "name='Asha', home_state=20, home_district=339, attributes='{\"Trade name\": \"mason\"}', income_monthly=9000", "name=''")
	tests := []struct {
		field, language, want string
	}{
		{"name", "en", "Asha"},
		{"home_district", "en", "Ranchi"},
		{"home_district", "bho", "रांची"},
		{"home_district", "ta", "Ranchi"},
		{"home_state", "hi", "झारखंड"},
		{"income_monthly", "hi", "9000"},
		{"attributes.Trade name", "hi", "mason"},
	}
	for _, tt := range tests {
		sql, ok := FieldText(tt.field, "$1::text")
		if !ok {
			t.Errorf("FieldText(%q) is not known", tt.field)
			continue
		}
		var got *string
		if err := db.QueryRow(context.Background(), "SELECT "+sql+" FROM contact c "+FieldJoins+" WHERE c.id = 1 AND $1::text <> ''", tt.language).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == nil || *got != tt.want {
			t.Errorf("%s in %s: %v, want %q", tt.field, tt.language, got, tt.want)
		}
	}
	for _, field := range append(TextFields(), "attributes.x") {
		sql, ok := FieldText(field, "'hi'")
		if !ok {
			t.Errorf("FieldText(%q) is not known", field)
		}
		var got *string
		if err := db.QueryRow(context.Background(), "SELECT "+sql+" FROM contact c "+FieldJoins+" WHERE c.id = 2").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != nil {
			t.Errorf("%s of somebody unknown is %q", field, *got)
		}
	}
	for _, field := range []string{"msisdn", "agee", "attributes.", "attributes.x'y", "c.name"} {
		if _, ok := FieldText(field, "'hi'"); ok {
			t.Errorf("FieldText(%q) is known", field)
		}
	}
}

func TestCountClauses(t *testing.T) {
	t.Parallel()
	db := register(t,
		"home_state=10, ration_card_type='PHH', aadhaar_seeded=true",
		"home_state=10, ration_card_type='other', aadhaar_seeded=false",
		"home_state=10, aadhaar_seeded=false",
		"home_state=9, aadhaar_seeded=false",
		"ration_card_type='PHH'",
	)
	got, err := CountClauses(context.Background(), db, Cohort{Scheme: "onorc", Home: []string{"BR"}, Where: "known(name)"}, nil, loadSchemes(t), may2026(1))
	if err != nil {
		t.Fatal(err)
	}
	want := []ClauseCount{
		{Source: "criterion", ID: "nfsa_card", Against: 1, Unknown: 1},
		{Source: "criterion", ID: "aadhaar_seeded", Against: 2},
		{Source: "exclusion", ID: "state_card", Against: 1, Unknown: 1},
		{Source: "where", ID: "where_1", Against: 3},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ClauseCount{}, "Rule", "Words")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := CountClauses(context.Background(), db, Cohort{All: true}, nil, nil, may2026(1)); err != nil || got != nil {
		t.Errorf("without conditions: %v, %v", got, err)
	}
}
