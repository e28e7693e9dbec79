package templates

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const intro = `name: onorc-intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: hi
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} का राशन कार्ड हर राज्य में चलता है। कॉल करें: 1800-891-2995"}
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#}, your ration card from {#alphanumeric#} works in every state. Call 1800-891-2995"}
`

func mustParse(t testing.TB, source string) *Template {
	t.Helper()
	tpl, err := Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestParse(t *testing.T) {
	t.Parallel()
	want := &Template{
		Name: "onorc-intro", Category: Service, Header: "HELPLN", DLT: DLT{EntityID: "1101172974420810001"},
		Variables:        []Variable{{Field: "name"}, {Field: "home_district"}},
		FallbackLanguage: "hi",
		Languages: map[string]Text{
			"hi": {"1107172974420810001", "नमस्ते {#alphanumeric#}, {#alphanumeric#} का राशन कार्ड हर राज्य में चलता है। कॉल करें: 1800-891-2995"},
			"en": {"1107172974420810002", "Dear {#alphanumeric#}, your ration card from {#alphanumeric#} works in every state. Call 1800-891-2995"},
		},
	}
	if diff := cmp.Diff(want, mustParse(t, intro), cmpopts.IgnoreUnexported(Template{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseForms(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, `
name: a1
category: promotional
header: 512345
dlt:
  entity_id: 1101172974420810001
variables:
  - {field: attributes.camp, default: साथी}
  - field: home_district
    default: {hi: आपका ज़िला, en: your district}
languages:
  hi:
    template_id: 1107172974420810001
    text: |-
      नमस्ते {#alp#}।
      {#var#} में शिविर।
  en: {template_id: 1107172974420810002, text: "Hi {#alphanumeric#}, camp in {#alp#}."}
fallback_language: en
`)
	want := []Variable{
		{Field: "attributes.camp", Default: "साथी", HasDefault: true},
		{Field: "home_district", Default: "your district", HasDefault: true, Defaults: map[string]string{"hi": "आपका ज़िला", "en": "your district"}},
	}
	if diff := cmp.Diff(want, tpl.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if tpl.Header != "512345" || tpl.Languages["hi"].TemplateID != "1107172974420810001" {
		t.Errorf("ids without quotes read as %q, %q", tpl.Header, tpl.Languages["hi"].TemplateID)
	}
	if got := tpl.Languages["hi"].Text; got != "नमस्ते {#alp#}।\n{#var#} में शिविर।" {
		t.Errorf("text %q", got)
	}
}

func TestParseOneLanguageNeedsNoFallback(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, `{name: a, category: government, header: ABCdef, dlt: {entity_id: "1101172974420810001"}, languages: {en: {template_id: "1107172974420810002", text: Camp today}}}`)
	if tpl.FallbackLanguage != "en" || tpl.Header != "ABCdef" {
		t.Errorf("fallback %q, header %q", tpl.FallbackLanguage, tpl.Header)
	}
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit []string // pairs of old and new in the good template
		want []string // line and beginning of each problem
	}{
		{"unknown key", []string{"header:", "heder:"}, []string{"line 1: header: is missing", "line 3: heder: unknown key: known are name, category"}},
		{"duplicate key", []string{"header: HELPLN", "header: HELPLN\nheader: HELPLN"}, []string{"line 4: header: is given twice"}},
		{"duplicate language", []string{"  en:", "  hi:"}, []string{"line 9: languages.hi: is given twice"}},
		{"wrong type", []string{"variables: [name, home_district]", "variables: name"}, []string{
			"line 5: variables: is text, wanted a list", "line 8: languages.hi.text: has 2 tags, but variables lists 0", "line 9: languages.en.text: has 2 tags",
		}},
		{"number as name", []string{"name: onorc-intro", "name: 7"}, []string{"line 1: name: 7 is read as a number: put it in quotes"}},
		{"name", []string{"onorc-intro", "ONORC intro"}, []string{`line 1: name: "ONORC intro" cannot be used`}},
		{"category", []string{"category: service", "category: promo"}, []string{`line 2: category: unknown category "promo": known are promotional, service, transactional, government`}},
		{"category of a portal", []string{"category: service", "category: Service-Explicit"}, []string{
			`line 2: category: unknown category "Service-Explicit": known are promotional, service, transactional, government; service-explicit has been promotional`,
		}},
		{"header too long", []string{"HELPLN", "HELPLN-S"}, []string{`line 3: header: "HELPLN-S" cannot be used: exactly 6 letters or digits`}},
		{"header empty", []string{" HELPLN", ""}, []string{"line 3: header: is empty"}},
		{"entity id", []string{"1101172974420810001", "110117297442081000"}, []string{`line 4: dlt.entity_id: "110117297442081000" is no id: it has 19 digits`}},
		{"entity id missing", []string{`{entity_id: "1101172974420810001"}`, "{}"}, []string{"line 4: dlt.entity_id: is missing"}},
		{"template id", []string{"1107172974420810002", "11071729744208100O2"}, []string{"line 9: languages.en.template_id: "}},
		{"unknown field", []string{"home_district]", "home_distrct]"}, []string{`line 5: variables[2]: "home_distrct" is no contact field that a message can show: known are name, occupation`}},
		{"field that no message shows", []string{"home_district]", "consent_sms]"}, []string{`line 5: variables[2]: "consent_sms" is no contact field`}},
		{"attribute without a name", []string{"home_district]", "attributes.]"}, []string{`line 5: variables[2]: "attributes." is no contact field`}},
		{"variable key", []string{"[name,", "[{feld: name},"}, []string{"line 5: variables[1].feld: unknown key: known are field, default", "line 5: variables[1].field: is missing"}},
		{"too few tags", []string{"from {#alphanumeric#} works", "works"}, []string{"line 9: languages.en.text: has 1 tag, but variables lists 2"}},
		{"unknown tag", []string{"Dear {#alphanumeric#}", "Dear {#nam#}"}, []string{"line 9: languages.en.text: unknown tag {#nam#}: known are var, numeric"}},
		{"broken tag", []string{"Dear {#alphanumeric#}", "Dear {# alphanumeric #}"}, []string{
			`line 9: languages.en.text: "{# alphanumeric #}, …" begins no tag`, "line 9: languages.en.text: has 1 tag",
		}},
		{"tag cut short", []string{"Dear {#alphanumeric#}", "Dear {#alphanumeric}"}, []string{`line 9: languages.en.text: "{#alphanumeric}, you…" begins no tag`, "line 9: languages.en.text: has 1 tag"}},
		{"fallback", []string{"fallback_language: hi", "fallback_language: bn"}, []string{`line 6: fallback_language: "bn" is none of the template's languages: en, hi`}},
		{"fallback missing", []string{"fallback_language: hi\n", ""}, []string{"line 1: fallback_language: is missing: name one of en, hi"}},
		{"language code", []string{"  en:", "  English:"}, []string{`line 9: languages.English: "English" is no language code`}},
		{"language key", []string{"  en: {template_id:", "  en: {id:"}, []string{"line 9: languages.en.id: unknown key", "line 9: languages.en.template_id: is missing"}},
		{"control character", []string{"Dear ", `Dear\t`}, []string{"line 9: languages.en.text: has the character U+0009"}},
		{"too long", []string{"works in every state", strings.Repeat("works in every state ", 60)}, []string{"line 9: languages.en.text: needs up to 22 parts, at most 16"}},
		{"default does not fit", []string{"[name,", "[{field: name, default: \"" + strings.Repeat("a", 41) + "\"},"}, []string{
			"line 5: variables[1].default: in en ({#alphanumeric#}) has 41 characters, the tag takes at most 40", "line 5: variables[1].default: in hi",
		}},
		{"default not for every language", []string{"[name,", "[{field: name, default: {hi: a, ta: b}},"}, []string{
			`line 5: variables[1].default: "ta" is none`, "line 5: variables[1].default: has no text for en",
		}},
		{"alias", []string{"name: onorc-intro", "name: &n onorc-intro"}, []string{"line 1: name: anchors and aliases are not read"}},
		{"second document", []string{"fallback_language: hi", "fallback_language: hi\n---\na: b"}, []string{"line 7: a second document", "line 1"}},
		{"syntax", []string{"header: HELPLN", "header: [HELPLN"}, []string{"line 3: YAML: did not find expected"}},
		{"syntax of a block", []string{"category: service", "category: service\n  wrong: 1"}, []string{"line 3: YAML: "}},
		{"syntax, no colon", []string{"category: service", "category service"}, []string{"line 2: YAML: could not find expected ':'"}},
		{"everything at once", []string{"service", "s", "HELPLN", "H", "hi: {", "h: {"}, []string{"line 2: ", "line 3: ", "line 6: ", "line 8: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tpl, err := Parse([]byte(strings.NewReplacer(tt.edit...).Replace(intro)))
			var got Problems
			if !errors.As(err, &got) || !errors.Is(err, ErrInvalid) || tpl != nil {
				t.Fatalf("Parse() = %v, %v, want problems", tpl, err)
			}
			if tt.name == "second document" {
				got, tt.want = got[:1], tt.want[:1]
			}
			if len(got) != len(tt.want) {
				t.Fatalf("%v\nwant %d problems", err, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i].String(), want) {
					t.Errorf("problem %d: %s\nwant %s", i+1, got[i], want)
				}
			}
		})
	}
}

func TestParseRefusesWhatIsNoMapping(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "# nothing\n", "- a\n", "hello", "a: *b", "\xff", strings.Repeat("#", maxSource+1), "{name: {a: b}, languages: []}"} {
		if _, err := Parse([]byte(source)); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%.20q) = %v", source, err)
		}
	}
}

func TestFieldsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, f := range Fields() {
		if seen[f] {
			t.Errorf("field %s twice", f)
		}
		seen[f] = true
	}
	for _, f := range numericFields {
		if !seen[f] {
			t.Errorf("numeric field %s is no contact field", f)
		}
	}
	for f := range sampleValues {
		if !seen[f] {
			t.Errorf("sample for %s, which is no contact field", f)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(intro))
	f.Add([]byte("name: &a x\nvariables: [{field: name, default: {hi: *a}}]\n"))
	f.Add([]byte("{name: a, category: government, header: ABCdef, languages: {en: {text: '{#var#}{#var#}'}}}"))
	f.Fuzz(func(t *testing.T, source []byte) {
		tpl, err := Parse(source)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		tpl.Warnings()
		previews, err := tpl.Preview(nil, "0.1450")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range previews {
			if p.Error != "" {
				t.Fatalf("sample of %s: %s", p.Language, p.Error)
			}
			if p.Parts > p.MostParts {
				t.Fatalf("%d parts, foreseen %d", p.Parts, p.MostParts)
			}
			if _, _, ok := tpl.Match(p.Text); !ok {
				t.Fatalf("rendered text does not match: %q", p.Text)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		mustParse(b, intro)
	}
}

func BenchmarkWarnings(b *testing.B) {
	tpl := mustParse(b, intro)
	for b.Loop() {
		tpl.Warnings()
	}
}
