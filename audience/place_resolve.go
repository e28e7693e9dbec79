package audience

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnknownPlace says that no state or district bears the name.
var ErrUnknownPlace = errors.New("unknown place")

// ErrAmbiguousPlace says that several districts bear the name and nothing tells which one is meant.
var ErrAmbiguousPlace = errors.New("ambiguous place")

// UnknownPlaceError is the error of a name or code that is in no table. It matches ErrUnknownPlace.
type UnknownPlaceError struct {
	// Kind is "state", "district" or "place".
	Kind string
	// Text is what was written.
	Text string
	// Within is the English name of the state that was searched, or empty.
	Within string
	// Suggestions are up to three places that are written nearly so, such as "Ranchi (JH)". None
	// of them is ever taken by itself.
	Suggestions []string
}

// Error names the place and what may have been meant.
func (e *UnknownPlaceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "unknown %s %q", e.Kind, e.Text)
	if e.Within != "" {
		b.WriteString(" in " + e.Within)
	}
	if len(e.Suggestions) > 0 {
		b.WriteString(": did you mean " + strings.Join(e.Suggestions, ", ") + "?")
	} else {
		b.WriteString(": write its name, its LGD code, or state/district such as JH/Ranchi")
	}
	return b.String()
}

// Is reports that every UnknownPlaceError is an ErrUnknownPlace.
func (e *UnknownPlaceError) Is(target error) bool { return target == ErrUnknownPlace }

// AmbiguousPlaceError is the error of a name that several districts bear. It matches
// ErrAmbiguousPlace.
type AmbiguousPlaceError struct {
	// Text is what was written.
	Text string
	// Options are all that it can mean, in the form that Resolve takes: "HP/Bilaspur".
	Options []string
}

// Error names all the places that may be meant.
func (e *AmbiguousPlaceError) Error() string {
	return fmt.Sprintf("district %q can be %s: write which one", e.Text, strings.Join(e.Options, " or "))
}

// Is reports that every AmbiguousPlaceError is an ErrAmbiguousPlace.
func (e *AmbiguousPlaceError) Is(target error) bool { return target == ErrAmbiguousPlace }

// Resolve reads a home entry as campaigns write it: a state or a district by name, abbreviation or
// LGD code, or a district with its state before it, "JH/Ranchi". A state's name goes before a
// district's (Delhi, Chandigarh). A bare number up to 38 is a state's code, so a district with so
// low a code is written with its state, "1/10" or "JK/Poonch".
func (p *Places) Resolve(s string) (Place, error) {
	if state, district, ok := strings.Cut(s, "/"); ok {
		st, err := p.ResolveState(state)
		if err != nil {
			return Place{}, err
		}
		d, err := p.ResolveDistrict(st.Code, district)
		return Place{State: d.State, District: d.Code}, err
	}
	if code, ok := placeCode(s); ok && code <= maxStateCode {
		st, err := p.ResolveState(s)
		return Place{State: st.Code}, err
	}
	if st, ok := p.findState(s); ok {
		return Place{State: st.Code}, nil
	}
	d, err := p.ResolveDistrict(0, s)
	if unknown := (*UnknownPlaceError)(nil); errors.As(err, &unknown) {
		unknown.Kind = "state or district"
		unknown.Suggestions = mergeSuggestions(p.suggestStates(s), unknown.Suggestions)
	}
	return Place{State: d.State, District: d.Code}, err
}

// ResolveState reads a state by its name in English or Hindi, an older name, its abbreviation or its
// LGD code. Case, spaces, hyphens and marks do not matter. The error is an *UnknownPlaceError.
func (p *Places) ResolveState(s string) (State, error) {
	if st, ok := p.findState(s); ok {
		return st, nil
	}
	return State{}, &UnknownPlaceError{Kind: "state", Text: strings.TrimSpace(s), Suggestions: p.suggestStates(s)}
}

// ResolveDistrict reads a district by its name in English or Hindi, an older name, a common
// spelling or its LGD code, within the state of the given code, or anywhere for state 0. A name
// that several districts bear is never guessed: the error is then an *AmbiguousPlaceError, and for
// an unknown one an *UnknownPlaceError.
func (p *Places) ResolveDistrict(state int16, s string) (District, error) {
	if code, ok := placeCode(s); ok {
		if i, ok := p.districtAt[code]; ok && (state == 0 || p.districts[i].State == state) {
			return p.districts[i], nil
		}
		return District{}, p.unknownDistrict(state, s)
	}
	for _, key := range placeKeys(s) {
		found := p.bearers(state, key)
		if len(found) == 1 {
			return p.districts[found[0]], nil
		}
		if len(found) > 1 {
			e := &AmbiguousPlaceError{Text: strings.TrimSpace(s)}
			for _, i := range found {
				e.Options = append(e.Options, p.written(i))
			}
			return District{}, e
		}
	}
	return District{}, p.unknownDistrict(state, s)
}

// maxStateCode is the highest state code that the directory has given out.
const maxStateCode = 38

func (p *Places) findState(s string) (State, bool) {
	if code, ok := placeCode(s); ok {
		if code > maxStateCode {
			return State{}, false
		}
		return p.State(int16(code)) //nolint:gosec // bounded above
	}
	for _, key := range placeKeys(s) {
		if i, ok := p.byAbbreviation[key]; ok {
			return p.states[i], true
		}
		if i, ok := p.byStateName[key]; ok {
			return p.states[i], true
		}
	}
	return State{}, false
}

// bearers returns the indexes of the districts of a state, or of all for state 0, that bear a name.
func (p *Places) bearers(state int16, key string) []int {
	all := p.byDistrictName[key]
	if state == 0 {
		return all
	}
	var out []int
	for _, i := range all {
		if p.districts[i].State == state {
			out = append(out, i)
		}
	}
	return out
}

// written returns a district in the form that Resolve takes.
func (p *Places) written(i int) string {
	d := p.districts[i]
	st, _ := p.State(d.State)
	return st.Abbreviation + "/" + d.NameEN
}

func (p *Places) unknownDistrict(state int16, s string) error {
	e := &UnknownPlaceError{Kind: "district", Text: strings.TrimSpace(s)}
	if st, ok := p.State(state); ok {
		e.Within = st.NameEN
	}
	e.Suggestions = p.suggestDistricts(state, s)
	return e
}

// placeCode reads an LGD code; a code as a spreadsheet exports it, "346.0", is meant too.
func placeCode(s string) (int32, bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".0")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	code, err := strconv.ParseInt(s, 10, 32)
	return int32(code), err == nil
}
