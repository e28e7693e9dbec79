package audience

import (
	_ "embed"
	"encoding/csv"
	"strconv"
	"strings"
	"sync"
)

// The project's own table of places. Codes and English names follow the Local Government Directory
// of the Government of India (state of 25 May 2026); see places/README.md.
var (
	//go:embed places/states.csv
	statesCSV string
	//go:embed places/districts.csv
	districtsCSV string
)

// State is a state or union territory.
type State struct {
	// Code is the code of the Local Government Directory, 1 to 38.
	Code int16
	// Abbreviation is the official two letters: BR, UP, JH, OD, TS.
	Abbreviation   string
	NameEN, NameHI string
	aliases        []string
}

// District is a district of a state.
type District struct {
	// Code is the code of the Local Government Directory.
	Code int32
	// State is the code of the state that the district lies in.
	State          int16
	NameEN, NameHI string
	aliases        []string
}

// Place is what a home entry of a campaign means: a state, or one district of it.
type Place struct {
	State int16
	// District is 0 for the whole state.
	District int32
}

// Places resolves what people write for states and districts. It is read-only after it is made and
// may be used by any number of goroutines.
type Places struct {
	states    []State
	districts []District
	stateAt   map[int16]int
	// byAbbreviation and byStateName lead to indexes of states.
	byAbbreviation map[string]int
	byStateName    map[string]int
	districtAt     map[int32]int
	// byDistrictName leads from a folded name to the indexes of all districts that bear it, as
	// their own name or as an alias: an old name can be a neighbour's present one.
	byDistrictName map[string][]int
}

// KnownPlaces returns the embedded table of 36 states and union territories and 786 districts.
func KnownPlaces() *Places { return knownPlaces() }

var knownPlaces = sync.OnceValue(func() *Places {
	p, err := newPlaces(statesCSV, districtsCSV)
	if err != nil {
		panic("audience: embedded table of places: " + err.Error())
	}
	return p
})

func newPlaces(states, districts string) (*Places, error) {
	p := &Places{
		stateAt: map[int16]int{}, byAbbreviation: map[string]int{}, byStateName: map[string]int{},
		districtAt: map[int32]int{}, byDistrictName: map[string][]int{},
	}
	rows, err := csv.NewReader(strings.NewReader(states)).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, r := range rows[1:] {
		code, err := strconv.ParseInt(r[0], 10, 16)
		if err != nil {
			return nil, err
		}
		p.addState(State{Code: int16(code), Abbreviation: r[1], NameEN: r[2], NameHI: r[3], aliases: splitAliases(r[4])})
	}
	rows, err = csv.NewReader(strings.NewReader(districts)).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, r := range rows[1:] {
		code, err := strconv.ParseInt(r[0], 10, 32)
		if err != nil {
			return nil, err
		}
		state, err := strconv.ParseInt(r[1], 10, 16)
		if err != nil {
			return nil, err
		}
		p.addDistrict(District{Code: int32(code), State: int16(state), NameEN: r[2], NameHI: r[3], aliases: splitAliases(r[4])})
	}
	return p, nil
}

func splitAliases(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func (p *Places) addState(s State) {
	i := len(p.states)
	p.states = append(p.states, s)
	p.stateAt[s.Code] = i
	p.byAbbreviation[foldPlace(s.Abbreviation)] = i
	for _, name := range append([]string{s.NameEN, s.NameHI}, s.aliases...) {
		p.byStateName[foldPlace(name)] = i
	}
}

func (p *Places) addDistrict(d District) {
	i := len(p.districts)
	p.districts = append(p.districts, d)
	p.districtAt[d.Code] = i
	for _, name := range append([]string{d.NameEN, d.NameHI}, d.aliases...) {
		key := foldPlace(name)
		bearers := p.byDistrictName[key]
		if n := len(bearers); n == 0 || bearers[n-1] != i {
			p.byDistrictName[key] = append(bearers, i)
		}
	}
}

// States returns all states in the order of their codes. The caller may keep and change the slice.
func (p *Places) States() []State { return append([]State(nil), p.states...) }

// Districts returns the districts of a state, or all of them for state 0, in the order of their
// codes. The caller may keep and change the slice.
func (p *Places) Districts(state int16) []District {
	var out []District
	for _, d := range p.districts {
		if state == 0 || d.State == state {
			out = append(out, d)
		}
	}
	return out
}

// State returns the state of a code.
func (p *Places) State(code int16) (State, bool) {
	i, ok := p.stateAt[code]
	if !ok {
		return State{}, false
	}
	return p.states[i], true
}

// District returns the district of a code.
func (p *Places) District(code int32) (District, bool) {
	i, ok := p.districtAt[code]
	if !ok {
		return District{}, false
	}
	return p.districts[i], true
}
