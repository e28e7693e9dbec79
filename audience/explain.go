package audience

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// Person is a contact as previews and explanations show one.
type Person struct {
	Contact      int64  `json:"contact"`
	MSISDN       int64  `json:"-"`      // the whole number: show it to none but the local administrator
	Masked       string `json:"msisdn"` // the number as Mask writes it
	Name         string `json:"name"`
	Language     string `json:"language"`
	HomeState    string `json:"home_state"`    // abbreviation
	HomeDistrict string `json:"home_district"` // English name
	Eligibility  string `json:"eligibility"`   // "eligible", "not_eligible" or "unknown"
	Why          string `json:"why"`           // what decided, in words
}

// ClauseAnswer is what one condition of a cohort says of a person.
type ClauseAnswer struct {
	Source string `json:"source"` // home, language, criterion, exclusion or where
	ID     string `json:"id"`     // of the scheme's clause; else made from the source
	Rule   string `json:"rule"`   // as written
	Words  Words  `json:"words"`
	Answer string `json:"answer"` // "true" speaks for the person, "false" against, "unknown" neither
	Why    string `json:"why"`    // the values of the fields that it asks
}

// Explanation is how a cohort judges one contact, clause by clause.
type Explanation struct {
	Person
	Targeted bool           `json:"targeted"` // whether the cohort picks the person
	Clauses  []ClauseAnswer `json:"clauses"`
}

// MaxPreview bounds the rows of a preview.
const MaxPreview = 1000

// PreviewCohort returns the first people that a cohort targets, by contact
// number, with the values that decided; at most limit, which is 20 when 0.
func PreviewCohort(ctx context.Context, db pgdb.DB, cohort Cohort, places *Places, schemes Schemes, on time.Time, limit int) ([]Person, error) {
	if limit <= 0 {
		limit = 20
	}
	c, err := compile(cohort, places, schemes, on, 1)
	if err != nil {
		return nil, err
	}
	explained, err := c.explain(ctx, db, c.predicate().Eligible(), min(limit, MaxPreview))
	if err != nil {
		return nil, fmt.Errorf("preview cohort: %w", err)
	}
	people := make([]Person, len(explained))
	for i := range explained {
		people[i] = explained[i].Person
	}
	return people, nil
}

// ExplainCohort tells how a cohort judges every contact that has a number;
// none when the register has nobody with it.
func ExplainCohort(ctx context.Context, db pgdb.DB, cohort Cohort, places *Places, schemes Schemes, on time.Time, msisdn int64) ([]Explanation, error) {
	c, err := compile(cohort, places, schemes, on, 1)
	if err != nil {
		return nil, err
	}
	explained, err := c.explain(ctx, db, "c.msisdn = "+c.params.add(msisdn, "int8"), MaxPreview)
	if err != nil {
		return nil, fmt.Errorf("explain cohort: %w", err)
	}
	return explained, nil
}

// sqlExplain asks every clause by itself, and the value of every field asked.
const sqlExplain = `
SELECT c.id AS contact, c.msisdn, COALESCE(c.name, '') AS name, COALESCE(c.language, '') AS language,
       COALESCE(field_hs.abbreviation, '') AS home_state, COALESCE(field_hd.name_en, '') AS home_district,
       %s AS judged, COALESCE(%s, FALSE) AS targeted, ARRAY[%s]::bool[] AS answers, ARRAY[%s]::text[] AS values
FROM contact c` + FieldJoins + `
WHERE %s
ORDER BY c.id
LIMIT %d`

// explainedRow is a row of sqlExplain.
type explainedRow struct {
	Contact, MSISDN                         int64
	Name, Language, HomeState, HomeDistrict string
	Judged                                  *bool
	Targeted                                bool
	Answers                                 []*bool
	Values                                  []*string
}

func (c *compiledCohort) explain(ctx context.Context, db pgdb.DB, condition string, limit int) ([]Explanation, error) {
	var answers, values, fields []string
	for _, clause := range c.clauses {
		answers = append(answers, clause.sql)
		for _, name := range clause.fields {
			if !slices.Contains(fields, name) {
				fields = append(fields, name)
				values = append(values, c.valueText(name))
			}
		}
	}
	p := c.predicate()
	sql := fmt.Sprintf(sqlExplain, p.SQL, p.Eligible(), strings.Join(answers, ", "), strings.Join(values, ", "), condition, limit)
	rows, err := db.Query(ctx, sql, c.params.args...)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[explainedRow])
	if err != nil {
		return nil, err
	}
	explained := make([]Explanation, len(found))
	for i := range found {
		explained[i] = c.explanation(&found[i], fields)
	}
	return explained, nil
}

// valueText is the SQL of a field's value as explanations show it; NULL is
// unknown.
func (c *compiledCohort) valueText(name string) string {
	if key, ok := strings.CutPrefix(name, attributesField+"."); ok {
		return "c.attributes ->> " + c.params.add(key, "text")
	}
	switch f := contactFields()[name]; f.kind {
	case kindAge:
		age := c.translator.age()
		return "CASE WHEN " + age.lo + " = " + age.hi + " THEN (" + age.lo + ")::text ELSE (" + age.lo + ")::text || ' or ' || (" + age.hi + ")::text END"
	case kindBool:
		return "CASE " + f.column + " WHEN TRUE THEN 'yes' WHEN FALSE THEN 'no' END"
	case kindState:
		return fieldAlias(name) + ".abbreviation"
	case kindDistrict:
		return fieldAlias(name) + ".name_en"
	default:
		return f.column + "::text"
	}
}

// fieldAlias is the alias that FieldJoins gives to the table of a place field.
func fieldAlias(name string) string {
	return map[string]string{
		"home_state": "field_hs", "home_district": "field_hd", "current_state": "field_cs", "current_district": "field_cd",
	}[name]
}

func (c *compiledCohort) explanation(row *explainedRow, fields []string) Explanation {
	e := Explanation{
		Person: Person{
			Contact: row.Contact, MSISDN: row.MSISDN, Masked: Mask(row.MSISDN), Name: row.Name, Language: row.Language,
			HomeState: row.HomeState, HomeDistrict: row.HomeDistrict, Eligibility: verdict(row.Judged),
		},
		Targeted: row.Targeted,
		Clauses:  make([]ClauseAnswer, len(c.clauses)),
	}
	value := func(name string) string {
		if v := row.Values[slices.Index(fields, name)]; v != nil {
			return name + " " + *v
		}
		return name + " unknown"
	}
	var deciding []string
	for i, clause := range c.clauses {
		values := make([]string, len(clause.fields))
		for j, name := range clause.fields {
			values[j] = value(name)
		}
		answer := answerText(row.Answers[i])
		e.Clauses[i] = ClauseAnswer{
			Source: clause.source, ID: clause.id, Rule: clause.text, Words: clause.words,
			Answer: answer, Why: strings.Join(values, ", "),
		}
		if clause.source != fromHome && clause.source != fromLanguage && answer == answerText(row.Judged) {
			for _, v := range values {
				if !slices.Contains(deciding, v) {
					deciding = append(deciding, v)
				}
			}
		}
	}
	e.Why = strings.Join(deciding, ", ")
	return e
}

// verdict names what the rules say of a person.
func verdict(judged *bool) string {
	switch {
	case judged == nil:
		return "unknown"
	case *judged:
		return "eligible"
	default:
		return "not_eligible"
	}
}

func answerText(answer *bool) string {
	switch {
	case answer == nil:
		return "unknown"
	case *answer:
		return "true"
	default:
		return "false"
	}
}
