package audience

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
)

// The limits of a rule. They keep the statement that PostgreSQL gets small
// enough to plan quickly; real rules have some ten terms.
const (
	MaxRuleBytes    = 8 << 10
	MaxRuleNodes    = 1000
	maxRuleDepth    = 60
	maxRuleList     = 1000
	maxRuleNumber   = 1_000_000_000_000 // so that no sum of a rule can pass 64 bits
	knownFunction   = "known"
	maxAttributeKey = 200
)

// Rule is a checked condition over one contact, in CEL: see docs/rules.md for
// what may be written. It is immutable and safe for concurrent use.
type Rule struct {
	source  string
	checked *ast.AST
	fields  []string
}

// ruleEnv declares the contact's fields to CEL. Fields are typed and never
// null for the checker; a field that is unknown makes what asks it unknown.
var ruleEnv = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ClearMacros(),
		cel.Macros(cel.HasMacro),
		cel.ParserExpressionSizeLimit(MaxRuleBytes),
		cel.ParserRecursionLimit(maxRuleDepth),
		cel.Function(knownFunction, cel.Overload("known_any", []*cel.Type{cel.DynType}, cel.BoolType,
			// The meaning, for CEL's own evaluation in tests: it alone answers about what is unknown.
			cel.OverloadIsNonStrict(), cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Bool(!types.IsUnknown(v)) }))),
	}
	for _, f := range contactFields() {
		options = append(options, cel.Variable(f.name, f.celType()))
	}
	return cel.NewEnv(options...)
})

func (f field) celType() *cel.Type {
	switch f.kind {
	case kindInt, kindAge:
		return cel.IntType
	case kindBool:
		return cel.BoolType
	case kindMap:
		return cel.MapType(cel.StringType, cel.StringType)
	default:
		return cel.StringType
	}
}

// ParseRule reads a rule, checks its types, fields, functions and the values
// of closed lists and places, and makes sure that it can be put to PostgreSQL.
// An error is a *RuleError unless the program itself is at fault.
func ParseRule(source string) (*Rule, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &RuleError{Rule: source, Line: 1, Column: 1, Reason: "the rule is empty: leave it out, or write a condition such as age >= 18"}
	}
	if len(source) > MaxRuleBytes {
		return nil, &RuleError{Rule: source, Line: 1, Column: 1, Reason: fmt.Sprintf("the rule has %d bytes, the limit is %d: split the cohort", len(source), MaxRuleBytes)}
	}
	env, err := ruleEnv()
	if err != nil {
		return nil, fmt.Errorf("make the rule environment: %w", err)
	}
	parsed, issues := env.Parse(source)
	if issues.Err() != nil {
		return nil, issueError(source, issues)
	}
	tree := parsed.NativeRep()
	if ast.ExceedsDepth(tree, maxRuleDepth) {
		return nil, &RuleError{Rule: source, Line: 1, Column: 1, Reason: fmt.Sprintf("the rule is nested deeper than %d", maxRuleDepth)}
	}
	if n := ast.NodeCount(tree); n > MaxRuleNodes {
		return nil, &RuleError{Rule: source, Line: 1, Column: 1, Reason: fmt.Sprintf("the rule has %d terms, the limit is %d: split the cohort", n, MaxRuleNodes)}
	}
	names, err := checkNames(source, tree)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, issueError(source, issues)
	}
	r := &Rule{source: source, checked: checked.NativeRep(), fields: names}
	if checked.OutputType().Kind() != cel.BoolKind {
		return nil, r.errorAt(r.checked.Expr(), "this is %s: a rule must be a condition, such as %s", typeText(checked.OutputType().String()), "age >= 18")
	}
	trial := &translator{rule: r, places: KnownPlaces(), params: newParams(1)}
	if _, err := trial.condition(r.checked.Expr()); err != nil {
		return nil, err
	}
	return r, nil
}

// String returns the rule as it was written.
func (r *Rule) String() string { return r.source }

// Fields returns the names of the fields that the rule asks, in alphabetical
// order; an attribute is "attributes." and its name.
func (r *Rule) Fields() []string { return slices.Clone(r.fields) }

// conjuncts returns the parts that must all hold, in the order written.
func (r *Rule) conjuncts() []ast.Expr {
	var parts []ast.Expr
	var walk func(e ast.Expr)
	walk = func(e ast.Expr) {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
			for _, arg := range e.AsCall().Args() {
				walk(arg)
			}
			return
		}
		parts = append(parts, e)
	}
	walk(r.checked.Expr())
	return parts
}

// fieldsOf returns the fields that a part of the rule asks.
func (r *Rule) fieldsOf(part ast.Expr) []string {
	asked := map[string]bool{}
	ast.PreOrderVisit(part, ast.NewExprVisitor(func(e ast.Expr) { askedBy(e, asked) }))
	return slices.Sorted(maps.Keys(asked))
}

// askedBy adds the field that an expression itself names.
func askedBy(e ast.Expr, asked map[string]bool) {
	switch e.Kind() {
	case ast.IdentKind:
		if name := e.AsIdent(); name != attributesField {
			asked[name] = true
		}
	case ast.SelectKind:
		asked[attributesField+"."+e.AsSelect().FieldName()] = true
	case ast.CallKind:
		if e.AsCall().FunctionName() == operators.Index {
			if key, ok := stringLiteral(e.AsCall().Args()[1]); ok {
				asked[attributesField+"."+key] = true
			}
		}
	}
}

// text returns a part of the rule as it can be written.
func (r *Rule) text(e ast.Expr) string {
	text, err := parser.Unparse(e, r.checked.SourceInfo())
	if err != nil {
		return r.source
	}
	return text
}

// errorAt makes a RuleError at an expression.
func (r *Rule) errorAt(e ast.Expr, format string, args ...any) error {
	return ruleErrorAt(r.source, r.checked, e, format, args...)
}

func ruleErrorAt(source string, tree *ast.AST, e ast.Expr, format string, args ...any) error {
	at := tree.SourceInfo().GetStartLocation(e.ID())
	return &RuleError{Rule: source, Line: max(at.Line(), 1), Column: max(at.Column(), 0) + 1, Reason: fmt.Sprintf(format, args...)}
}

func issueError(source string, issues *cel.Issues) error {
	for _, issue := range issues.Errors() {
		return &RuleError{
			Rule: source, Line: max(issue.Location.Line(), 1), Column: max(issue.Location.Column(), 0) + 1,
			Reason: plainReason(issue.Message, source),
		}
	}
	return &RuleError{Rule: source, Line: 1, Column: 1, Reason: issues.String()}
}

// checkNames refuses what the rule asks that a contact does not have, before
// the type checker says it in words of its own, and returns the fields asked.
func checkNames(source string, tree *ast.AST) ([]string, error) {
	fields := contactFields()
	asked := map[string]bool{}
	var first error
	visit := func(e ast.Expr) {
		if first != nil {
			return
		}
		askedBy(e, asked)
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			if _, ok := fields[name]; !ok {
				first = ruleErrorAt(source, tree, e, "%s", unknownField(name))
				return
			}
		case ast.CallKind:
			if reason := refusedFunction(e.AsCall()); reason != "" {
				first = ruleErrorAt(source, tree, e, "%s", reason)
			}
		case ast.MapKind, ast.StructKind, ast.ComprehensionKind:
			first = ruleErrorAt(source, tree, e, "only conditions over the contact's fields can be put to the database, not maps, objects or loops")
		}
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(visit))
	return slices.Sorted(maps.Keys(asked)), first
}

func unknownField(name string) string {
	if near := suggest(name, RuleFields()); near != "" {
		return fmt.Sprintf("unknown field %q: did you mean %s? A column of your own is attributes.%s", name, near, name)
	}
	return fmt.Sprintf("unknown field %q: known are %s; a column of your own is attributes.%s", name, strings.Join(RuleFields(), ", "), name)
}

// translatable are the operators and functions that have the same meaning in
// CEL and in PostgreSQL.
func translatable() []string {
	return []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals, operators.NotEquals,
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.In, operators.Add, operators.Subtract, operators.Negate, operators.Index,
		knownFunction, "startsWith", "endsWith", "contains",
	}
}

// refusedFunction returns why a call cannot be translated, or "".
func refusedFunction(call ast.CallExpr) string {
	name := call.FunctionName()
	if slices.Contains(translatable(), name) {
		return ""
	}
	switch name {
	case operators.Conditional:
		return "the choice ? : cannot be put to the database: write both cases with && and ||"
	case operators.Multiply, operators.Divide, operators.Modulo:
		return fmt.Sprintf("%s cannot be put to the database: compare with the number you mean", operatorText(name))
	case "matches":
		return "matches() cannot be put to the database, its patterns differ: use startsWith, endsWith, contains or in [...]"
	case "exists", "all", "exists_one", "filter", "map":
		return name + "() cannot be put to the database: use in [...]"
	case "size":
		return "size() cannot be put to the database: ask known(field) for whether there is a value"
	}
	return fmt.Sprintf("%s() cannot be put to the database: known are known, has, startsWith, endsWith, contains", name)
}

// operatorText returns an operator as it is written in a rule.
func operatorText(name string) string {
	if name == operators.In {
		return "in"
	}
	if text, ok := operators.FindReverse(name); ok && text != "" {
		return text
	}
	return strings.Trim(name, "_")
}
