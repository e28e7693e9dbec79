package templates

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pukar/smpp/coding"
)

func TestRender(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	text, id, err := tpl.Render("en", []string{" सुनीता देवी ", "Ranchi"})
	if err != nil {
		t.Fatal(err)
	}
	if want := "Dear सुनीता देवी, your ration card from Ranchi works in every state. Call 1800-891-2995"; text != want || id != "1107172974420810002" {
		t.Errorf("Render() = %q, %s, want %q", text, id, want)
	}
	if _, _, err := tpl.Render("ta", []string{"a", "b"}); !errors.Is(err, ErrLanguage) {
		t.Errorf("unknown language: %v", err)
	}
	if _, _, err := tpl.Render("en", []string{"a"}); err == nil {
		t.Error("one value for two variables was taken")
	}
}

func TestRenderValueErrors(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	for _, value := range []string{"", "  ", strings.Repeat("a", 41), "a\nb", "www.example.org"} {
		_, _, err := tpl.Render("en", []string{"Sunita", value})
		var bad *ValueError
		if !errors.As(err, &bad) || bad.Field != "home_district" || bad.Language != "en" {
			t.Fatalf("value %q: %v", value, err)
		}
		if len(strings.TrimSpace(value)) > 3 && strings.Contains(err.Error(), value) {
			t.Errorf("the error holds the value: %v", err)
		}
	}
}

func TestRenderDefaults(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, strings.Replace(intro, "[name, home_district]",
		"[{field: name, default: {hi: साथी, en: friend}}, {field: home_district, default: घर}]", 1))
	text, _, err := tpl.Render("hi", []string{"", " "})
	if err != nil || !strings.HasPrefix(text, "नमस्ते साथी, घर का") {
		t.Errorf("Render() = %q, %v", text, err)
	}
	text, _, err = tpl.Render("en", []string{"", "Gaya"})
	if err != nil || !strings.HasPrefix(text, "Dear friend, your ration card from Gaya") {
		t.Errorf("Render() = %q, %v", text, err)
	}
}

func TestTagCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind  Type
		value string
		ok    bool
	}{
		{TypeVar, strings.Repeat("क", 30), true},
		{TypeVar, strings.Repeat("क", 31), false},
		{TypeVar, strings.Repeat("😀", 16), false},
		{TypeVar, "15 मार्च, 10:30 (बुध)", true},
		{TypeVar, "a\tb", false},
		{TypeVar, "a\u202eb", false},
		{TypeVar, "a\u00a0b", false},
		{TypeVar, "a\uFFFDb", false},
		{TypeVar, "a\xffb", false},
		{TypeVar, "क्\u200dष", true},
		{TypeVar, "see bit.ly/abc", false},
		{TypeVar, "Dr. B.R. Ambedkar", true},
		{TypeVar, "call 9876543210", false},
		{TypeVar, "call 919876543210", false},
		{TypeVar, "123456789012", true},
		{TypeNumeric, "0123456789", true},
		{TypeNumeric, "9876543210", true},
		{TypeNumeric, "१२३", false},
		{TypeNumeric, "1,234", false},
		{TypeNumeric, strings.Repeat("9", 41), false},
		{TypeAlphanumeric, "Sunita Devi", true},
		{TypeAlphanumeric, "सुनीता देवी", true},
		{TypeAlphanumeric, "সুনীতা", true},
		{TypeAlphanumeric, "சுனிதா", true},
		{TypeAlphanumeric, "سنیتا", true},
		{TypeAlphanumeric, "Janjgir-Champa", true},
		{TypeAlphanumeric, "D'Souza", true},
		{TypeAlphanumeric, "JH/01_2.3", true},
		{TypeAlphanumeric, "राम।", false},
		{TypeAlphanumeric, "Ram & Co", false},
		{TypeAlphanumeric, "Ram, Lal", false},
		{TypeAlphanumeric, "👍", false},
		{TypeURL, "https://example.org/HELPLN/x1?t=2", true},
		{TypeURL, "example.org", true},
		{TypeURL, "https://10.0.0.1/x", false},
		{TypeURL, "https://example.org/a b", false},
		{TypeURL, "click here", false},
		{TypeURLOTT, "https://wa.me/919812345678", true},
		{TypeCBN, "1800-891-2995", true},
		{TypeCBN, "9876543210", true},
		{TypeCBN, "+91 98765 43210", true},
		{TypeCBN, "0612 2345678", true},
		{TypeCBN, "1401234567", true},
		{TypeCBN, "14012345678", false},
		{TypeCBN, "12345", false},
		{TypeCBN, "call me", false},
		{TypeEmail, "help@example.org", true},
		{TypeEmail, "help@example", false},
		{TypeEmail, "help example.org", false},
		{TypeAlphanumeric, "", false},
		{TypeAlphanumeric, " a", false},
	}
	for _, tt := range tests {
		if why := (Tag{Name: string(tt.kind), Type: tt.kind}).check(tt.value); (why == "") != tt.ok {
			t.Errorf("%s %q: %q, want ok %v", tt.kind, tt.value, why, tt.ok)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	language, values, ok := tpl.Match("Dear Sunita Devi, your ration card from Ranchi works in every state. Call 1800-891-2995")
	if diff := cmp.Diff([]string{"Sunita Devi", "Ranchi"}, values); !ok || language != "en" || diff != "" {
		t.Errorf("Match() = %s, %v, %v", language, values, ok)
	}
	for _, text := range []string{
		"", "Dear Sunita, your ration card from Ranchi works in every state. Call 1800-891-2995 ",
		"Dear Sunita, your ration card  from Ranchi works in every state. Call 1800-891-2995",
		"Dear , your ration card from Ranchi works in every state. Call 1800-891-2995",
		"Dear " + strings.Repeat("a", 41) + ", your ration card from Ranchi works in every state. Call 1800-891-2995",
		"dear Sunita, your ration card from Ranchi works in every state. Call 1800-891-2995",
	} {
		if _, _, ok := tpl.Match(text); ok {
			t.Errorf("%q matches", text)
		}
	}
}

// A text without an end to its ways of being read must not take long.
func TestMatchIsBounded(t *testing.T) {
	t.Parallel()
	tags := strings.Repeat("{#alp#} a ", 20)
	fieldList := strings.TrimSuffix(strings.Repeat("name, ", 20), ", ")
	tpl := mustParse(t, fmt.Sprintf(`{name: a, category: service, header: ABCDEF, dlt: {entity_id: "1101172974420810001"}, variables: [%s],
languages: {en: {template_id: "1107172974420810002", text: "%s!"}}}`, fieldList, tags))
	if _, _, ok := tpl.Match(strings.Repeat("a a ", 400)); ok {
		t.Error("matches")
	}
}

// templateAndValues draws a template and values that fit it.
func templateAndValues(t *rapid.T) (*Template, []string) {
	kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"var", "numeric", "num", "alp", "alphanumeric", "cbn", "email", "url"}), 0, 5).Draw(t, "kinds")
	piece := rapid.SampledFrom([]string{"", " ", "a", ", ", "Dear ", "नमस्ते ", "1", "।", "{", "#"})
	var text strings.Builder
	var fieldList, values []string
	for i, kind := range kinds {
		text.WriteString(piece.Draw(t, "static"))
		text.WriteString("{#" + kind + "#}")
		fieldList = append(fieldList, fields[i])
		values = append(values, valueOf(aliases[kind]).Draw(t, "value"))
	}
	text.WriteString("end" + piece.Draw(t, "static"))
	source := fmt.Sprintf("{name: a, category: service, header: ABCDEF, dlt: {entity_id: \"1101172974420810001\"}, variables: [%s],\nlanguages: {en: {template_id: \"1107172974420810002\", text: %q}}}",
		strings.Join(fieldList, ", "), text.String())
	tpl, err := Parse([]byte(source))
	if err != nil {
		t.Skip("static text that looks like a tag")
	}
	return tpl, values
}

func valueOf(kind Type) *rapid.Generator[string] {
	switch kind {
	case TypeNumeric:
		return rapid.StringMatching(`[0-9]{1,40}`)
	case TypeCBN:
		return rapid.StringMatching(`[6-9][0-9]{9}`)
	case TypeEmail:
		return rapid.StringMatching(`[a-z]{1,8}@[a-z]{1,8}\.org`)
	case TypeURL:
		return rapid.StringMatching(`https://[a-z]{1,8}\.org/[a-z0-9]{0,8}`)
	}
	return rapid.StringMatching(`[A-Za-zक-ह][A-Za-zक-हा-ु ]{0,27}[a-zक-ह]`)
}

func TestRenderedTextMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tpl, values := templateAndValues(t)
		text, id, err := tpl.Render("en", values)
		if err != nil {
			t.Fatal(err)
		}
		language, found, ok := tpl.Match(text)
		if !ok || language != "en" || id != tpl.Languages["en"].TemplateID {
			t.Fatalf("%q does not match %q", text, tpl.Languages["en"].Text)
		}
		again, _, err := tpl.Render("en", found)
		if err != nil || again != text {
			t.Fatalf("values %q found in %q give %q (%v)", found, text, again, err)
		}
		if _, _, parts := coding.Count(text); parts > tpl.layouts["en"].mostParts() {
			t.Fatalf("%d parts, foreseen %d", parts, tpl.layouts["en"].mostParts())
		}
	})
}

func TestMatchGivesTheValuesWhereOneReadingExists(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	rapid.Check(t, func(t *rapid.T) {
		values := []string{valueOf(TypeAlphanumeric).Draw(t, "name"), valueOf(TypeAlphanumeric).Draw(t, "district")}
		for _, code := range tpl.LanguageCodes() {
			text, _, err := tpl.Render(code, values)
			if err != nil {
				t.Fatal(err)
			}
			language, found, ok := tpl.Match(text)
			if diff := cmp.Diff(values, found); !ok || language != code || diff != "" {
				t.Fatalf("Match(%q) = %s, %v\n%s", text, language, ok, diff)
			}
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("Sunita", "Ranchi")
	f.Add("सुनीता", "राँची\x00")
	f.Add("\xff", "9876543210")
	tpl := mustParse(f, strings.Replace(intro, "ear {#alphanumeric#}", "ear {#var#}", 1))
	f.Fuzz(func(t *testing.T, name, district string) {
		for _, code := range tpl.LanguageCodes() {
			text, _, err := tpl.Render(code, []string{name, district})
			if err != nil {
				continue
			}
			if _, ok := tpl.MatchLanguage(code, text); !ok {
				t.Fatalf("%q does not match", text)
			}
			if e := coding.Encode(text, 1); len(e.Payloads) == 0 {
				t.Fatalf("%q does not fit", text)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	tpl := mustParse(b, intro)
	values := map[string][]string{"hi": {"सुनीता देवी", "राँची"}, "en": {"Sunita Devi", "Ranchi"}}
	for _, code := range []string{"hi", "en"} {
		b.Run(code, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := tpl.Render(code, values[code]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(code+"_encode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text, _, err := tpl.Render(code, values[code])
				if err != nil {
					b.Fatal(err)
				}
				coding.Encode(text, 7)
			}
		})
	}
}
