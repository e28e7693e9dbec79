package audience

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"pukar/internal/testenv"
)

// propertyDay is the day on which the property tests ask ages.
var propertyDay = time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)

// person is a contact as a row of JSON; an absent key is NULL.
type person map[string]any

var (
	sampleTexts     = []string{"", "a", "A", "ab", "b", "construction", "O'Brien", `\`, "%", "_", "$1", "हिंदी", "हिन्दी", "é", "🙏", "--"}
	sampleStates    = []string{"BR", "JH", "UP"}
	sampleDistricts = []string{"BR/Patna", "JH/Ranchi", "JH/Palamu", "UP/Agra"}
)

// drawPerson makes a contact of whom any part may be unknown.
func drawPerson(t *rapid.T) person {
	p := person{"attributes": map[string]string{}}
	maybe := func() bool { return rapid.IntRange(0, 3).Draw(t, "known") > 0 }
	for _, name := range RuleFields() {
		f := contactFields()[name]
		if !maybe() {
			continue
		}
		switch f.kind {
		case kindString:
			p[name] = rapid.SampledFrom(sampleTexts).Draw(t, name)
		case kindEnum:
			p[name] = rapid.SampledFrom(f.values).Draw(t, name)
		case kindBool:
			p[name] = rapid.Bool().Draw(t, name)
		case kindInt:
			p[name] = rapid.IntRange(-1, 3).Draw(t, name)
		case kindState:
			p[name] = rapid.SampledFrom(sampleStates).Draw(t, name)
		case kindDistrict:
			p[name] = rapid.SampledFrom(sampleDistricts).Draw(t, name)
		}
	}
	delete(p, "birth_year")
	switch rapid.IntRange(0, 3).Draw(t, "age") {
	case 0:
		p["age"] = rapid.IntRange(0, 4).Draw(t, "stated age")
		p["age_on"] = propertyDay.AddDate(0, 0, -rapid.IntRange(-400, 1500).Draw(t, "days since")).Format(time.DateOnly)
	case 1:
		p["birth_year"] = propertyDay.Year() - rapid.IntRange(0, 4).Draw(t, "years since birth")
	}
	if maybe() {
		p["attributes"] = map[string]string{"trade": rapid.SampledFrom(sampleTexts).Draw(t, "trade")}
	}
	return p
}

// ages returns the youngest and the oldest that a person can be, worked out
// apart from the SQL; ok is false when nothing is known.
func (p person) ages() (youngest, oldest int, ok bool) {
	if stated, known := p["age"]; known {
		on, err := time.Parse(time.DateOnly, p["age_on"].(string))
		if err != nil {
			panic(err)
		}
		days := int(propertyDay.Sub(on).Hours()) / 24
		n := stated.(int) + (4*days+3)/1461
		return n, n, true
	}
	if year, known := p["birth_year"]; known {
		n := propertyDay.Year() - year.(int)
		return n - 1, n, true
	}
	return 0, 0, false
}

// row is the person as the table has it: places by code.
func (p person) row(id int) person {
	row := maps.Clone(p)
	row["id"] = id
	for name, value := range p {
		switch contactFields()[name].kind {
		case kindState, kindDistrict:
			place, err := KnownPlaces().Resolve(value.(string))
			if err != nil {
				panic(err)
			}
			row[name] = place.State
			if place.District != 0 {
				row[name] = place.District
			}
		}
	}
	return row
}

func celEnv(t testing.TB) *cel.Env {
	t.Helper()
	env, err := ruleEnv()
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// celAnswer asks cel-go itself, with what is unknown left out and one age.
func celAnswer(t testing.TB, program cel.Program, p person, age *int) *bool {
	t.Helper()
	vars := map[string]any{}
	var unknown []*cel.AttributePatternType
	for name, f := range contactFields() {
		value, ok := p[name]
		switch {
		case f.kind == kindMap:
			vars[name] = value
			if len(value.(map[string]string)) == 0 {
				unknown = append(unknown, cel.AttributePattern(name).QualString("trade"))
			}
		case f.kind == kindAge && age != nil:
			vars[name] = *age
		case f.kind == kindAge || !ok:
			unknown = append(unknown, cel.AttributePattern(name))
		default:
			vars[name] = value
		}
	}
	activation, err := cel.PartialVars(vars, unknown...)
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := program.Eval(activation)
	if err != nil {
		t.Fatalf("cel-go: %v", err)
	}
	if types.IsUnknown(answer) {
		return nil
	}
	b := bool(answer.(types.Bool))
	return &b
}

// sqlAnswers asks PostgreSQL about people that are in no table.
func sqlAnswers(t testing.TB, db *pgxpool.Pool, source string, people []person) []*bool {
	t.Helper()
	rule, err := ParseRule(source)
	if err != nil {
		t.Fatalf("ParseRule(%s): %v", source, err)
	}
	p := newParams(2)
	tr := &translator{rule: rule, places: KnownPlaces(), params: p, on: propertyDay}
	sql, err := tr.condition(rule.checked.Expr())
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]person, len(people))
	for i := range people {
		rows[i] = people[i].row(i)
	}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	sql = "SELECT " + sql + " FROM jsonb_populate_recordset(NULL::contact, $1::jsonb) AS c ORDER BY c.id"
	found, err := db.Query(context.Background(), sql, append([]any{string(text)}, p.args...)...)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := pgx.CollectRows(found, pgx.RowTo[*bool])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answers
}

// drawRule writes a random rule; every construct that translates can appear.
func drawRule(t *rapid.T, depth int) string {
	text := func() string { return strconv.Quote(rapid.SampledFrom(sampleTexts).Draw(t, "text")) }
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
	field := func(kinds ...fieldKind) string {
		var names []string
		for _, name := range RuleFields() {
			if slices.Contains(kinds, contactFields()[name].kind) && name != "language" {
				names = append(names, name)
			}
		}
		return pick("field", names...)
	}
	numberTerm := func() string {
		switch rapid.IntRange(0, 3).Draw(t, "number") {
		case 0:
			return strconv.Itoa(rapid.IntRange(-3, 5).Draw(t, "literal"))
		case 1:
			return fmt.Sprintf("(%s %s %d)", field(kindInt, kindAge), pick("sign", "+", "-"), rapid.IntRange(-3, 5).Draw(t, "literal"))
		case 2:
			return "-" + field(kindInt, kindAge)
		}
		return field(kindInt, kindAge)
	}
	textTerm := func() string {
		return pick("text term", text(), field(kindString), "attributes.trade", "attributes['trade']")
	}
	comparison := func() string { return pick("operator", "==", "!=", "<", "<=", ">", ">=") }
	equality := func() string { return pick("operator", "==", "!=") }
	quoted := func(s []string) string { return strconv.Quote(rapid.SampledFrom(s).Draw(t, "value")) }

	limit := 14
	if depth <= 0 {
		limit = 9
	}
	switch rapid.IntRange(0, limit).Draw(t, "construct") {
	case 0:
		return field(kindBool)
	case 1:
		return numberTerm() + " " + comparison() + " " + numberTerm()
	case 2:
		return fmt.Sprintf("%s in [%d, %d]", numberTerm(), rapid.IntRange(-1, 4).Draw(t, "a"), rapid.IntRange(-1, 4).Draw(t, "b"))
	case 3:
		return textTerm() + " " + comparison() + " " + textTerm()
	case 4:
		return fmt.Sprintf("%s in [%s, %s]", textTerm(), text(), text())
	case 5:
		return fmt.Sprintf("%s.%s(%s)", textTerm(), pick("function", "startsWith", "endsWith", "contains"), textTerm())
	case 6:
		if rapid.Bool().Draw(t, "state") {
			return pick("place", "home_state", "current_state") + " " + equality() + " " + pick("other", "home_state", "current_state", quoted(sampleStates))
		}
		return fmt.Sprintf("%s in [%s, %s]", field(kindDistrict), quoted(sampleDistricts), quoted(sampleDistricts))
	case 7:
		return "known(" + pick("field", append(slices.DeleteFunc(RuleFields(), func(s string) bool { return s == attributesField }), "attributes.trade")...) + ")"
	case 8:
		name := field(kindEnum)
		return name + " " + equality() + " " + quoted(contactFields()[name].values)
	case 9:
		return pick("constant", "true", "false")
	case 10:
		return "!(" + drawRule(t, depth-1) + ")"
	case 11, 12:
		return "(" + drawRule(t, depth-1) + " && " + drawRule(t, depth-1) + ")"
	case 13:
		return "(" + drawRule(t, depth-1) + " || " + drawRule(t, depth-1) + ")"
	default:
		return "((" + drawRule(t, depth-1) + ") " + equality() + " (" + drawRule(t, depth-1) + "))"
	}
}

func show(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return strconv.FormatBool(*b)
}

// TestRuleMeansTheSameInCELAndSQL holds PostgreSQL's answer to cel-go's for
// random rules about random people. Of somebody whose age is known only within
// a year, PostgreSQL may say TRUE or FALSE only where cel-go says so for both
// ages.
func TestRuleMeansTheSameInCELAndSQL(t *testing.T) {
	t.Parallel()
	db, env := testenv.DB(t), celEnv(t)
	decided, undecided := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		source := drawRule(rt, 4)
		parsed, issues := env.Compile(source)
		if issues.Err() != nil {
			rt.Fatalf("%s: %v", source, issues.Err())
		}
		program, err := env.Program(parsed, cel.EvalOptions(cel.OptPartialEval))
		if err != nil {
			rt.Fatal(err)
		}
		people := rapid.SliceOfN(rapid.Custom(drawPerson), 6, 6).Draw(rt, "people")
		for i, got := range sqlAnswers(t, db, source, people) {
			youngest, oldest, known := people[i].ages()
			var atYoungest, atOldest *bool
			if known {
				atYoungest, atOldest = celAnswer(t, program, people[i], &youngest), celAnswer(t, program, people[i], &oldest)
			} else {
				atYoungest = celAnswer(t, program, people[i], nil)
				atOldest = atYoungest
			}
			exact := youngest == oldest || !strings.Contains(source, "age")
			switch {
			case exact && show(got) != show(atYoungest):
				rt.Fatalf("%s\nabout %v: PostgreSQL says %s, cel-go %s", source, people[i], show(got), show(atYoungest))
			case !exact && got != nil && (show(got) != show(atYoungest) || show(got) != show(atOldest)):
				rt.Fatalf("%s\nabout %v: PostgreSQL says %s, cel-go %s at %d and %s at %d", source, people[i], show(got), show(atYoungest), youngest, show(atOldest), oldest)
			}
			if got == nil {
				undecided++
			} else {
				decided++
			}
		}
	})
	t.Logf("%d answers decided, %d unknown", decided, undecided)
}

// TestAgeComparedWithinBounds wants of one comparison exactly this: the answer
// of both ages where they agree, unknown where they do not.
func TestAgeComparedWithinBounds(t *testing.T) {
	t.Parallel()
	db, env := testenv.DB(t), celEnv(t)
	var people []person
	for years := range 5 {
		people = append(people, person{"birth_year": propertyDay.Year() - years, "attributes": map[string]string{}})
		for _, days := range []int{0, 364, 365, 366, 730, 731, 1460, 1461} {
			people = append(people, person{"age": years, "age_on": propertyDay.AddDate(0, 0, -days).Format(time.DateOnly), "attributes": map[string]string{}})
		}
	}
	people = append(people, person{"attributes": map[string]string{}})
	for _, operator := range []string{"==", "!=", "<", "<=", ">", ">="} {
		for bound := range 7 {
			for _, form := range []string{"age %s %d", "-age %s -%d", "age + 2 %s %d + 2", "5 - age %s 5 - %d", "%[2]d %[1]s age"} {
				source := fmt.Sprintf(form, operator, bound)
				parsed, issues := env.Compile(source)
				if issues.Err() != nil {
					t.Fatal(issues.Err())
				}
				program, err := env.Program(parsed, cel.EvalOptions(cel.OptPartialEval))
				if err != nil {
					t.Fatal(err)
				}
				for i, got := range sqlAnswers(t, db, source, people) {
					var want *bool
					if youngest, oldest, known := people[i].ages(); known {
						if a, b := celAnswer(t, program, people[i], &youngest), celAnswer(t, program, people[i], &oldest); *a == *b {
							want = a
						}
					}
					if show(got) != show(want) {
						t.Errorf("%s about %v: %s, want %s", source, people[i], show(got), show(want))
					}
				}
			}
		}
	}
}

// TestCountsAddUp holds the identity of a count for random cohorts: eligible,
// not eligible and unknown are all the people that home and language pick, and
// Eligible targets as many as the count says.
func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	db := testenv.DB(t)
	ctx := context.Background()
	if err := LoadPlaces(ctx, db); err != nil {
		t.Fatal(err)
	}
	schemes := loadSchemes(t)
	people := rapid.Custom(drawPerson)
	rows := make([]person, 400)
	for i := range rows {
		rows[i] = people.Example(i).row(i)
		maps.Copy(rows[i], person{"msisdn": 919800000000 + i, "msisdn_key": i, "import_id": 1, "source": "test", "invented": false, "created_at": "2026-01-01", "updated_at": "2026-01-01"})
		rows[i]["identity"] = fmt.Sprintf("00000000-0000-0000-0000-%012d", i)
		if i%3 == 0 {
			rows[i]["language"] = "hi"
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, "INSERT INTO contact OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::contact, $1::jsonb)", string(text)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		cohort := Cohort{
			Scheme:      rapid.SampledFrom([]string{"", "onorc", "bocw", "eshram", "pmsym"}).Draw(rt, "scheme"),
			Eligibility: rapid.SampledFrom([]string{"", Eligible, UnknownOnly, EligibleOrNot}).Draw(rt, "eligibility"),
			Home:        rapid.SliceOfN(rapid.SampledFrom(append(sampleStates, sampleDistricts...)), 0, 3).Draw(rt, "home"),
			Language:    rapid.SliceOfN(rapid.SampledFrom([]string{"hi", "bn"}), 0, 2).Draw(rt, "language"),
			Where:       rapid.SampledFrom([]string{"", "x"}).Draw(rt, "where"),
		}
		if cohort.Where != "" {
			cohort.Where = drawRule(rt, 2)
		}
		if cohort.Scheme == "" && cohort.Where == "" && len(cohort.Home)+len(cohort.Language) == 0 {
			cohort.All = true
		}
		count, err := CountCohort(ctx, db, cohort, KnownPlaces(), schemes, propertyDay)
		if err != nil {
			rt.Fatal(err)
		}
		p, err := Compile(cohort, KnownPlaces(), schemes, propertyDay, 1)
		if err != nil {
			rt.Fatal(err)
		}
		ask := func(condition string) (n int64) {
			// Every parameter must be used, or its type is not known.
			sql := "SELECT count(*) FILTER (WHERE " + condition + ") FROM contact c WHERE " + p.Narrow + " OR NOT " + p.Narrow + " OR (" + p.SQL + ") IS NOT NULL OR TRUE"
			if err := db.QueryRow(ctx, sql, p.Args...).Scan(&n); err != nil {
				rt.Fatalf("%s: %v", sql, err)
			}
			return n
		}
		if all := ask(p.Narrow); count.Eligible+count.NotEligible+count.Unknown != all {
			rt.Fatalf("%+v: %+v do not add up to %d", cohort, count, all)
		}
		if targeted := ask(p.Eligible()); targeted != count.Count {
			rt.Fatalf("%+v: Eligible picks %d, the count is %+v", cohort, targeted, count)
		}
	})
}
