package audience

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// fieldKind says how a contact's field is compared in a rule.
type fieldKind uint8

const (
	kindString   fieldKind = iota // free text
	kindEnum                      // text of a closed list
	kindInt                       // a whole number
	kindBool                      // yes, no or unknown
	kindAge                       // completed years on the day the rule is asked, see ageSQL
	kindState                     // LGD state code, written as name, abbreviation or code
	kindDistrict                  // LGD district code, written as name, state/name or code
	kindMap                       // the extra attributes of the import
)

// field is one thing that a rule may ask about a contact.
type field struct {
	name string
	kind fieldKind
	// column is its SQL over the alias c; empty for age, which is computed.
	column string
	// values are the closed list of an enumerated field.
	values []string
}

// attributesField is the name under which rules reach the extra columns of an
// import: attributes.trade, attributes['Trade name'].
const attributesField = "attributes"

// contactFields returns what a rule may ask, by name.
var contactFields = sync.OnceValue(func() map[string]field {
	fields := map[string]field{}
	add := func(kind fieldKind, names ...string) {
		for _, name := range names {
			fields[name] = field{name: name, kind: kind, column: "c." + name}
		}
	}
	add(kindString, "name", "language", "occupation",
		"home_village", "home_ward", "home_post_office", "home_pincode",
		"eshram_uan", "bocw_id", "ration_card", "job_card", "source", "source_id")
	add(kindInt, "birth_year", "income_monthly", "construction_days_12m")
	add(kindBool, "aadhaar_seeded", "bank_account", "unorganised_worker", "epfo_member", "esic_member",
		"nps_member", "government_employee", "income_tax_payer", "welfare_fund_member",
		"consent_sms", "consent_call")
	add(kindState, "home_state", "current_state")
	add(kindDistrict, "home_district", "current_district")
	add(kindMap, attributesField)
	fields["age"] = field{name: "age", kind: kindAge}
	fields["gender"] = field{name: "gender", kind: kindEnum, column: "c.gender", values: []string{"male", "female", "other"}}
	fields["ration_card_type"] = field{name: "ration_card_type", kind: kindEnum, column: "c.ration_card_type", values: []string{"PHH", "AAY", "other"}}
	return fields
})

// RuleFields returns the names of the contact fields that a rule may ask, in
// alphabetical order.
func RuleFields() []string {
	return slices.Sorted(maps.Keys(contactFields()))
}

// suggest returns the known name that is closest to a mistyped one, or "".
func suggest(name string, known []string) string {
	key := []rune(strings.ToLower(name))
	best, bestDistance := "", len(key)/3+2
	for _, k := range known {
		if d := editDistance(key, []rune(strings.ToLower(k))); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}
