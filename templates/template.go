package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Categories of a template (TCCCPR 2018 as amended). The category decides the legal window and whether consent is needed.
const (
	Promotional   = "promotional"
	Service       = "service"
	Transactional = "transactional"
	Government    = "government"
)

// ErrLanguage says that a template has no text in the language asked for.
var ErrLanguage = errors.New("template has no such language")

// Template is a message in all its languages, as checked by [Parse].
type Template struct {
	Name             string          `json:"name"`
	Category         string          `json:"category"` // Promotional, Service, Transactional or Government
	Header           string          `json:"header"`   // sender id: six letters or digits, case as registered, without the network's suffix
	DLT              DLT             `json:"dlt"`
	Variables        []Variable      `json:"variables"` // fill the tags of every language in this order
	FallbackLanguage string          `json:"fallback_language"`
	Languages        map[string]Text `json:"languages"` // by code: hi, en, bho …

	layouts map[string]*layout
}

// DLT names the sender's registration.
type DLT struct {
	EntityID string `json:"entity_id"` // principal entity, 19 digits
}

// Text is one language of a template, which is a registration of its own.
type Text struct {
	TemplateID string `json:"template_id"` // content template id, 19 digits
	Text       string `json:"text"`        // as registered, with its tags
}

// Variable is the contact field that fills a tag.
type Variable struct {
	Field      string            `json:"field"`
	Default    string            `json:"default,omitempty"` // used where the field is empty; of several languages that of the fallback
	HasDefault bool              `json:"has_default,omitempty"`
	Defaults   map[string]string `json:"defaults,omitempty"` // by language, where they differ
}

// DefaultIn gives the default of the variable in a language, and whether there is one.
func (v Variable) DefaultIn(language string) (string, bool) {
	if text, ok := v.Defaults[language]; ok {
		return text, true
	}
	return v.Default, v.HasDefault
}

// Language gives the language that a person who prefers the given one is written to in: that one where the template has it,
// else the fallback.
func (t *Template) Language(preferred string) string {
	if _, ok := t.Languages[preferred]; ok {
		return preferred
	}
	return t.FallbackLanguage
}

// LanguageCodes lists the template's languages: the fallback first, then the others in alphabetical order.
func (t *Template) LanguageCodes() []string {
	codes := make([]string, 0, len(t.Languages))
	for code := range t.Languages {
		if code != t.FallbackLanguage {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return append([]string{t.FallbackLanguage}, codes...)
}

// Render fills the tags of a language with values in the order of Variables and gives the text with its registered template
// id. Values are trimmed; an empty one takes the variable's default. The language must be one of Languages (see Language).
// Errors are [ErrLanguage] and [*ValueError], which names the variable and never holds the value.
func (t *Template) Render(language string, vars []string) (text, templateID string, err error) {
	l, ok := t.layouts[language]
	if !ok {
		return "", "", fmt.Errorf("language %q of template %s: %w: it has %s", language, t.Name, ErrLanguage, strings.Join(t.LanguageCodes(), ", "))
	}
	if len(vars) != len(t.Variables) {
		return "", "", fmt.Errorf("render template %s: %d values for %d variables", t.Name, len(vars), len(t.Variables))
	}
	if len(vars) == 0 {
		return l.static[0], l.templateID, nil
	}
	size := l.size
	for _, value := range vars {
		size += len(value)
	}
	var out strings.Builder
	out.Grow(size)
	for i, value := range vars {
		value = strings.TrimSpace(value)
		if value == "" {
			if value, ok = t.Variables[i].DefaultIn(language); !ok {
				return "", "", &ValueError{Field: t.Variables[i].Field, Language: language, Tag: l.tags[i], Why: "is empty and has no default"}
			}
		}
		if why := l.tags[i].check(value); why != "" {
			return "", "", &ValueError{Field: t.Variables[i].Field, Language: language, Tag: l.tags[i], Why: why}
		}
		out.WriteString(l.static[i])
		out.WriteString(value)
	}
	out.WriteString(l.static[len(vars)])
	return out.String(), l.templateID, nil
}

// ValueError says that a value cannot stand in its tag, so that the message would be refused by the operator. It does not
// hold the value, so that it may be logged and stored.
type ValueError struct {
	Field    string
	Language string
	Tag      Tag
	Why      string
}

// Error names the variable, its tag and the reason.
func (e *ValueError) Error() string {
	return fmt.Sprintf("variable %s in %s (%s) %s", e.Field, e.Language, e.Tag, e.Why)
}
