package templates

import (
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit []string
		want []string
	}{
		{"good template names its numbers", nil, []string{
			"hi, en: number 1800-891-2995 must be whitelisted",
		}},
		{"variable first", []string{"Dear {", "{"}, []string{"en: begins with {#alphanumeric#}"}},
		{"variable last", []string{" works in every state. Call 1800-891-2995", ""}, []string{"en: ends with {#alphanumeric#}"}},
		{"side by side", []string{", your ration card from {", " {"}, []string{"en: {#alphanumeric#} and {#alphanumeric#} stand side by side"}},
		{"double space", []string{"your ration", "your  ration"}, []string{"en: has two spaces in a row"}},
		{"white space at the end", []string{`2995"}` + "\n", `2995\n"}` + "\n"}, []string{"begins or ends with white space"}},
		{"old placeholder", []string{"Dear {#alphanumeric#}", "Dear {#var#}"}, []string{"en: has {#var#}", "en: tag 1 is {#var#}, but {#alphanumeric#} in hi"}},
		{"word to numeric tag", []string{"Dear {#alphanumeric#}", "Dear {#num#}"}, []string{"en: {#num#} takes digits only, but name is no number"}},
		{"curly quotes", []string{"your ration", "your ‘ration’"}, []string{`en: '‘' '’' make the text UCS-2 with 2 parts; with plain signs in their place it has 1`}},
		{"rupee sign", []string{"your ration", "your ₹ ration"}, []string{`en: '₹' make the text UCS-2`}},
		{"link", []string{"your ration", "your https://example.org/HELPLN/a ration"}, []string{"en: link https://example.org/HELPLN/a must be whitelisted"}},
		{"bare link", []string{"your ration", "your example.org/a. ration"}, []string{"en: link example.org/a must be whitelisted"}},
		{"link with a query", []string{"your ration", "your https://example.org/?a ration"}, []string{"en: link https://example.org/?a has a question mark"}},
		{"link with an address", []string{"your ration", "your http://10.1.2.3/a ration"}, []string{"en: link http://10.1.2.3/a has an IP address"}},
		{"short code", []string{"your ration", "your 14434 ration"}, []string{"en: number 14434 must be"}},
		{"digits of a script", []string{"1800-891-2995\"}\n  en", "१८००-८९१-२९९५\"}\n  en"}, []string{"hi: number १८००-८९१-२९९५ must be"}},
		{"three variables", []string{"[name, home_district]", "[name, home_district, home_pincode]", "Dear", "{#num#} Dear", "नमस्ते", "{#num#} नमस्ते"}, []string{"3 variables: some portals refuse"}},
		{"digits as header", []string{"HELPLN", "512345"}, []string{"header 512345 has digits only"}},
		{"one id twice", []string{"1107172974420810002", "1107172974420810001"}, []string{"hi and en have the same template_id"}},
		{"promotional without a way out", []string{"category: service", "category: promotional", "Call 1800-891-2995", "Camp", "कॉल करें: 1800-891-2995", "शिविर"}, []string{"hi, en: is promotional and shows no way"}},
		{"invisible character", []string{"your ration", "your\u200bration"}, []string{"en: has the invisible character U+200B"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(mustParse(t, strings.NewReplacer(tt.edit...).Replace(intro)).Warnings(), "\n")
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("warnings:\n%s\nwant %s", got, want)
				}
			}
			if tt.edit == nil && strings.Count(got, "\n") != len(tt.want)-1 {
				t.Errorf("warnings:\n%s\nwant %d", got, len(tt.want))
			}
		})
	}
}

func TestWarningsLeaveAmountsAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Rs 12000 a month until 2027", "₹ 18000", "15 दिन", "पेंशन रु. 13000"} {
		tpl := mustParse(t, strings.Replace(intro, "Call 1800-891-2995", text, 1))
		for _, w := range tpl.Warnings() {
			if strings.HasPrefix(w, "en: number") {
				t.Errorf("%q: %s", text, w)
			}
		}
	}
}
