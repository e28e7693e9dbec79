package audience

import (
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// text translates an expression of type string that is not a place.
func (t *translator) text(e ast.Expr) (string, error) {
	if literal, ok := stringLiteral(e); ok {
		if err := t.checkText(e, literal); err != nil {
			return "", err
		}
		return t.params.add(literal, "text"), nil
	}
	if e.Kind() == ast.IdentKind {
		switch f := contactFields()[e.AsIdent()]; f.kind {
		case kindString, kindEnum:
			return f.column, nil
		case kindState, kindDistrict:
			return "", t.rule.errorAt(e, "%s is a place: compare it with ==, != or in to a place, such as %s", f.name, placeExample(f))
		}
	}
	if sql, ok, err := t.attribute(e); ok {
		return sql, err
	}
	return "", t.rule.errorAt(e, "a field, an attribute or a text in quotes is needed here")
}

func placeExample(f field) string {
	if f.kind == kindState {
		return "'BR'"
	}
	return "'JH/Ranchi'"
}

func (t *translator) checkText(e ast.Expr, text string) error {
	if strings.ContainsRune(text, 0) {
		return t.rule.errorAt(e, "a text cannot hold the NUL character")
	}
	return nil
}

// checkValue refuses a text that a field of a closed list never has: the rule
// would silently pick nobody.
func (t *translator) checkValue(field, value ast.Expr) error {
	text, ok := stringLiteral(value)
	if !ok || field.Kind() != ast.IdentKind {
		return nil
	}
	f := contactFields()[field.AsIdent()]
	if f.name == "language" {
		code, known := ParseLanguage(text)
		if !known {
			return t.rule.errorAt(value, "%q is no known language: write a code such as 'hi' or 'bn'", text)
		}
		if code != text {
			return t.rule.errorAt(value, "languages are kept by code: write '%s' for %q", code, text)
		}
	}
	if f.kind != kindEnum || slices.Contains(f.values, text) {
		return nil
	}
	return t.rule.errorAt(value, "%s is never %q: its values are %s", f.name, text, strings.Join(f.values, ", "))
}

func (t *translator) compareTexts(operator string, left, right ast.Expr) (string, error) {
	a, errLeft := t.text(left)
	b, errRight := t.text(right)
	if err := errors.Join(errLeft, errRight, t.checkValue(left, right), t.checkValue(right, left)); err != nil {
		return "", err
	}
	switch operator {
	case operators.Equals, operators.NotEquals:
		return "(" + a + " " + sqlOperator(operator) + " " + b + ")", nil
	}
	// CEL orders texts by code point, whatever order the database was made with.
	return "(" + a + ` COLLATE "C" ` + sqlOperator(operator) + " " + b + ` COLLATE "C")`, nil
}

func (t *translator) inTexts(left ast.Expr, elements []ast.Expr) (string, error) {
	sql, err := t.text(left)
	if err != nil {
		return "", err
	}
	values := make([]string, len(elements))
	for i, element := range elements {
		value, ok := stringLiteral(element)
		if !ok {
			return "", t.rule.errorAt(element, "the list must hold texts in quotes only")
		}
		if err := errors.Join(t.checkText(element, value), t.checkValue(left, element)); err != nil {
			return "", err
		}
		values[i] = value
	}
	return "(" + sql + " = ANY(" + t.params.add(values, "text[]") + "))", nil
}

// textFunction translates startsWith, endsWith and contains without patterns,
// so that no character of the text has a special meaning.
func (t *translator) textFunction(name string, target, arg ast.Expr) (string, error) {
	if target == nil {
		return "", t.rule.errorAt(arg, "write field.%s('text')", name)
	}
	a, errTarget := t.text(target)
	b, errArg := t.text(arg)
	if err := errors.Join(errTarget, errArg); err != nil {
		return "", err
	}
	switch name {
	case "startsWith":
		return "starts_with(" + a + ", " + b + ")", nil
	case "endsWith":
		return "(right(" + a + ", length(" + b + ")) = " + b + ")", nil
	default:
		return "(strpos(" + a + ", " + b + ") > 0)", nil
	}
}

// placeField returns the place field of a comparison, if there is one.
func (t *translator) placeField(left, right ast.Expr) (field, bool) {
	for _, e := range []ast.Expr{left, right} {
		if e.Kind() == ast.IdentKind {
			if f := contactFields()[e.AsIdent()]; f.kind == kindState || f.kind == kindDistrict {
				return f, true
			}
		}
	}
	return field{}, false
}

func (t *translator) comparePlaces(e ast.Expr, operator string, f field, left, right ast.Expr) (string, error) {
	if operator != operators.Equals && operator != operators.NotEquals {
		return "", t.rule.errorAt(e, "places have no order: compare %s with == or !=", f.name)
	}
	a, errLeft := t.place(f, left)
	b, errRight := t.place(f, right)
	return "(" + a + " " + sqlOperator(operator) + " " + b + ")", errors.Join(errLeft, errRight)
}

// place translates one side of a comparison with the place field f.
func (t *translator) place(f field, e ast.Expr) (string, error) {
	if e.Kind() == ast.IdentKind {
		if other := contactFields()[e.AsIdent()]; other.kind == f.kind {
			return other.column, nil
		}
	}
	code, err := t.placeCode(f, e)
	if err != nil {
		return "", err
	}
	if f.kind == kindState {
		return t.params.add(int16(code), "int2"), nil //nolint:gosec // it came from an int16
	}
	return t.params.add(code, "int4"), nil
}

// placeCode resolves a place that is written out.
func (t *translator) placeCode(f field, e ast.Expr) (int32, error) {
	text, ok := stringLiteral(e)
	if !ok {
		return 0, t.rule.errorAt(e, "%s is a place: compare it with a place in quotes, such as %s", f.name, placeExample(f))
	}
	if f.kind == kindState {
		state, err := t.places.ResolveState(text)
		if err != nil {
			return 0, t.rule.errorAt(e, "%v", err)
		}
		return int32(state.Code), nil
	}
	var stateCode int16
	if state, district, ok := strings.Cut(text, "/"); ok {
		st, err := t.places.ResolveState(state)
		if err != nil {
			return 0, t.rule.errorAt(e, "%v", err)
		}
		stateCode, text = st.Code, district
	}
	district, err := t.places.ResolveDistrict(stateCode, text)
	if err != nil {
		return 0, t.rule.errorAt(e, "%v", err)
	}
	return district.Code, nil
}

func (t *translator) inPlaces(f field, elements []ast.Expr) (string, error) {
	codes := make([]int32, len(elements))
	for i, element := range elements {
		code, err := t.placeCode(f, element)
		if err != nil {
			return "", err
		}
		codes[i] = code
	}
	if f.kind == kindDistrict {
		return "(" + f.column + " = ANY(" + t.params.add(codes, "int4[]") + "))", nil
	}
	states := make([]int16, len(codes))
	for i, code := range codes {
		states[i] = int16(code) //nolint:gosec // it came from an int16
	}
	return "(" + f.column + " = ANY(" + t.params.add(states, "int2[]") + "))", nil
}
