package audience

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed schemes/*.yaml
var embeddedSchemes embed.FS

// ErrScheme is matched by every error in the text of a scheme.
var ErrScheme = errors.New("invalid scheme")

// ErrUnknownScheme says that no scheme has the id that was asked for.
var ErrUnknownScheme = errors.New("unknown scheme")

// Words is one text in the languages that a scheme is described in.
type Words struct {
	EN string `yaml:"en" json:"en"`
	HI string `yaml:"hi" json:"hi"`
}

// Clause is one criterion or exclusion of a scheme.
type Clause struct {
	ID    string // unique within the scheme
	Rule  *Rule  // what is asked of the contact
	Words Words  // what it says, for explain
	// Exclusion tells that a person of whom the rule is TRUE is not eligible.
	Exclusion bool
}

// Scheme is an entitlement with the rule of who has it, as data. A person is
// eligible when every criterion holds and no exclusion does.
type Scheme struct {
	ID        string
	Version   int
	Level     string  // "central" or "state"
	States    []State // where it exists; empty is everywhere
	Name      Words
	Benefit   Words
	ValidFrom time.Time // first day, in India; zero when open
	ValidTo   time.Time // last day, in India; zero when open
	Helpline  string
	Clauses   []Clause // criteria first, then exclusions, in the order of the file
	Documents []Words
	Sources   []string
	CheckedOn time.Time // when somebody last compared it with its sources
	Notes     []string
}

// Schemes are the known schemes by id.
type Schemes map[string]Scheme

// IDs returns the ids in alphabetical order.
func (s Schemes) IDs() []string { return slices.Sorted(maps.Keys(s)) }

// Find returns the scheme with an id; the error matches ErrUnknownScheme and
// names the known ones.
func (s Schemes) Find(id string) (Scheme, error) {
	if scheme, ok := s[id]; ok {
		return scheme, nil
	}
	if near := suggest(id, s.IDs()); near != "" {
		return Scheme{}, fmt.Errorf("%w %q: did you mean %s? Known are %s", ErrUnknownScheme, id, near, strings.Join(s.IDs(), ", "))
	}
	return Scheme{}, fmt.Errorf("%w %q: known are %s", ErrUnknownScheme, id, strings.Join(s.IDs(), ", "))
}

var shippedSchemes = sync.OnceValues(func() (Schemes, error) { return readSchemes(embeddedSchemes, "schemes") })

// LoadSchemes returns the schemes that ship with the program, and over them
// those of the given folders: every *.yaml file at the top of each. A scheme
// of a later folder replaces one of the same id. All problems of a file are
// reported together with their lines.
func LoadSchemes(folders ...fs.FS) (Schemes, error) {
	shipped, err := shippedSchemes()
	if err != nil {
		return nil, err
	}
	schemes := maps.Clone(shipped)
	for _, folder := range folders {
		more, err := readSchemes(folder, ".")
		if err != nil {
			return nil, err
		}
		maps.Copy(schemes, more)
	}
	return schemes, nil
}

func readSchemes(folder fs.FS, dir string) (Schemes, error) {
	names, err := fs.Glob(folder, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list schemes: %w", err)
	}
	schemes := Schemes{}
	var errs error
	for _, name := range names {
		source, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read scheme %s: %w", path.Base(name), err)
		}
		scheme, err := ParseScheme(source)
		switch {
		case err != nil:
			errs = errors.Join(errs, fmt.Errorf("scheme file %s: %w", path.Base(name), err))
		case scheme.ID+".yaml" != path.Base(name):
			errs = errors.Join(errs, fmt.Errorf("scheme file %s: %w: the id is %s: name the file %s.yaml", path.Base(name), ErrScheme, scheme.ID, scheme.ID))
		default:
			schemes[scheme.ID] = scheme
		}
	}
	return schemes, errs
}

// Warnings returns what is not wrong but should be looked at before a campaign
// on the day on uses the scheme: a validity that has not begun or is over, and
// facts that nobody has compared with their sources for a year.
func (s Scheme) Warnings(on time.Time) []string {
	day := indianDate(on)
	var warnings []string
	if !s.ValidFrom.IsZero() && day.Before(s.ValidFrom) {
		warnings = append(warnings, fmt.Sprintf("scheme %s begins on %s", s.ID, s.ValidFrom.Format(time.DateOnly)))
	}
	if !s.ValidTo.IsZero() && day.After(s.ValidTo) {
		warnings = append(warnings, fmt.Sprintf("scheme %s ended on %s: look up whether it was prolonged and set valid_to", s.ID, s.ValidTo.Format(time.DateOnly)))
	}
	if day.After(s.CheckedOn.AddDate(1, 0, 0)) {
		warnings = append(warnings, fmt.Sprintf("scheme %s was last checked on %s: compare it with its sources and set checked_on", s.ID, s.CheckedOn.Format(time.DateOnly)))
	}
	return warnings
}
