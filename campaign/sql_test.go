package campaign

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pukar/audience"
	"pukar/internal/mark"
	"pukar/internal/testenv"
	"pukar/templates"
)

// TestStatementsArePrepared gives every statement of the package to the server, which finds columns that
// are not there and parameters whose type cannot be told.
func TestStatementsArePrepared(t *testing.T) {
	t.Parallel()
	statements := sourceStatements(t)
	selection := sampleSelection(t)
	// These continue a selection.
	statements["sqlDecided"] = selection + statements["sqlDecided"]
	statements["sqlFreeze"] = selection + fmt.Sprintf(statements["sqlFreeze"], "99::int4")
	delete(statements, "sqlReached") // a condition, which sqlCapped has
	for _, name := range []string{"sqlOpenFirst", "sqlOpenRedo", "sqlMatch", "sqlCampaignLock", "sqlHint"} {
		if !strings.Contains(statements[name], "$1") {
			t.Errorf("the statement %s was not found in the source: %q", name, statements[name])
		}
	}
	conn, err := testenv.DB(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for name, sql := range statements {
		if _, err := conn.Conn().Prepare(t.Context(), name, sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sampleSelection is a selection that uses everything one can have.
func sampleSelection(t *testing.T) string {
	t.Helper()
	template := &templates.Template{
		Name: "intro", Category: templates.Promotional, FallbackLanguage: "hi",
		Languages: map[string]templates.Text{"hi": {}, "en": {}},
		Variables: []templates.Variable{{Field: "name"}, {Field: "home_district", HasDefault: true, Default: "?", Defaults: map[string]string{"hi": "?"}}},
	}
	spec := &Spec{Purpose: testPurpose, Audience: Audience{Where: "age >= 18", Home: []string{"BR"}}, PerContact: Cap{Messages: 2, Period: day}}
	s, err := selectPeople(spec, template, RouteTerms{}, cohortCompiler{places: audience.KnownPlaces()}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return s.sql
}

// sourceStatements finds the constants and variables named sql…, and the literals given to a statement's
// methods, in the package's source, and puts their text together.
func sourceStatements(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]ast.Expr{}
	statements := map[string]string{}
	var literals []*ast.BasicLit
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, value := range n.Values {
				values[n.Names[i].Name] = value
			}
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Exec", "Query", "QueryRow", "Queue"}, method.Sel.Name) {
				return true
			}
			for _, arg := range n.Args[:min(2, len(n.Args))] {
				if literal, ok := arg.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					literals = append(literals, literal)
				}
			}
		}
		return true
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	e := evaluator{t: t, values: values}
	for name, value := range values {
		if strings.HasPrefix(name, "sql") {
			statements[name] = e.text(value)
		}
	}
	for _, literal := range literals {
		statements[files.Position(literal.Pos()).String()] = e.text(literal)
	}
	if len(statements) < 40 {
		t.Fatalf("only %d statements were found", len(statements))
	}
	return statements
}

// evaluator computes the text of string expressions over the package's own names, audience's and mark's.
type evaluator struct {
	t      *testing.T
	values map[string]ast.Expr
}

func (e evaluator) text(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		if err != nil {
			e.t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return e.text(x.X) + e.text(x.Y)
	case *ast.Ident:
		return e.text(e.values[x.Name])
	case *ast.SelectorExpr:
		switch x.Sel.Name {
		case "SuppressedSQL":
			return audience.SuppressedSQL
		case "FieldJoins":
			return audience.FieldJoins
		case "OriginSQL":
			return mark.OriginSQL
		case "ReachedSQL":
			return mark.ReachedSQL
		}
	case *ast.CallExpr:
		if method, ok := x.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "UnderAgeSQL" {
			return audience.UnderAgeSQL(e.text(x.Args[0]))
		}
		if method, ok := x.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Sprintf" {
			var args []any
			for _, arg := range x.Args[1:] {
				args = append(args, e.text(arg))
			}
			return fmt.Sprintf(e.text(x.Args[0]), args...)
		}
	}
	e.t.Fatalf("the text of a statement cannot be read from %T: teach the test", x)
	return ""
}

// noon is a Monday.
var noon = ist("2026-11-23 12:00:00")
