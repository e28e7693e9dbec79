package templates

import (
	"fmt"
	"strings"

	"pukar/smpp/coding"
)

// Preview is how one language of a template looks and what it costs.
type Preview struct {
	Language   string          `json:"language"`
	TemplateID string          `json:"template_id"`
	Text       string          `json:"text"`
	Encoding   coding.Encoding `json:"encoding"`
	Units      int             `json:"units"` // septets for gsm7, UTF-16 units for ucs2
	Parts      int             `json:"parts"`
	MostParts  int             `json:"most_parts"`         // with the longest values that the tags take
	CostINR    string          `json:"cost_inr,omitempty"` // rupees for one message, "" without a price
	PartTexts  []string        `json:"part_texts"`         // the text as it is cut into parts
	Error      string          `json:"error,omitempty"`    // why the given values cannot be sent; Text is then the registered one
}

// Preview shows every language, the fallback first. values are those of the variables in order; nil shows samples that suit
// field and language. inrPerPart is the price of a part as "0.1450", "" for none. Values that cannot be sent are no error
// here but stand in Preview.Error; a wrong number of values or an unreadable price is one.
func (t *Template) Preview(values []string, inrPerPart string) ([]Preview, error) {
	var price Rupees
	if inrPerPart != "" {
		var err error
		if price, err = ParseRupees(inrPerPart); err != nil {
			return nil, err
		}
	}
	if values != nil && len(values) != len(t.Variables) {
		return nil, fmt.Errorf("preview template %s: %d values for %d variables: give one for each of %s",
			t.Name, len(values), len(t.Variables), strings.Join(t.fieldNames(), ", "))
	}
	out := make([]Preview, 0, len(t.Languages))
	for _, code := range t.LanguageCodes() {
		p := Preview{Language: code, TemplateID: t.Languages[code].TemplateID, MostParts: t.layouts[code].mostParts()}
		filled := values
		if filled == nil {
			filled = t.Samples(code)
		}
		text, _, err := t.Render(code, filled)
		p.Text = text
		if err != nil {
			p.Text, p.Error = t.Languages[code].Text, err.Error()
		}
		p.Encoding, p.Units, p.Parts = coding.Count(p.Text)
		p.PartTexts = coding.Split(p.Text)
		if inrPerPart != "" {
			p.CostINR = price.Times(int64(p.Parts)).String()
		}
		out = append(out, p)
	}
	return out, nil
}

func (t *Template) fieldNames() []string {
	names := make([]string, len(t.Variables))
	for i, v := range t.Variables {
		names[i] = v.Field
	}
	return names
}

// Samples gives a believable value for every variable in a language of the template.
func (t *Template) Samples(code string) []string {
	out := make([]string, len(t.Variables))
	for i, v := range t.Variables {
		out[i] = t.sample(v, code, t.layouts[code].tags[i])
	}
	return out
}

func (t *Template) sample(v Variable, code string, tag Tag) string {
	known := []string{sampleNames[code][v.Field]}
	known = append(known, sampleValues[v.Field])
	if value, ok := v.DefaultIn(code); ok {
		known = append(known, value)
	}
	known = append(known, sampleOfType[tag.Type])
	for _, value := range known {
		if tag.check(value) == "" {
			return value
		}
	}
	return sampleOfType[tag.Type]
}

// Samples belong to nobody; the ids count upwards.
var (
	sampleNames = map[string]map[string]string{
		"hi": {"name": "सुनीता देवी", "home_state": "झारखंड", "home_district": "राँची", "current_state": "दिल्ली", "current_district": "दक्षिण दिल्ली", "occupation": "निर्माण"},
		"bn": {"name": "সুনীতা দেবী", "home_state": "পশ্চিমবঙ্গ", "home_district": "মালদহ", "current_state": "দিল্লি", "current_district": "দিল্লি"},
		"or": {"name": "ସୁନୀତା ଦେବୀ", "home_state": "ଓଡ଼ିଶା", "home_district": "ଗଞ୍ଜାମ"},
		"ta": {"name": "சுனிதா", "home_state": "தமிழ்நாடு", "home_district": "சேலம்"},
		"te": {"name": "సునీత", "home_state": "తెలంగాణ", "home_district": "నల్గొండ"},
	}
	sampleValues = map[string]string{
		"name": "Sunita Devi", "birth_year": "1994", "occupation": "construction", "income_monthly": "12000",
		"home_state": "Jharkhand", "home_district": "Ranchi", "home_village": "Bero", "home_ward": "4", "home_post_office": "Bero",
		"home_pincode": "835202", "current_state": "Delhi", "current_district": "South Delhi",
		"eshram_uan": "123456789012", "bocw_id": "BOCW123456", "ration_card": "202012345678", "ration_card_type": "PHH",
		"job_card": "JH-01-002-003", "construction_days_12m": "120", "source_id": "12345",
	}
	sampleOfType = map[Type]string{
		TypeVar: "sample", TypeNumeric: "12345", TypeAlphanumeric: "sample", TypeURL: "https://example.org/HELPLN/a1",
		TypeURLOTT: "https://example.org/HELPLN/a1", TypeCBN: "18001234567", TypeEmail: "help@example.org",
	}
)
