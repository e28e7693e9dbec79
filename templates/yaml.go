package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source walks YAML nodes strictly and collects what is wrong. Nodes are used and not struct decoding, because that stops at
// the first mistake, lets duplicates of other spellings through and turns 19-digit ids into numbers.
type source struct {
	problems Problems
}

func (s *source) add(n *yaml.Node, key, format string, args ...any) {
	line := 1
	if n != nil && n.Line > 0 {
		line = n.Line
	}
	s.problems = append(s.problems, Problem{Line: line, Key: key, What: fmt.Sprintf(format, args...)})
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// lateErrors are those for which the YAML package gives a line one too small: its parser's, as opposed to its scanner's.
var lateErrors = regexp.MustCompile(`^did not find expected (?:key|',' or|'-' indicator|node content|<document start>)`)

// document parses the text into its one mapping, or nil after a problem.
func (s *source) document(text []byte) *yaml.Node {
	var doc yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := dec.Decode(&doc); err != nil {
		s.syntax(err)
		return nil
	}
	if len(doc.Content) != 1 {
		s.add(nil, "", "the file is empty: write name, category, header, dlt and languages")
		return nil
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		s.add(&more, "", "a second document begins here: keep one template to a file")
		return nil
	}
	return doc.Content[0]
}

func (s *source) syntax(err error) {
	text := err.Error()
	p := Problem{Line: 1, What: "YAML: " + strings.TrimPrefix(text, "yaml: ")}
	if text == "EOF" {
		p.What = "the file is empty: write name, category, header, dlt and languages"
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		what := text[len(m[0]):]
		if lateErrors.MatchString(what) {
			p.Line++
		}
		p.What = "YAML: " + what
	}
	s.problems = append(s.problems, p)
}

// entry is a key of a mapping with its value.
type entry struct {
	key   *yaml.Node
	value *yaml.Node
}

// entries reads a mapping: keys once each and no aliases.
func (s *source) entries(n *yaml.Node, path string) []entry {
	if n.Kind != yaml.MappingNode {
		s.add(n, path, "is %s, wanted keys with values", kindName(n))
		return nil
	}
	var out []entry
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := join(path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			s.add(key, path, "a key must be a plain word")
		case slices.Contains(seen, key.Value):
			s.add(key, name, "is given twice: keep one")
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			s.add(value, name, "anchors and aliases are not read: write the value out")
		default:
			out = append(out, entry{key, value})
		}
		seen = append(seen, key.Value)
	}
	return out
}

// fields reads a mapping with a fixed set of keys; others are problems.
func (s *source) fields(n *yaml.Node, path string, known ...string) map[string]*yaml.Node {
	out := make(map[string]*yaml.Node)
	for _, e := range s.entries(n, path) {
		if !slices.Contains(known, e.key.Value) {
			s.add(e.key, join(path, e.key.Value), "unknown key: known are %s", strings.Join(known, ", "))
			continue
		}
		out[e.key.Value] = e.value
	}
	return out
}

// text reads a string. A number, date or boolean is a wrong type.
func (s *source) text(n *yaml.Node, path string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!str" && n.Tag != "!!null" {
		s.add(n, path, "%s is read as %s: put it in quotes", n.Value, kindName(n))
		return "", false
	}
	return s.scalar(n, path)
}

// scalar reads a value as it is written, whatever YAML takes it for: an id of 19 digits needs no quotes.
func (s *source) scalar(n *yaml.Node, path string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		s.add(n, path, "is %s, wanted text", kindName(n))
		return "", false
	case n.Tag == "!!null" || n.Value == "":
		s.add(n, path, "is empty")
		return "", false
	}
	return n.Value, true
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "yes or no"
	case "!!null":
		return "empty"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
