package api

import "testing"

func TestAProblemNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, problem := range map[string]Problem{
		"days: expected number >= 1": {Detail: "validation failed", Errors: []Mistake{{"expected number >= 1", "query.days"}}},
		"days: a; reason: b: do so":  {Detail: "validation failed", Mend: "do so", Errors: []Mistake{{"a", "query.days"}, {"b", "body.reason"}}},
		"the file: a (line 3); b":    {Detail: "the file: a (line 3)", Errors: []Mistake{{"b", ""}}},
		"x; a (line 2)":              {Detail: "x", Errors: []Mistake{{"a", "line 2"}}},
		"no such thing: make it":     {Title: "no such thing", Mend: "make it"},
	} {
		if got := problem.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
