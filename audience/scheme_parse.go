package audience

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxSchemeBytes bounds what is read as a scheme; real ones have some 3 KB.
const maxSchemeBytes = 64 << 10

var schemeID = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)

// schemeFile is the text of a scheme as it stands in YAML. Nodes keep their lines.
type schemeFile struct {
	ID         string       `yaml:"id"`
	Version    int          `yaml:"version"`
	Level      string       `yaml:"level"`
	States     yaml.Node    `yaml:"states"`
	Name       Words        `yaml:"name"`
	Benefit    Words        `yaml:"benefit"`
	ValidFrom  string       `yaml:"valid_from"`
	ValidTo    string       `yaml:"valid_to"`
	Helpline   string       `yaml:"helpline"`
	Criteria   []clauseFile `yaml:"criteria"`
	Exclusions []clauseFile `yaml:"exclusions"`
	Documents  []Words      `yaml:"documents"`
	Sources    []string     `yaml:"sources"`
	CheckedOn  string       `yaml:"checked_on"`
	Notes      []string     `yaml:"notes"`
}

type clauseFile struct {
	ID   string    `yaml:"id"`
	Rule yaml.Node `yaml:"rule"`
	EN   string    `yaml:"en"`
	HI   string    `yaml:"hi"`
}

// schemeParser collects the problems of one file.
type schemeParser struct {
	lines map[string]int // of the keys at the top
	errs  []error
}

func (p *schemeParser) problem(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("line %d: %s", max(line, 1), fmt.Sprintf(format, args...)))
}

// ParseScheme reads one scheme. Unknown keys, missing facts, rules that do not
// type-check, and dates that contradict each other are refused, all at once
// and each with its line; the error matches ErrScheme.
func ParseScheme(source []byte) (Scheme, error) {
	p := &schemeParser{lines: map[string]int{}}
	scheme := p.parse(source)
	if len(p.errs) > 0 {
		return Scheme{}, fmt.Errorf("%w: %w", ErrScheme, errors.Join(p.errs...))
	}
	return scheme, nil
}

func (p *schemeParser) parse(source []byte) Scheme {
	if len(source) > maxSchemeBytes {
		p.problem(1, "the file has %d bytes, the limit is %d", len(source), maxSchemeBytes)
		return Scheme{}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		p.errs = append(p.errs, err)
		return Scheme{}
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		p.problem(1, "a scheme is a list of keys, beginning with id")
		return Scheme{}
	}
	root := document.Content[0]
	p.checkKeys(root)
	var file schemeFile
	if err := root.Decode(&file); err != nil {
		p.errs = append(p.errs, err)
	}
	if len(p.errs) > 0 {
		return Scheme{}
	}
	return p.scheme(&file, root)
}

// schemeKeys are the keys of each mapping of the file, by the key that leads to it.
func schemeKeys(under string) []string {
	switch under {
	case "":
		return []string{"id", "version", "level", "states", "name", "benefit", "valid_from", "valid_to", "helpline", "criteria", "exclusions", "documents", "sources", "checked_on", "notes"}
	case "criteria", "exclusions":
		return []string{"id", "rule", "en", "hi"}
	default:
		return []string{"en", "hi"}
	}
}

// checkKeys refuses unknown and repeated keys at every level.
func (p *schemeParser) checkKeys(root *yaml.Node) {
	p.checkMapping(root, "")
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		p.lines[key.Value] = key.Line
		switch value.Kind {
		case yaml.MappingNode:
			p.checkMapping(value, key.Value)
		case yaml.SequenceNode:
			for _, element := range value.Content {
				if element.Kind == yaml.MappingNode {
					p.checkMapping(element, key.Value)
				}
			}
		}
	}
}

func (p *schemeParser) checkMapping(node *yaml.Node, under string) {
	known := schemeKeys(under)
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case seen[key.Value]:
			p.problem(key.Line, "%s is said twice", key.Value)
		case !slices.Contains(known, key.Value):
			if near := suggest(key.Value, known); near != "" {
				p.problem(key.Line, "unknown key %q: did you mean %s?", key.Value, near)
			} else {
				p.problem(key.Line, "unknown key %q: known are %s", key.Value, strings.Join(known, ", "))
			}
		}
		seen[key.Value] = true
	}
}

func (p *schemeParser) scheme(file *schemeFile, root *yaml.Node) Scheme {
	s := Scheme{
		ID: file.ID, Version: file.Version, Level: file.Level, Name: file.Name, Benefit: file.Benefit,
		Helpline: file.Helpline, Documents: file.Documents, Sources: file.Sources, Notes: file.Notes,
	}
	if !schemeID.MatchString(s.ID) {
		p.problem(p.lines["id"], "id %q: write 2 to 40 of a-z, 0-9 and _, beginning with a letter", s.ID)
	}
	if s.Version < 1 {
		p.problem(p.lines["version"], "version must be 1 or more: raise it when the rule changes")
	}
	if s.Level != "central" && s.Level != "state" {
		p.problem(p.lines["level"], "level %q: write central or state", s.Level)
	}
	p.needWords("name", s.Name)
	p.needWords("benefit", s.Benefit)
	for i, document := range s.Documents {
		if document.EN == "" || document.HI == "" {
			p.problem(p.lines["documents"], "document %d: needs en and hi", i+1)
		}
	}
	for key, missing := range map[string]bool{"helpline": s.Helpline == "", "documents": len(s.Documents) == 0, "sources": len(s.Sources) == 0, "criteria": len(file.Criteria) == 0} {
		if missing {
			p.problem(p.lines[key], "%s is missing", key)
		}
	}
	s.States = p.states(&file.States)
	s.ValidFrom = p.date("valid_from", file.ValidFrom, false)
	s.ValidTo = p.date("valid_to", file.ValidTo, false)
	s.CheckedOn = p.date("checked_on", file.CheckedOn, true)
	if !s.ValidTo.IsZero() && s.ValidTo.Before(s.ValidFrom) {
		p.problem(p.lines["valid_to"], "valid_to lies before valid_from")
	}
	s.Clauses = append(p.clauses("criteria", file.Criteria, root, false), p.clauses("exclusions", file.Exclusions, root, true)...)
	seen := map[string]bool{}
	for _, c := range s.Clauses {
		if seen[c.ID] {
			p.problem(p.lines["criteria"], "two clauses have the id %s", c.ID)
		}
		seen[c.ID] = true
	}
	slices.SortStableFunc(p.errs, func(a, b error) int { return strings.Compare(lineKey(a), lineKey(b)) })
	return s
}

// lineKey orders "line 7: …" before "line 12: …".
func lineKey(err error) string {
	text, _, _ := strings.Cut(err.Error(), ":")
	return fmt.Sprintf("%12s", text)
}

func (p *schemeParser) needWords(key string, words Words) {
	if words.EN == "" || words.HI == "" {
		p.problem(p.lines[key], "%s needs en and hi", key)
	}
}

func (p *schemeParser) date(key, text string, needed bool) time.Time {
	if text == "" {
		if needed {
			p.problem(p.lines[key], "%s is missing", key)
		}
		return time.Time{}
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		p.problem(p.lines[key], "%s %q: write a day as 2026-11-30", key, text)
	}
	return date
}

func (p *schemeParser) states(node *yaml.Node) []State {
	if node.Kind == yaml.ScalarNode && node.Value == "all" {
		return nil
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		p.problem(max(node.Line, p.lines["states"]), "states: write all, or a list of states such as [BR, JH]")
		return nil
	}
	var states []State
	for _, element := range node.Content {
		state, err := KnownPlaces().ResolveState(element.Value)
		if err != nil {
			p.problem(element.Line, "%v", err)
			continue
		}
		states = append(states, state)
	}
	return states
}

func (p *schemeParser) clauses(key string, files []clauseFile, root *yaml.Node, exclusion bool) []Clause {
	lines := elementLines(root, key)
	clauses := make([]Clause, 0, len(files))
	for i, file := range files {
		line := lines[i]
		if !schemeID.MatchString(file.ID) {
			p.problem(line, "%s: id %q: write 2 to 40 of a-z, 0-9 and _, beginning with a letter", key, file.ID)
		}
		if file.EN == "" || file.HI == "" {
			p.problem(line, "%s: clause %q needs en and hi", key, file.ID)
		}
		if file.Rule.Kind != yaml.ScalarNode {
			p.problem(line, "%s: clause %q needs a rule", key, file.ID)
			continue
		}
		rule, err := ParseRule(file.Rule.Value)
		if err != nil {
			p.problem(file.Rule.Line, "%s: clause %q: %v", key, file.ID, err)
			continue
		}
		clauses = append(clauses, Clause{ID: file.ID, Rule: rule, Words: Words{EN: file.EN, HI: file.HI}, Exclusion: exclusion})
	}
	return clauses
}

func elementLines(root *yaml.Node, key string) []int {
	var lines []int
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == key {
			for _, element := range root.Content[i+1].Content {
				lines = append(lines, element.Line)
			}
		}
	}
	return lines
}
