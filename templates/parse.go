package templates

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"pukar/smpp/coding"
)

// maxSource bounds a template's file; real ones have a few kilobytes.
const maxSource = 256 << 10

var (
	namePattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	headerPattern   = regexp.MustCompile(`^[A-Za-z0-9]{6}$`)
	idPattern       = regexp.MustCompile(`^[0-9]{19}$`)
	languagePattern = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// Parse reads a template from YAML. The error is [Problems]: all that is wrong, each with its line and what would be right.
// Text that only some portals refuse is no error; see Warnings.
func Parse(text []byte) (*Template, error) {
	p := parser{}
	t := p.parse(text)
	if len(p.problems) > 0 {
		p.problems.sort()
		return nil, p.problems
	}
	return t, nil
}

type parser struct {
	source
	root      *yaml.Node
	variables []*yaml.Node          // beside Template.Variables
	texts     map[string]*yaml.Node // languages.X.text
}

func (p *parser) parse(text []byte) *Template {
	if len(text) > maxSource {
		p.add(nil, "", "the file has %d octets, at most %d are read", len(text), maxSource)
		return nil
	}
	if !utf8.Valid(text) {
		p.add(nil, "", "the file is not UTF-8: save it in that encoding")
		return nil
	}
	if p.root = p.document(text); p.root == nil {
		return nil
	}
	keys := p.fields(p.root, "", "name", "category", "header", "dlt", "variables", "fallback_language", "languages")
	t := &Template{Languages: make(map[string]Text), layouts: make(map[string]*layout)}
	t.Name = p.pattern(keys, "name", p.text, namePattern, "begin with a small letter or digit, go on with those, - and _, at most 64")
	t.Category = p.category(keys)
	t.Header = p.pattern(keys, "header", p.scalar, headerPattern,
		"exactly 6 letters or digits as registered; what the network adds (VM-…-S) does not belong here")
	if n, ok := p.need(keys, "dlt", p.root); ok {
		dlt := p.fields(n, "dlt", "entity_id")
		if id, ok := p.need(dlt, "entity_id", n, "dlt"); ok {
			t.DLT.EntityID = p.id(id, "dlt.entity_id")
		}
	}
	p.readVariables(t, keys["variables"])
	p.readLanguages(t, keys)
	p.readFallback(t, keys["fallback_language"])
	p.checkTexts(t)
	p.checkDefaults(t)
	return t
}

// need finds a key that must be there.
func (p *parser) need(keys map[string]*yaml.Node, key string, parent *yaml.Node, path ...string) (*yaml.Node, bool) {
	n, ok := keys[key]
	if !ok {
		for i := 0; i+1 < len(parent.Content); i += 2 { // given, but refused already
			if parent.Kind == yaml.MappingNode && parent.Content[i].Value == key {
				return nil, false
			}
		}
		p.add(parent, join(strings.Join(path, "."), key), "is missing")
	}
	return n, ok
}

func (p *parser) pattern(keys map[string]*yaml.Node, key string, read func(*yaml.Node, string) (string, bool), want *regexp.Regexp, rule string) string {
	n, ok := p.need(keys, key, p.root)
	if !ok {
		return ""
	}
	value, ok := read(n, key)
	if ok && !want.MatchString(value) {
		p.add(n, key, "%q cannot be used: %s", value, rule)
	}
	return value
}

func (p *parser) category(keys map[string]*yaml.Node) string {
	n, ok := p.need(keys, "category", p.root)
	if !ok {
		return ""
	}
	value, ok := p.text(n, "category")
	known := []string{Promotional, Service, Transactional, Government}
	if ok && !slices.Contains(known, value) {
		p.add(n, "category", "unknown category %q: known are %s%s", value, strings.Join(known, ", "), categoryHint(value))
	}
	return value
}

// categoryHint explains the portals' own names for what is one category here.
func categoryHint(value string) string {
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(value)) {
	case "serviceimplicit", "si":
		return "; service-implicit is service"
	case "serviceexplicit", "se":
		return "; service-explicit has been promotional since May 2025"
	}
	return ""
}

func (p *parser) id(n *yaml.Node, path string) string {
	value, ok := p.scalar(n, path)
	if ok && !idPattern.MatchString(value) {
		p.add(n, path, "%q is no id: it has 19 digits", value)
	}
	return value
}

func (p *parser) readVariables(t *Template, n *yaml.Node) {
	t.Variables = []Variable{}
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.add(n, "variables", "is %s, wanted a list of contact fields as [name, home_district]", kindName(n))
		return
	}
	for i, item := range n.Content {
		path := fmt.Sprintf("variables[%d]", i+1)
		v := Variable{}
		field := item
		if item.Kind == yaml.MappingNode {
			keys := p.fields(item, path, "field", "default")
			field, _ = p.need(keys, "field", item, path)
			if d, ok := keys["default"]; ok {
				p.readDefault(&v, d, path+".default")
			}
		}
		if field != nil {
			var ok bool
			if v.Field, ok = p.text(field, path); ok && !isField(v.Field) {
				p.add(field, path, "%q is no contact field that a message can show: known are %s, and attributes.NAME for further columns", v.Field, strings.Join(fields, ", "))
			}
		}
		t.Variables = append(t.Variables, v)
		p.variables = append(p.variables, item)
	}
}

// readDefault takes one text for all languages, or a text for each.
func (p *parser) readDefault(v *Variable, n *yaml.Node, path string) {
	v.HasDefault = true
	if n.Kind != yaml.MappingNode {
		v.Default, _ = p.scalar(n, path)
		return
	}
	v.Defaults = make(map[string]string)
	for _, e := range p.entries(n, path) {
		v.Defaults[e.key.Value], _ = p.scalar(e.value, join(path, e.key.Value))
	}
}

func (p *parser) readLanguages(t *Template, keys map[string]*yaml.Node) {
	p.texts = make(map[string]*yaml.Node)
	n, ok := p.need(keys, "languages", p.root)
	if !ok {
		return
	}
	all := p.entries(n, "languages")
	if len(all) == 0 && n.Kind == yaml.MappingNode {
		p.add(n, "languages", "is empty: give at least one language with template_id and text")
	}
	for _, e := range all {
		code, path := e.key.Value, "languages."+e.key.Value
		if !languagePattern.MatchString(code) {
			p.add(e.key, path, "%q is no language code: use hi, en, bn, or, ta, bho … (ISO 639)", code)
		}
		parts := p.fields(e.value, path, "template_id", "text")
		text := Text{}
		if id, ok := p.need(parts, "template_id", e.value, path); ok {
			text.TemplateID = p.id(id, path+".template_id")
		}
		if body, ok := p.need(parts, "text", e.value, path); ok {
			if text.Text, ok = p.text(body, path+".text"); ok {
				p.texts[code] = body
			}
		}
		t.Languages[code] = text
	}
}

func (p *parser) readFallback(t *Template, n *yaml.Node) {
	codes := slices.Sorted(maps.Keys(t.Languages))
	if n == nil {
		if len(codes) == 1 {
			t.FallbackLanguage = codes[0]
		} else if len(codes) > 1 {
			p.add(p.root, "fallback_language", "is missing: name one of %s", strings.Join(codes, ", "))
		}
		return
	}
	value, ok := p.text(n, "fallback_language")
	if _, known := t.Languages[value]; ok && !known {
		p.add(n, "fallback_language", "%q is none of the template's languages: %s", value, strings.Join(codes, ", "))
	}
	t.FallbackLanguage = value
}

// checkTexts cuts every text at its tags and holds it to the variables and to the limit of parts.
func (p *parser) checkTexts(t *Template) {
	for code, n := range p.texts {
		path := "languages." + code + ".text"
		for _, r := range t.Languages[code].Text {
			if r < ' ' && r != '\n' || r == 0x7F || r == utf8.RuneError {
				p.add(n, path, "has the character %U, which no portal registers: take it out", r)
				break
			}
		}
		l, problems := newLayout(t.Languages[code])
		for _, what := range problems {
			p.add(n, path, "%s", what)
		}
		if len(l.tags) != len(t.Variables) {
			p.add(n, path, "has %s, but variables lists %d: give each tag its variable, in order",
				count(len(l.tags), "tag", "tags"), len(t.Variables))
		}
		t.layouts[code] = l
		if parts := l.mostParts(); parts > coding.MaxParts {
			p.add(n, path, "needs up to %d parts, at most %d are allowed: shorten it", parts, coding.MaxParts)
		}
	}
}

// checkDefaults holds defaults to the tags that they may fill, in every language.
func (p *parser) checkDefaults(t *Template) {
	for i, v := range t.Variables {
		n, path := p.variables[i], fmt.Sprintf("variables[%d].default", i+1)
		for code := range v.Defaults {
			if _, ok := t.Languages[code]; !ok {
				p.add(n, path, "%q is none of the template's languages", code)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(t.layouts)) {
			l := t.layouts[code]
			if !v.HasDefault || i >= len(l.tags) {
				continue
			}
			value, ok := v.Defaults[code]
			if v.Defaults == nil {
				value, ok = v.Default, true
			}
			if !ok {
				p.add(n, path, "has no text for %s: give every language one", code)
			} else if why := l.tags[i].check(value); value != "" && why != "" {
				p.add(n, path, "in %s (%s) %s", code, l.tags[i], why)
			}
		}
		if v.Defaults != nil {
			t.Variables[i].Default = v.Defaults[t.FallbackLanguage]
		}
	}
}

// mostParts counts the parts of the text with the longest values. A tag that takes letters may be filled in a script
// outside GSM 7-bit, which turns the whole message into UCS-2.
func (l *layout) mostParts() int {
	var longest strings.Builder
	for i, tag := range l.tags {
		longest.WriteString(l.static[i])
		filler := "9"
		if tag.Type == TypeVar || tag.Type == TypeAlphanumeric {
			filler = "क"
		}
		longest.WriteString(strings.Repeat(filler, tag.MaxLength()))
	}
	longest.WriteString(l.static[len(l.tags)])
	_, _, parts := coding.Count(longest.String())
	return parts
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
