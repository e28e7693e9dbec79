package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Where is the file and line, the environment variable or the flag; empty where a needed key is missing.
	Where string
	// Key is the path of the key, such as routes[0].binds[1].addr.
	Key string
	// Text says what is wrong and how to mend it.
	Text string
}

// String is the problem on one line.
func (p Problem) String() string {
	if p.Where == "" {
		return p.Key + ": " + p.Text
	}
	return p.Where + ": " + p.Key + ": " + p.Text
}

// InvalidError lists everything that is wrong with a configuration.
type InvalidError struct{ Problems []Problem }

// Error puts each problem on a line of its own.
func (e *InvalidError) Error() string {
	var b strings.Builder
	if len(e.Problems) == 1 {
		b.WriteString("the configuration has a problem:")
	} else {
		fmt.Fprintf(&b, "the configuration has %d problems:", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// nearest returns the known word that differs least from the given one, or "" where none is near.
func nearest(word string, known []string) string {
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if d := edits(word, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits counts the insertions, deletions and replacements that turn a into b (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
