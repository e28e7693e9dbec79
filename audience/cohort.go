package audience

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrInvalidCohort is matched by every error that the definition of a cohort
// is the cause of.
var ErrInvalidCohort = errors.New("invalid cohort")

// Which of the people that home and language pick a campaign is for.
const (
	Eligible      = "eligible" // those of whom the rules are TRUE; the default
	UnknownOnly   = "unknown"  // those of whom the rules are NULL: too little is known
	EligibleOrNot = "both"     // eligible and unknown together, never those of whom the rules are FALSE
)

// Cohort is a rule that picks people. Home and Language narrow first, to the
// people of whom it is known; Scheme and Where judge whom they leave.
type Cohort struct {
	// Scheme is the id of the scheme whose criteria and exclusions apply.
	Scheme string `json:"scheme,omitempty" yaml:"scheme"`
	// Eligibility is Eligible (also when empty), UnknownOnly or EligibleOrNot.
	Eligibility string `json:"eligibility,omitempty" yaml:"eligibility"`
	// Home lists states and districts as Places.Resolve reads them.
	Home []string `json:"home,omitempty" yaml:"home"`
	// Language lists languages as ParseLanguage reads them.
	Language []string `json:"language,omitempty" yaml:"language"`
	// Where is a rule as ParseRule reads it.
	Where string `json:"where,omitempty" yaml:"where"`
	// All says that everybody is meant; it stands alone.
	All bool `json:"all,omitempty" yaml:"all"`
}

func (c *Cohort) validate() error {
	narrowed := c.Scheme != "" || len(c.Home) > 0 || len(c.Language) > 0 || strings.TrimSpace(c.Where) != ""
	var errs error
	if !narrowed && !c.All {
		errs = errors.Join(errs, errors.New("it picks nobody: give scheme, home, language or where; everyone is all: true"))
	}
	if narrowed && c.All {
		errs = errors.Join(errs, errors.New("all: true contradicts scheme, home, language and where: remove one or the other"))
	}
	if !slices.Contains([]string{"", Eligible, UnknownOnly, EligibleOrNot}, c.Eligibility) {
		errs = errors.Join(errs, fmt.Errorf("eligibility %q: write eligible, unknown or both", c.Eligibility))
	}
	return errs
}

// Predicate is a cohort as SQL over the alias c of contact, with numbered
// parameters.
type Predicate struct {
	// SQL is the judgement of scheme and where: TRUE, FALSE, or NULL where too
	// little is known. It is TRUE for everybody when neither is given.
	SQL string
	// Narrow is the condition of home and language; people of whom it is NULL
	// are not picked.
	Narrow string
	// Args are the parameters of both, from the first number on.
	Args []any

	eligibility string
}

// Eligible returns the condition that a targeted person satisfies: picked by
// home and language and judged as the cohort's eligibility wants.
func (p Predicate) Eligible() string {
	judged := p.SQL
	switch p.eligibility {
	case UnknownOnly:
		judged = "(" + p.SQL + " IS NULL)"
	case EligibleOrNot:
		judged = "(" + p.SQL + " IS NOT FALSE)"
	}
	switch {
	case p.Narrow == "TRUE":
		return judged
	case judged == "TRUE":
		return p.Narrow
	}
	return "(" + p.Narrow + " AND " + judged + ")"
}

// Compile turns a cohort into a Predicate whose parameters are numbered from
// firstArg, for judging people on the day of on in India; nil places are the
// known ones. All problems of the
// definition are reported together; the error matches ErrInvalidCohort, and
// ErrRule, ErrUnknownScheme or ErrUnknownPlace where one of them is the cause.
func Compile(cohort Cohort, places *Places, schemes Schemes, on time.Time, firstArg int) (Predicate, error) {
	c, err := compile(cohort, places, schemes, on, firstArg)
	if err != nil {
		return Predicate{}, err
	}
	return c.predicate(), nil
}

// Where a clause of a cohort comes from.
const (
	fromHome      = "home"
	fromLanguage  = "language"
	fromCriterion = "criterion"
	fromExclusion = "exclusion"
	fromWhere     = "where"
)

// compiledClause is one condition of a cohort. Its SQL is TRUE when it speaks
// for the person, whatever its source.
type compiledClause struct {
	source string
	id     string
	words  Words
	text   string // as written
	sql    string
	fields []string
}

// compiledCohort is a cohort clause by clause.
type compiledCohort struct {
	clauses     []compiledClause
	params      *params
	translator  *translator
	eligibility string
}

func compile(cohort Cohort, places *Places, schemes Schemes, on time.Time, firstArg int) (*compiledCohort, error) {
	if places == nil {
		places = KnownPlaces()
	}
	p := newParams(firstArg)
	c := &compiledCohort{
		params:      p,
		translator:  &translator{places: places, params: p, on: on},
		eligibility: cohort.Eligibility,
	}
	err := errors.Join(
		cohort.validate(),
		c.addHome(cohort.Home, places),
		c.addLanguages(cohort.Language),
		c.addScheme(cohort.Scheme, schemes),
		c.addWhere(cohort.Where),
	)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidCohort, err)
	}
	return c, nil
}

func (c *compiledCohort) predicate() Predicate {
	var narrow, judge []string
	for _, clause := range c.clauses {
		if clause.source == fromHome || clause.source == fromLanguage {
			narrow = append(narrow, clause.sql)
		} else {
			judge = append(judge, clause.sql)
		}
	}
	return Predicate{SQL: conjunction(judge), Narrow: conjunction(narrow), Args: c.params.args, eligibility: c.eligibility}
}

func conjunction(conditions []string) string {
	switch len(conditions) {
	case 0:
		return "TRUE"
	case 1:
		return conditions[0]
	}
	return "(" + strings.Join(conditions, " AND ") + ")"
}

func (c *compiledCohort) addHome(home []string, places *Places) error {
	if len(home) == 0 {
		return nil
	}
	var (
		states, statesOfDistricts []int16
		districts                 []int32
		errs                      error
	)
	for _, entry := range home {
		place, err := places.Resolve(entry)
		switch {
		case err != nil:
			errs = errors.Join(errs, fmt.Errorf("home: %w", err))
		case place.District == 0:
			states = append(states, place.State)
		default:
			districts = append(districts, place.District)
			statesOfDistricts = append(statesOfDistricts, place.State)
		}
	}
	if errs != nil {
		return errs
	}
	var parts []string
	if len(states) > 0 {
		parts = append(parts, c.oneOf("c.home_state", states))
	}
	if len(districts) > 0 {
		// The state is implied, and leads the index over both columns.
		parts = append(parts, "("+c.oneOf("c.home_state", statesOfDistricts)+" AND "+c.oneOfDistricts(districts)+")")
	}
	sql := parts[0]
	if len(parts) > 1 {
		sql = "(" + strings.Join(parts, " OR ") + ")"
	}
	text := strings.Join(home, ", ")
	c.clauses = append(c.clauses, compiledClause{
		source: fromHome, id: fromHome, text: text, sql: sql, fields: []string{"home_state", "home_district"},
		words: Words{EN: "home is in " + text, HI: "घर यहाँ है: " + text},
	})
	return nil
}

func (c *compiledCohort) oneOf(column string, states []int16) string {
	slices.Sort(states)
	states = slices.Compact(states)
	if len(states) == 1 {
		return "(" + column + " = " + c.params.add(states[0], "int2") + ")"
	}
	return "(" + column + " = ANY(" + c.params.add(states, "int2[]") + "))"
}

func (c *compiledCohort) oneOfDistricts(districts []int32) string {
	slices.Sort(districts)
	districts = slices.Compact(districts)
	if len(districts) == 1 {
		return "(c.home_district = " + c.params.add(districts[0], "int4") + ")"
	}
	return "(c.home_district = ANY(" + c.params.add(districts, "int4[]") + "))"
}

func (c *compiledCohort) addLanguages(names []string) error {
	if len(names) == 0 {
		return nil
	}
	var codes []string
	var errs error
	for _, name := range names {
		code, ok := ParseLanguage(name)
		if !ok {
			errs = errors.Join(errs, fmt.Errorf("language: unknown language %q: write a code such as hi, bn or or, or its name", name))
			continue
		}
		codes = append(codes, code)
	}
	if errs != nil {
		return errs
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	text := strings.Join(codes, ", ")
	c.clauses = append(c.clauses, compiledClause{
		source: fromLanguage, id: fromLanguage, text: text, fields: []string{"language"},
		sql:   "(c.language = ANY(" + c.params.add(codes, "text[]") + "))",
		words: Words{EN: "speaks " + text, HI: "भाषा: " + text},
	})
	return nil
}

func (c *compiledCohort) addScheme(id string, schemes Schemes) error {
	if id == "" {
		return nil
	}
	scheme, err := schemes.Find(id)
	if err != nil {
		return err
	}
	if len(scheme.States) > 0 {
		c.addSchemeStates(scheme)
	}
	for _, clause := range scheme.Clauses {
		sql, err := c.translate(clause.Rule)
		if err != nil {
			return fmt.Errorf("scheme %s: %w", id, err)
		}
		compiled := compiledClause{source: fromCriterion, id: clause.ID, words: clause.Words, text: clause.Rule.String(), sql: sql, fields: clause.Rule.fields}
		if clause.Exclusion {
			compiled.source, compiled.sql = fromExclusion, "(NOT "+sql+")"
			compiled.words = Words{EN: "not: " + clause.Words.EN, HI: "नहीं: " + clause.Words.HI}
		}
		c.clauses = append(c.clauses, compiled)
	}
	return nil
}

// addSchemeStates adds the condition that a scheme of some states only has.
func (c *compiledCohort) addSchemeStates(scheme Scheme) {
	var codes []int16
	var en, hi []string
	for _, state := range scheme.States {
		codes = append(codes, state.Code)
		en, hi = append(en, state.NameEN), append(hi, state.NameHI)
	}
	c.clauses = append(c.clauses, compiledClause{
		source: fromCriterion, id: "states", text: "home_state in the scheme's states", sql: c.oneOf("c.home_state", codes), fields: []string{"home_state"},
		words: Words{EN: "home is in " + strings.Join(en, ", "), HI: "घर यहाँ है: " + strings.Join(hi, ", ")},
	})
}

func (c *compiledCohort) translate(rule *Rule) (string, error) {
	t := *c.translator
	t.rule = rule
	return t.condition(rule.checked.Expr())
}

func (c *compiledCohort) addWhere(where string) error {
	if strings.TrimSpace(where) == "" {
		return nil
	}
	rule, err := ParseRule(where)
	if err != nil {
		return fmt.Errorf("where: %w", err)
	}
	t := *c.translator
	t.rule = rule
	for i, part := range rule.conjuncts() {
		sql, err := t.condition(part)
		if err != nil {
			return fmt.Errorf("where: %w", err)
		}
		text := rule.text(part)
		c.clauses = append(c.clauses, compiledClause{
			source: fromWhere, id: fmt.Sprintf("where_%d", i+1), text: text, words: Words{EN: text, HI: text}, sql: sql, fields: rule.fieldsOf(part),
		})
	}
	return nil
}
