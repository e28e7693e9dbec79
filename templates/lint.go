package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"pukar/smpp/coding"
)

// manyVariables is the number from which some portals refuse a text.
const manyVariables = 3

var (
	doubleSpace = regexp.MustCompile(` {2,}`)
	urlPattern  = regexp.MustCompile(`(?i)(?:https?://|www\.)[^\s\x00]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|in|org|net|gov|info|ly|me|co|app|link|io|page|gl)\b(?:/[^\s\x00]*)?`)
	ipURL       = regexp.MustCompile(`(?i)^(?:https?://)?\d{1,3}(?:\.\d{1,3}){3}\b`)
	// A number that reads like one to call: written with digits, spaces and hyphens.
	numberPattern = regexp.MustCompile(`\+?\p{Nd}(?:[ -]?\p{Nd})+`)
	rupeesBefore  = regexp.MustCompile(`(?:Rs\.?|INR|₹|रु\.?|रू\.?|৳|ரூ\.?)\s*$`)
)

// replacements are characters of word processors that turn a Latin text into UCS-2, with what GSM 7-bit has instead.
var replacements = map[rune]string{
	'‘': "'", '’': "'", '“': `"`, '”': `"`, '–': "-", '—': "-", '…': "...", '₹': "Rs ", '\u00a0': " ", '•': "-", '`': "'", '×': "x",
}

// Warnings lists what some portals or operators refuse, what will cost more than it must, and what is probably a slip. None of
// it keeps the template from being used. Each begins with the languages that it is about, unless it is about the whole. A
// portal's demand for the sender's name in the fixed part cannot be checked here.
func (t *Template) Warnings() []string {
	var order []string
	of := make(map[string][]string)
	for _, code := range t.LanguageCodes() {
		for _, w := range slices.Concat(t.warnShape(code), t.warnCallToAction(code), t.warnCost(code)) {
			if _, ok := of[w]; !ok {
				order = append(order, w)
			}
			if !slices.Contains(of[w], code) {
				of[w] = append(of[w], code)
			}
		}
	}
	out := t.warnTemplate()
	for _, w := range order {
		out = append(out, strings.Join(of[w], ", ")+": "+w)
	}
	return out
}

func (t *Template) warnTemplate() []string {
	var out []string
	if t.Category != Promotional && strings.Trim(t.Header, "0123456789") == "" {
		out = append(out, fmt.Sprintf("header %s has digits only, which operators take for promotional; category is %s", t.Header, t.Category))
	}
	if n := len(t.Variables); n >= manyVariables {
		out = append(out, fmt.Sprintf("%d variables: some portals refuse %d or more", n, manyVariables))
	}
	seen := make(map[string]string)
	codes := t.LanguageCodes()
	for _, code := range codes {
		id := t.Languages[code].TemplateID
		if other, ok := seen[id]; ok {
			out = append(out, fmt.Sprintf("%s and %s have the same template_id: each language is registered by itself", other, code))
		}
		seen[id] = code
	}
	for i, v := range t.Variables {
		first := t.layouts[codes[0]].tags[i]
		for _, code := range codes {
			tag := t.layouts[code].tags[i]
			if tag.Type == TypeNumeric && slices.Contains(fields, v.Field) && !slices.Contains(numericFields, v.Field) {
				out = append(out, fmt.Sprintf("%s: %s takes digits only, but %s is no number: people whose value is none are left out", code, tag, v.Field))
			}
			if tag.Type != first.Type {
				out = append(out, fmt.Sprintf("%s: tag %d is %s, but %s in %s: %s fills both", code, i+1, tag, first, codes[0], v.Field))
			}
		}
	}
	return out
}

// warnShape looks at where the tags stand and at white space.
func (t *Template) warnShape(code string) []string {
	var out []string
	l := t.layouts[code]
	last := len(l.tags)
	if last > 0 {
		if strings.TrimSpace(l.static[0]) == "" {
			out = append(out, fmt.Sprintf("begins with %s: some portals refuse a variable at the beginning", l.tags[0]))
		}
		if strings.TrimSpace(l.static[last]) == "" {
			out = append(out, fmt.Sprintf("ends with %s: some portals refuse a variable at the end", l.tags[last-1]))
		}
	}
	for i := 1; i < last; i++ {
		if strings.TrimSpace(l.static[i]) == "" {
			out = append(out, fmt.Sprintf("%s and %s stand side by side: some portals refuse that", l.tags[i-1], l.tags[i]))
		}
	}
	if slices.ContainsFunc(l.tags, func(tag Tag) bool { return tag.Type == TypeVar }) {
		out = append(out, "has {#var#}: since January 2026 portals want typed tags such as {#alphanumeric#}")
	}
	text := t.Languages[code].Text
	if doubleSpace.MatchString(text) {
		out = append(out, "has two spaces in a row: some portals refuse that, and the registered text must have them too")
	}
	if strings.TrimSpace(text) != text {
		out = append(out, `begins or ends with white space or a new line, which must then be registered too; in YAML write "|-" instead of "|"`)
	}
	for _, r := range text {
		if unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D {
			out = append(out, fmt.Sprintf("has the invisible character %U: it counts, and the registered text must have it too", r))
			break
		}
	}
	return out
}

// warnCallToAction names the links and numbers of the fixed text, which operators want whitelisted.
func (t *Template) warnCallToAction(code string) []string {
	var out []string
	fixed := strings.Join(t.layouts[code].static, "\x00")
	links := urlPattern.FindAllString(fixed, -1)
	for _, link := range links {
		link = strings.TrimRight(link, ".,;:!)।")
		switch {
		case ipURL.MatchString(link):
			out = append(out, fmt.Sprintf("link %s has an IP address: operators refuse that, use a domain name", link))
		case strings.Contains(link, "?"):
			out = append(out, fmt.Sprintf("link %s has a question mark: a fixed link must not; use {#url#} for what differs", link))
		default:
			out = append(out, fmt.Sprintf("link %s must be whitelisted on a portal", link))
		}
	}
	numbers := 0
	rest := urlPattern.ReplaceAllString(fixed, "\x00")
	for _, m := range numberPattern.FindAllStringIndex(rest, -1) {
		if number := rest[m[0]:m[1]]; !rupeesBefore.MatchString(rest[:m[0]]) && isCallTo(number) {
			numbers++
			out = append(out, fmt.Sprintf("number %s must be whitelisted on a portal", number))
		}
	}
	if t.Category == Promotional && numbers == 0 && len(links) == 0 && !offersStop(fixed) && !t.hasTag(code, TypeURL, TypeURLOTT, TypeCBN) {
		out = append(out, "is promotional and shows no way to say stop: give a number for missed calls, or a word to send")
	}
	return out
}

func (t *Template) hasTag(code string, types ...Type) bool {
	return slices.ContainsFunc(t.layouts[code].tags, func(tag Tag) bool { return slices.Contains(types, tag.Type) })
}

// isCallTo tells numbers to call from amounts and years: ten digits and more, toll-free ones, and short codes such as 14434.
func isCallTo(number string) bool {
	var digits []byte
	for _, r := range number {
		if unicode.IsDigit(r) {
			digits = append(digits, '0'+digitValue(r))
		}
	}
	d := string(digits)
	switch {
	case len(d) >= 10:
		return true
	case strings.HasPrefix(d, "1800"), strings.HasPrefix(d, "1860"):
		return len(d) >= 8
	case len(d) == 5:
		return d[0] == '1' && d != "10000" && d != "15000"
	}
	return d == "1909"
}

// digitValue counts back to the zero: the ten digits of a script stand in a row.
func digitValue(r rune) byte {
	zero := r
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return byte(r - zero)
}

// offersStop looks for words with which messages offer to stop.
func offersStop(text string) bool {
	lower := strings.ToLower(text)
	return slices.ContainsFunc([]string{"stop", "unsubscribe", "opt out", "optout", "missed call", "बंद", "रोक", "मिस्ड"},
		func(word string) bool { return strings.Contains(lower, word) })
}

// warnCost finds characters that make a Latin text dear.
func (t *Template) warnCost(code string) []string {
	fixed := strings.Join(t.layouts[code].static, "")
	enc, _, parts := coding.Count(fixed)
	if enc == coding.GSM7 {
		return nil
	}
	var cheaper strings.Builder
	var found []string
	for _, r := range fixed {
		with, ok := replacements[r]
		if !ok {
			cheaper.WriteRune(r)
			continue
		}
		if name := fmt.Sprintf("%q", r); !slices.Contains(found, name) {
			found = append(found, name)
		}
		cheaper.WriteString(with)
	}
	enc, _, fewer := coding.Count(cheaper.String())
	if enc != coding.GSM7 || len(found) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s make the text UCS-2 with %s; with plain signs in their place it has %d",
		strings.Join(found, " "), count(parts, "part", "parts"), fewer)}
}
