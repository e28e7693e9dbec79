package audience

import (
	"fmt"
	"strings"
)

// resolve finds the state and the district of a row. A place that cannot be resolved is left out
// and noted; a district that lies in another state than the row says is left out too, since
// nobody can tell which of the two is wrong.
func (r *rowReader) resolve(c *importChunk, cells []span, texts *[2]rowPlace, stateCell, districtCell int) {
	var state int16
	if t := texts[0]; t.text != nil {
		a := r.stateOf(t.text)
		if a.reason != "" {
			r.problem(&r.odd, t.column, a.reason)
		}
		state = a.state
	}
	if t := texts[1]; t.text != nil {
		a := r.districtOf(state, t.text)
		if a.reason != "" {
			r.problem(&r.odd, t.column, a.reason)
		}
		if a.district != 0 {
			state = a.state
			from := len(c.arena)
			c.arena = appendInt4(c.arena, int64(a.district))
			cells[districtCell] = c.since(from)
		}
	}
	if state != 0 {
		from := len(c.arena)
		c.arena = appendInt2(c.arena, int64(state))
		cells[stateCell] = c.since(from)
	}
}

// stateOf resolves a state's text, remembering the answer.
func (r *rowReader) stateOf(text []byte) placeAnswer {
	if a, ok := r.states[string(text)]; ok {
		return a
	}
	s := string(text)
	st, err := r.places.ResolveState(s)
	a := placeAnswer{state: st.Code}
	if err != nil && !isUnknown(s) {
		a.reason = placeReason(s, err)
	}
	if len(r.states) < maxPlaceCache {
		r.states[s] = a
	}
	return a
}

// districtOf resolves a district's text within a state, or anywhere for state 0.
func (r *rowReader) districtOf(state int16, text []byte) placeAnswer {
	if a, ok := r.districts[districtText{state, string(text)}]; ok {
		return a
	}
	s := string(text)
	d, err := r.districtWritten(state, s)
	a := placeAnswer{state: d.State, district: d.Code}
	if err != nil && !isUnknown(s) {
		a.reason = placeReason(s, err)
	}
	if len(r.districts) < maxPlaceCache {
		r.districts[districtText{state, s}] = a
	}
	return a
}

// districtWritten also takes "JH/Ranchi" in the district's column.
func (r *rowReader) districtWritten(state int16, s string) (District, error) {
	before, after, ok := strings.Cut(s, "/")
	if !ok {
		return r.places.ResolveDistrict(state, s)
	}
	st, err := r.places.ResolveState(before)
	if err != nil {
		return District{}, err
	}
	if state != 0 && st.Code != state {
		return District{}, fmt.Errorf("district %q lies in another state than the row says", s)
	}
	return r.places.ResolveDistrict(st.Code, after)
}

// placeReason keeps a long text, which is no name of a place, out of the summary.
func placeReason(s string, err error) string {
	const enough = 60
	if len(s) > 3*enough {
		return fmt.Sprintf("unknown place of %d bytes: write its name or LGD code", len(s))
	}
	return err.Error()
}
