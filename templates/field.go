package templates

import (
	"regexp"
	"slices"
	"strings"
)

// fields are the contact fields that a message can show, a further column of an import apart. Yes-or-no fields, consent and
// the number itself say nothing to the person whom they are about.
var fields = []string{
	"name", "occupation", "home_state", "home_district", "home_village", "home_ward", "home_post_office", "home_pincode",
	"current_state", "current_district", "eshram_uan", "bocw_id", "ration_card", "ration_card_type", "job_card", "source_id",
	"birth_year", "income_monthly", "construction_days_12m",
}

// numericFields hold digits alone wherever they are known.
var numericFields = []string{"birth_year", "income_monthly", "home_pincode", "construction_days_12m", "eshram_uan"}

// attributePrefix stands before the name of a further column of an import, as in attributes.camp.
const attributePrefix = "attributes."

var attributeName = regexp.MustCompile(`^[\p{L}\p{M}\p{N}_ -]{1,100}$`)

// Fields lists the contact fields that a template's variables may name beside attributes.NAME. The register must be able to
// turn every one of them into text.
func Fields() []string { return slices.Clone(fields) }

func isField(name string) bool {
	if attribute, ok := strings.CutPrefix(name, attributePrefix); ok {
		return attributeName.MatchString(attribute)
	}
	return slices.Contains(fields, name)
}
