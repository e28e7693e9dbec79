package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalid is what every [Problems] is.
var ErrInvalid = errors.New("template is not usable")

// Problem is one thing that must be mended in a template's source.
type Problem struct {
	Line int    `json:"line"` // 1 … in the source
	Key  string `json:"key"`  // where in the YAML, as languages.hi.text; "" for the whole file
	What string `json:"what"` // what is wrong and what would be right
}

// String gives the problem on one line.
func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.What)
	}
	return fmt.Sprintf("line %d: %s: %s", p.Line, p.Key, p.What)
}

// Problems are all that was found wrong with a template, in the order of its lines.
type Problems []Problem

// Error gives every problem on a line of its own.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	lines = append(lines, ErrInvalid.Error()+":")
	for _, problem := range p {
		lines = append(lines, "  "+problem.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (p Problems) Unwrap() error { return ErrInvalid }

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Line - b.Line })
}
