package audience

import (
	"regexp"
	"strings"
)

// FieldJoins are the joins that the expressions of FieldText need after
// "FROM contact c". The planner drops those that a statement does not use, so
// they may always be written.
const FieldJoins = `
LEFT JOIN place_state field_hs ON field_hs.code = c.home_state
LEFT JOIN place_district field_hd ON field_hd.code = c.home_district
LEFT JOIN place_state field_cs ON field_cs.code = c.current_state
LEFT JOIN place_district field_cd ON field_cd.code = c.current_district`

// devanagari lists the languages, as ParseLanguage returns them, whose readers
// are better served by a place's Hindi name than by its English one.
const devanagari = `('hi', 'bho', 'mai', 'mag', 'awa', 'bra', 'bns', 'hne', 'bgc', 'raj', 'mwr', 'gbm', 'kfy', 'sck', 'mr', 'ne', 'doi', 'kok', 'sa')`

// attributeName is what may be written for an attribute inside SQL text.
var attributeName = regexp.MustCompile(`^[\p{L}\p{M}\p{N}_ -]{1,100}$`)

// FieldText returns the SQL of the text that a template's variable gets from a
// contact's field, over the alias c and the joins FieldJoins; text that is
// empty or unknown is NULL. languageSQL is the SQL of the recipient's language
// code: places are named in that language where the register has the name,
// else in English. ok is false for a field that no message can show; the known
// ones are TextFields and "attributes." with the name of an extra column.
func FieldText(field, languageSQL string) (sql string, ok bool) {
	switch field {
	case "home_state":
		return placeText("field_hs", languageSQL), true
	case "home_district":
		return placeText("field_hd", languageSQL), true
	case "current_state":
		return placeText("field_cs", languageSQL), true
	case "current_district":
		return placeText("field_cd", languageSQL), true
	case "birth_year", "income_monthly", "construction_days_12m":
		return "c." + field + "::text", true
	case "name", "occupation", "home_village", "home_ward", "home_post_office", "home_pincode",
		"eshram_uan", "bocw_id", "ration_card", "ration_card_type", "job_card", "source_id":
		return "NULLIF(c." + field + ", '')", true
	}
	if name, isAttribute := strings.CutPrefix(field, attributesField+"."); isAttribute && attributeName.MatchString(name) {
		return "NULLIF(c.attributes ->> '" + name + "', '')", true
	}
	return "", false
}

// TextFields returns the fields that FieldText knows, extra columns apart.
func TextFields() []string {
	return []string{
		"name", "occupation", "home_state", "home_district", "home_village", "home_ward", "home_post_office", "home_pincode",
		"current_state", "current_district", "eshram_uan", "bocw_id", "ration_card", "ration_card_type", "job_card", "source_id",
		"birth_year", "income_monthly", "construction_days_12m",
	}
}

func placeText(alias, languageSQL string) string {
	return "CASE WHEN " + languageSQL + " IN " + devanagari + " THEN COALESCE(NULLIF(" + alias + ".name_hi, ''), " + alias + ".name_en) ELSE " + alias + ".name_en END"
}
