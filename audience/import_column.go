package audience

// cellKind says how a column of a file is read.
type cellKind uint8

const (
	cellText cellKind = iota
	cellName
	cellLower // a text of a loose vocabulary, kept in small letters so that rules can compare it
	cellNumber
	cellGender
	cellLanguage
	cellBirthYear
	cellAge
	cellMoney
	cellDays
	cellBool
	cellID // a registration's id: spaces and hyphens removed
	cellCardType
	cellPincode
	cellState
	cellDistrict
	cellSourceID
	cellAttribute
	cellSkip
)

// importColumn is a field of a contact that a file can carry.
type importColumn struct {
	name string
	kind cellKind
}

// importColumns are all of them, in the order of the table. Any other column becomes an attribute.
var importColumns = []importColumn{
	{"msisdn", cellNumber},
	{"name", cellName},
	{"language", cellLanguage},
	{"gender", cellGender},
	{"birth_year", cellBirthYear},
	{"age", cellAge},
	{"occupation", cellLower},
	{"income_monthly", cellMoney},
	{"home_state", cellState},
	{"home_district", cellDistrict},
	{"home_village", cellText},
	{"home_ward", cellText},
	{"home_post_office", cellText},
	{"home_pincode", cellPincode},
	{"current_state", cellState},
	{"current_district", cellDistrict},
	{"eshram_uan", cellID},
	{"bocw_id", cellID},
	{"ration_card", cellID},
	{"ration_card_type", cellCardType},
	{"job_card", cellID},
	{"aadhaar_seeded", cellBool},
	{"bank_account", cellBool},
	{"unorganised_worker", cellBool},
	{"construction_days_12m", cellDays},
	{"epfo_member", cellBool},
	{"esic_member", cellBool},
	{"nps_member", cellBool},
	{"government_employee", cellBool},
	{"income_tax_payer", cellBool},
	{"welfare_fund_member", cellBool},
	{"consent_sms", cellBool},
	{"consent_call", cellBool},
	{"source_id", cellSourceID},
}

// ImportFields returns the names of the fields that a file can carry, in the order of the table.
func ImportFields() []string {
	var out []string
	for _, c := range importColumns {
		out = append(out, c.name)
	}
	return out
}

func importColumnByName(name string) (importColumn, bool) {
	for _, c := range importColumns {
		if c.name == name {
			return c, true
		}
	}
	return importColumn{}, false
}

// rejectColumns stand before the original ones in a file of rejects. Import passes over them, so
// that the corrected file can be imported as it is.
var rejectColumns = []string{"import_line", "import_action", "import_column", "import_reason"}
