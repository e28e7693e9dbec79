package audience

import (
	"errors"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// number is a whole number in SQL that is known to lie between lo and hi, both
// included. For all but ages lo and hi are the same text.
type number struct{ lo, hi string }

func (n number) exact() bool { return n.lo == n.hi }

// statedAgeSQL is the age that somebody stated on c.age_on, advanced by the
// whole years since: days are counted in years of 365.25 days, rounded so that
// a birthday of the statement is never late and at most a day early. A
// subtraction of dates costs no function call for each row.
const statedAgeSQL = "c.age + (4 * (%s - c.age_on) + 3) / 1461"

// ageBounds returns the youngest and the oldest that a contact can be on a
// day, both NULL when nothing is known. A stated age is in completed years and
// wins; of a birth year nobody knows whether the birthday has passed.
// See docs/decisions/0032-age.md.
func ageBounds(dateSQL, yearSQL string) number {
	stated := strings.ReplaceAll(statedAgeSQL, "%s", dateSQL)
	return number{
		lo: "COALESCE(" + stated + ", " + yearSQL + " - 1 - c.birth_year)",
		hi: "COALESCE(" + stated + ", " + yearSQL + " - c.birth_year)",
	}
}

// AdultAge is the age, in completed years, from which a person may be
// contacted without a parent's consent (Digital Personal Data Protection Act
// 2023, section 2(f)).
const AdultAge = 18

// UnderAgeSQL returns the condition over the alias c that a person is known to
// be under AdultAge on the day that dateSQL, an expression of type date such
// as "$3::date", stands for. It is NULL where that cannot be known, so use it
// as "... IS TRUE" or as the condition of a WHERE.
func UnderAgeSQL(dateSQL string) string {
	year := "EXTRACT(year FROM " + dateSQL + ")::int4"
	return "(" + ageBounds(dateSQL, year).hi + " < 18)"
}

// india is where ages, windows and validities are counted; it has no summer time.
func india() *time.Location { return time.FixedZone("IST", 5*3600+1800) }

// indianDate returns the day that a moment falls on in India, as PostgreSQL's
// date wants it.
func indianDate(t time.Time) time.Time {
	year, month, day := t.In(india()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func (t *translator) age() number {
	on := indianDate(t.on)
	// An inlined year would save nothing: the planner folds constants.
	return ageBounds(t.params.add(on, "date"), t.params.add(int32(on.Year()), "int4")) //nolint:gosec // a year fits
}

// number translates an expression of type int.
func (t *translator) number(e ast.Expr) (number, error) {
	switch e.Kind() {
	case ast.LiteralKind:
		n, err := t.numberLiteral(e)
		if err != nil {
			return number{}, err
		}
		sql := t.params.add(n, "int8")
		return number{sql, sql}, nil
	case ast.IdentKind:
		switch f := contactFields()[e.AsIdent()]; f.kind {
		case kindInt:
			return number{f.column, f.column}, nil
		case kindAge:
			return t.age(), nil
		}
	case ast.CallKind:
		return t.sum(e)
	}
	return number{}, t.rule.errorAt(e, "a number is needed here")
}

func (t *translator) numberLiteral(e ast.Expr) (int64, error) {
	if e.Kind() == ast.LiteralKind {
		if n, ok := e.AsLiteral().(types.Int); ok {
			if n > maxRuleNumber || n < -maxRuleNumber {
				return 0, t.rule.errorAt(e, "the number %d is out of range", int64(n))
			}
			return int64(n), nil
		}
	}
	return 0, t.rule.errorAt(e, "a number written out is needed here")
}

// sum translates + and -, counted in 64 bits, which a rule within its limits
// cannot overflow.
func (t *translator) sum(e ast.Expr) (number, error) {
	call := e.AsCall()
	var errs error
	operands := make([]number, len(call.Args()))
	for i, arg := range call.Args() {
		n, err := t.number(arg)
		operands[i], errs = n, errors.Join(errs, err)
	}
	if errs != nil {
		return number{}, errs
	}
	a := operands[0]
	switch call.FunctionName() {
	case operators.Negate:
		return number{"(- " + wide(a.hi) + ")", "(- " + wide(a.lo) + ")"}, nil
	case operators.Add:
		b := operands[1]
		return number{"(" + wide(a.lo) + " + " + wide(b.lo) + ")", "(" + wide(a.hi) + " + " + wide(b.hi) + ")"}, nil
	case operators.Subtract:
		b := operands[1]
		return number{"(" + wide(a.lo) + " - " + wide(b.hi) + ")", "(" + wide(a.hi) + " - " + wide(b.lo) + ")"}, nil
	}
	return number{}, t.rule.errorAt(e, "%s cannot be put to the database here", operatorText(call.FunctionName()))
}

func wide(sql string) string { return "(" + sql + ")::int8" }

func (t *translator) compareNumbers(operator string, left, right ast.Expr) (string, error) {
	a, errLeft := t.number(left)
	b, errRight := t.number(right)
	if err := errors.Join(errLeft, errRight); err != nil {
		return "", err
	}
	return compareBounds(operator, a, b), nil
}

// compareBounds compares two numbers that may be known only within bounds: it
// is TRUE or FALSE where every value within them gives the same answer, and
// NULL otherwise. "x AND NULL" is FALSE where x is, and NULL elsewhere.
func compareBounds(operator string, a, b number) string {
	if a.exact() && b.exact() {
		return "(" + a.lo + " " + sqlOperator(operator) + " " + b.lo + ")"
	}
	switch operator {
	case operators.Less:
		return compareBounds(operators.Greater, b, a)
	case operators.LessEquals:
		return compareBounds(operators.GreaterEquals, b, a)
	case operators.Greater, operators.GreaterEquals:
		op := " " + sqlOperator(operator) + " "
		return "(" + a.lo + op + b.hi + " OR (" + a.hi + op + b.lo + " AND NULL))"
	}
	equal := "((" + a.lo + " = " + b.hi + " AND " + a.hi + " = " + b.lo + ") OR (" + a.lo + " <= " + b.hi + " AND " + b.lo + " <= " + a.hi + " AND NULL))"
	if operator == operators.NotEquals {
		return "(NOT " + equal + ")"
	}
	return equal
}

func (t *translator) inNumbers(left ast.Expr, elements []ast.Expr) (string, error) {
	n, err := t.number(left)
	if err != nil {
		return "", err
	}
	values := make([]int64, len(elements))
	for i, element := range elements {
		if values[i], err = t.numberLiteral(element); err != nil {
			return "", err
		}
	}
	if n.exact() {
		return "(" + n.lo + " = ANY(" + t.params.add(values, "int8[]") + "))", nil
	}
	parts := make([]string, len(values))
	for i, value := range values {
		sql := t.params.add(value, "int8")
		parts[i] = compareBounds(operators.Equals, n, number{sql, sql})
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}
