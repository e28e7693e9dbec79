package templates

import "slices"

// fields are the contact fields that may fill a tag: the known columns of an import file.
var fields = []string{
	"msisdn", "name", "language", "gender", "birth_year", "age", "occupation", "income_monthly",
	"home_state", "home_district", "home_village", "home_ward", "home_post_office", "home_pincode",
	"current_state", "current_district",
	"eshram_uan", "bocw_id", "ration_card", "ration_card_type", "job_card",
	"aadhaar_seeded", "bank_account", "unorganised_worker", "construction_days_12m",
	"epfo_member", "esic_member", "nps_member", "government_employee", "income_tax_payer", "welfare_fund_member",
	"consent_sms", "consent_call", "source_id",
}

// Fields lists the contact fields that a template's variables may name, in the order of the import file's description.
func Fields() []string { return slices.Clone(fields) }

// numericFields hold digits alone wherever they are known.
var numericFields = []string{"msisdn", "birth_year", "age", "income_monthly", "home_pincode", "construction_days_12m", "eshram_uan"}
