package templates

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/smpp/coding"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	got, err := tpl.Preview([]string{"सुनीता देवी", "Ranchi"}, "0.1450")
	if err != nil {
		t.Fatal(err)
	}
	english := "Dear सुनीता देवी, your ration card from Ranchi works in every state. Call 1800-891-2995"
	want := Preview{
		Language: "en", TemplateID: "1107172974420810002", Text: english, Encoding: coding.UCS2, Units: 87, Parts: 2, MostParts: 3,
		CostINR: "0.2900", PartTexts: coding.Split(english),
	}
	if len(got) != 2 || got[0].Language != "hi" {
		t.Fatalf("previews %+v", got)
	}
	if diff := cmp.Diff(want, got[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPreviewSamples(t *testing.T) {
	t.Parallel()
	got, err := mustParse(t, intro).Preview(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got[0].Text, "सुनीता देवी") || !strings.Contains(got[1].Text, "Sunita Devi") || got[0].CostINR != "" {
		t.Errorf("previews %+v", got)
	}
}

func TestPreviewErrors(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	if _, err := tpl.Preview([]string{"a"}, ""); err == nil || !strings.Contains(err.Error(), "name, home_district") {
		t.Errorf("one value of two: %v", err)
	}
	if _, err := tpl.Preview(nil, "free"); err == nil {
		t.Error("price taken")
	}
	got, err := tpl.Preview([]string{strings.Repeat("a", 41), "b"}, "")
	if err != nil || got[0].Error == "" || got[0].Text != tpl.Languages["hi"].Text {
		t.Errorf("value too long: %+v, %v", got, err)
	}
}

// Every field has a sample for every type of tag.
func TestSamplesFitTheirTags(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, intro)
	for _, field := range append(Fields(), "") {
		for _, kind := range aliases {
			for _, code := range []string{"hi", "en", "bn", "or", "ta", "te", "mr"} {
				tag := Tag{Name: string(kind), Type: kind}
				if why := tag.check(tpl.sample(Variable{Field: field}, code, tag)); why != "" {
					t.Errorf("%s in %s for %s: %s", field, code, tag, why)
				}
			}
		}
	}
}

func TestPreviewHTML(t *testing.T) {
	t.Parallel()
	tpl := mustParse(t, strings.NewReplacer("your ration card", "<b>&amp; your ration card").Replace(intro))
	previews, err := tpl.Preview(nil, "0.1450")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := PreviewHTML(&out, tpl, previews); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{
		`lang="hi" dir="auto"`, "सुनीता देवी", "&lt;b&gt;&amp;amp; your", "1107172974420810001", "₹0.2900", "must be whitelisted", `<meta name="viewport"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	for _, refused := range []string{"<script", "src=", "http://", "https://", "<b>", "ZgotmplZ"} {
		if strings.Contains(page, refused) {
			t.Errorf("page holds %s", refused)
		}
	}
}
