package templates

import (
	"fmt"
	"regexp"
	"strings"
)

// Type is what a tag of a registered text may stand for.
type Type string

// The types of tags. The names are those of the portals' direction of November 2025; TypeVar is the placeholder before it.
const (
	TypeVar          Type = "var"          // anything, 30 characters
	TypeNumeric      Type = "numeric"      // digits 0 to 9
	TypeAlphanumeric Type = "alphanumeric" // letters of any script, digits, space and a few signs
	TypeURL          Type = "url"          // whitelisted link
	TypeURLOTT       Type = "urlott"       // whitelisted link to an app or messenger
	TypeCBN          Type = "cbn"          // call-back number
	TypeEmail        Type = "email"
)

// Longest values in UTF-16 units, which is the stricter reading of "characters"; portals do not say which they count. For
// tags other than var, numeric and alphanumeric no figure is published, so that of alphanumeric is used.
const (
	maxVar   = 30
	maxTyped = 40
)

// aliases maps the spellings of the portals to types.
var aliases = map[string]Type{
	"var":          TypeVar,
	"numeric":      TypeNumeric,
	"number":       TypeNumeric,
	"num":          TypeNumeric,
	"alphanumeric": TypeAlphanumeric,
	"alp":          TypeAlphanumeric,
	"url":          TypeURL,
	"urlott":       TypeURLOTT,
	"uro":          TypeURLOTT,
	"cbn":          TypeCBN,
	"email":        TypeEmail,
}

const knownTags = "var, numeric (number, num), alphanumeric (alp), url, urlott (uro), cbn, email"

// Tag is a tag of a registered text: its spelling there and what it stands for.
type Tag struct {
	Name string // as spelled between {# and #}
	Type Type
}

// String gives the tag as it stands in the text.
func (t Tag) String() string { return "{#" + t.Name + "#}" }

// MaxLength is the largest length of a value, in UTF-16 units.
func (t Tag) MaxLength() int {
	if t.Type == TypeVar {
		return maxVar
	}
	return maxTyped
}

var tagPattern = regexp.MustCompile(`\{#[a-z]+#\}`)

// layout is a text cut at its tags: static[0] tags[0] static[1] … static[len(tags)].
type layout struct {
	templateID string
	static     []string
	tags       []Tag
	size       int // octets of all static parts
}

// newLayout cuts a text. Problems are tags that no portal knows and braces that look like a tag and are none.
func newLayout(text Text) (*layout, []string) {
	l := &layout{templateID: text.TemplateID}
	var problems []string
	at := 0
	for _, m := range tagPattern.FindAllStringIndex(text.Text, -1) {
		name := text.Text[m[0]+2 : m[1]-2]
		kind, ok := aliases[name]
		if !ok {
			problems = append(problems, fmt.Sprintf("unknown tag {#%s#}: known are %s", name, knownTags))
		}
		l.static = append(l.static, text.Text[at:m[0]])
		l.tags = append(l.tags, Tag{Name: name, Type: kind})
		at = m[1]
	}
	l.static = append(l.static, text.Text[at:])
	for _, s := range l.static {
		l.size += len(s)
		if i := strings.Index(s, "{#"); i >= 0 {
			problems = append(problems, fmt.Sprintf("%q begins no tag: write {#, small letters and #} without spaces", clip(s[i:])))
		} else if i := strings.Index(s, "#}"); i >= 0 {
			problems = append(problems, fmt.Sprintf("%q ends no tag: write {#, small letters and #} without spaces", clip(s[:i+2])))
		}
	}
	return l, problems
}

// clip shortens a piece of a template's own text for a message.
func clip(s string) string {
	const longest = 20
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
