package audience

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// params collects the parameters of one statement.
type params struct {
	next  int
	args  []any
	known map[string]string
}

func newParams(first int) *params { return &params{next: first, known: map[string]string{}} }

// add returns the placeholder of a value, "$3::text". The cast keeps
// PostgreSQL from taking the parameter for the type of the column beside it.
func (p *params) add(value any, cast string) string {
	key := fmt.Sprintf("%s:%#v", cast, value)
	if sql, ok := p.known[key]; ok {
		return sql
	}
	sql := fmt.Sprintf("$%d::%s", p.next, cast)
	p.next++
	p.args = append(p.args, value)
	p.known[key] = sql
	return sql
}

// translator turns a checked rule into SQL over the alias c of contact.
type translator struct {
	rule   *Rule
	places *Places
	params *params
	on     time.Time // the day on which ages are asked
}

// condition translates an expression of type bool into a three-valued SQL
// condition, in brackets of its own.
func (t *translator) condition(e ast.Expr) (string, error) {
	switch e.Kind() {
	case ast.LiteralKind:
		if b, ok := e.AsLiteral().(types.Bool); ok {
			if b {
				return "TRUE", nil
			}
			return "FALSE", nil
		}
	case ast.IdentKind:
		if f := contactFields()[e.AsIdent()]; f.kind == kindBool {
			return f.column, nil
		}
	case ast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return t.known(e)
		}
	case ast.CallKind:
		return t.call(e)
	}
	return "", t.rule.errorAt(e, "a condition is needed here")
}

func (t *translator) call(e ast.Expr) (string, error) {
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd:
		return t.join(args, " AND ")
	case operators.LogicalOr:
		return t.join(args, " OR ")
	case operators.LogicalNot:
		inner, err := t.condition(args[0])
		return "(NOT " + inner + ")", err
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return t.compare(e, name, args[0], args[1])
	case operators.In:
		return t.in(e, args[0], args[1])
	case knownFunction:
		return t.known(args[0])
	case "startsWith", "endsWith", "contains":
		return t.textFunction(name, call.Target(), args[0])
	}
	return "", t.rule.errorAt(e, "%s cannot be put to the database here", operatorText(call.FunctionName()))
}

func (t *translator) join(args []ast.Expr, operator string) (string, error) {
	parts := make([]string, len(args))
	var errs error
	for i, arg := range args {
		part, err := t.condition(arg)
		parts[i], errs = part, errors.Join(errs, err)
	}
	return "(" + strings.Join(parts, operator) + ")", errs
}

// known translates known(field) and has(attributes.key), which are never NULL.
func (t *translator) known(e ast.Expr) (string, error) {
	switch e.Kind() {
	case ast.IdentKind:
		f := contactFields()[e.AsIdent()]
		switch f.kind {
		case kindMap:
			return "", t.rule.errorAt(e, "name the attribute: known(attributes.trade)")
		case kindAge:
			return "(" + t.age().lo + " IS NOT NULL)", nil
		}
		return "(" + f.column + " IS NOT NULL)", nil
	case ast.SelectKind, ast.CallKind:
		if sql, ok, err := t.attribute(e); ok {
			return "(" + sql + " IS NOT NULL)", err
		}
	}
	return "", t.rule.errorAt(e, "known() takes a field, such as known(birth_year)")
}

// attribute translates attributes.key and attributes['key']; ok tells whether
// the expression is one of them.
func (t *translator) attribute(e ast.Expr) (sql string, ok bool, err error) {
	var operand ast.Expr
	var key string
	switch e.Kind() {
	case ast.SelectKind:
		operand, key = e.AsSelect().Operand(), e.AsSelect().FieldName()
	case ast.CallKind:
		if e.AsCall().FunctionName() != operators.Index {
			return "", false, nil
		}
		args := e.AsCall().Args()
		literal, isText := stringLiteral(args[1])
		if !isText {
			return "", true, t.rule.errorAt(args[1], "the name of an attribute must be written out, in quotes")
		}
		operand, key = args[0], literal
	default:
		return "", false, nil
	}
	if operand.Kind() != ast.IdentKind || contactFields()[operand.AsIdent()].kind != kindMap {
		return "", true, t.rule.errorAt(e, "only attributes have parts: write attributes.name")
	}
	if len(key) > maxAttributeKey || strings.ContainsRune(key, 0) {
		return "", true, t.rule.errorAt(e, "no attribute can have this name")
	}
	return "(c.attributes ->> " + t.params.add(key, "text") + ")", true, nil
}

func stringLiteral(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// compare translates == != < <= > >=.
func (t *translator) compare(e ast.Expr, operator string, left, right ast.Expr) (string, error) {
	switch t.kindOf(left) {
	case kindInt:
		return t.compareNumbers(operator, left, right)
	case kindBool:
		return t.compareConditions(operator, left, right)
	case kindString:
		if place, ok := t.placeField(left, right); ok {
			return t.comparePlaces(e, operator, place, left, right)
		}
		return t.compareTexts(operator, left, right)
	}
	return "", t.rule.errorAt(e, "%s needs two numbers, two texts or two conditions", operatorText(operator))
}

// kindOf returns the kind that the checker found, reduced to number, text,
// condition or anything else.
func (t *translator) kindOf(e ast.Expr) fieldKind {
	switch t.rule.checked.GetType(e.ID()).Kind() {
	case types.IntKind:
		return kindInt
	case types.BoolKind:
		return kindBool
	case types.StringKind:
		return kindString
	}
	return kindMap
}

func sqlOperator(operator string) string {
	switch operator {
	case operators.Equals:
		return "="
	case operators.NotEquals:
		return "<>"
	default:
		return operatorText(operator)
	}
}

func (t *translator) compareConditions(operator string, left, right ast.Expr) (string, error) {
	if operator != operators.Equals && operator != operators.NotEquals {
		return "", t.rule.errorAt(left, "conditions can be compared with == and != only")
	}
	l, errLeft := t.condition(left)
	r, errRight := t.condition(right)
	return "(" + l + " " + sqlOperator(operator) + " " + r + ")", errors.Join(errLeft, errRight)
}

// in translates a membership in a list that is written out.
func (t *translator) in(e, left, right ast.Expr) (string, error) {
	if right.Kind() != ast.ListKind {
		return "", t.rule.errorAt(e, "in needs a list that is written out: in ['a', 'b']; for attributes ask has(attributes.name)")
	}
	elements := right.AsList().Elements()
	if len(elements) == 0 {
		return "", t.rule.errorAt(right, "the list is empty: nothing can be in it")
	}
	if len(elements) > maxRuleList {
		return "", t.rule.errorAt(right, "the list has %d values, the limit is %d: import it as an attribute", len(elements), maxRuleList)
	}
	switch t.kindOf(left) {
	case kindInt:
		return t.inNumbers(left, elements)
	case kindString:
		if left.Kind() == ast.IdentKind {
			if f := contactFields()[left.AsIdent()]; f.kind == kindState || f.kind == kindDistrict {
				return t.inPlaces(f, elements)
			}
		}
		return t.inTexts(left, elements)
	}
	return "", t.rule.errorAt(left, "in needs a number or a text before it")
}
