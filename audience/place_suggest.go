package audience

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

const (
	maxSuggestions = 3
	// maxSuggestRunes bounds the work for a text that is no name at all.
	maxSuggestRunes = 48
)

type suggestion struct {
	text     string
	distance int
}

// suggestStates returns up to three states whose name is written nearly so.
func (p *Places) suggestStates(s string) []string {
	key := []rune(foldPlace(s))
	var found []suggestion
	for name, i := range p.byStateName {
		if d, ok := near(key, name); ok {
			found = append(found, suggestion{p.states[i].NameEN + " (" + p.states[i].Abbreviation + ")", d})
		}
	}
	return nearest(found)
}

// suggestDistricts returns up to three districts whose name is written nearly so. With a state, that
// state's come first, but a district that bears exactly this name elsewhere is said too: then the
// state is what is wrong.
func (p *Places) suggestDistricts(state int16, s string) []string {
	key := []rune(foldPlace(s))
	var found []suggestion
	for name, bearers := range p.byDistrictName {
		d, ok := near(key, name)
		if !ok {
			continue
		}
		for _, i := range bearers {
			distance := 2 * d
			if state != 0 && p.districts[i].State != state {
				if d > 0 {
					continue
				}
				distance = 1
			}
			st, _ := p.State(p.districts[i].State)
			found = append(found, suggestion{p.districts[i].NameEN + " (" + st.Abbreviation + ")", distance})
		}
	}
	return nearest(found)
}

func nearest(found []suggestion) []string {
	slices.SortFunc(found, func(a, b suggestion) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.text, b.text))
	})
	var out []string
	for _, f := range found {
		if len(out) == maxSuggestions {
			break
		}
		if !slices.Contains(out, f.text) {
			out = append(out, f.text)
		}
	}
	return out
}

func mergeSuggestions(a, b []string) []string {
	out := append(append([]string(nil), a...), b...)
	return out[:min(len(out), maxSuggestions)]
}

// near tells the edit distance of two folded names where it is small enough to be a slip of the pen:
// one letter in a short name, two from six letters on, three from eleven on.
func near(key []rune, name string) (int, bool) {
	n := utf8.RuneCountInString(name)
	if len(key) == 0 || len(key) > maxSuggestRunes {
		return 0, false
	}
	limit := 1
	if longer := max(n, len(key)); longer >= 11 {
		limit = 3
	} else if longer >= 6 {
		limit = 2
	}
	if n-len(key) > limit || len(key)-n > limit {
		return 0, false
	}
	d := editDistance(key, []rune(name))
	return d, d <= limit
}

// editDistance counts insertions, deletions, changes and swaps of neighbours (optimal string
// alignment).
func editDistance(a, b []rune) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
