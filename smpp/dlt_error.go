package smpp

import (
	_ "embed" // of the codes
	"encoding/csv"
	"fmt"
	"strings"
	"sync"

	"pukar/smpp/pdu"
)

// dltCodes are the answers of Indian operators' checks against the DLT registers, as they stand in err: of receipts, in
// network_error_code or in command_status. There is no national table: three families of numbers are in use, put
// together from what gateways publish. A route may say otherwise.
//
//go:embed dlt_error.csv
var dltCodes string

// DLTError is the meaning of a code of the DLT checks.
type DLTError struct {
	Code    string
	Class   Class  // ClassConfiguration, ClassPermanent (this person) or ClassTransient
	Meaning string // in words, as part of a sentence
	Mend    string // what to do, "" where nothing is to be mended
}

// dltMends are what to do about a code, by the word in its second column; what is not here is no fault of ours.
var dltMends = map[string]string{
	"entity":   "check dlt.entity_id of template and route, and its standing with the operator",
	"chain":    "check dlt.telemarketer_id and dlt.chain of the route, and their standing with the operator",
	"header":   "check the header of the template, letter by letter, and its standing with the operator",
	"template": "compare text, template_id and header with what is registered, and add the corrected template with `pukar template add FILE`",
	"values":   "shorten the values that go into the template, or register a longer place for them",
	"hours":    "narrow the window of the campaign to the hours of its category",
	"scrubber": "ask the operator why its check fails",
	"tags":     "check the ids and dlt.tags of the route",
	"route":    "use a route for this category of message",
}

var dltErrors = sync.OnceValue(func() map[string]DLTError {
	rows, err := csv.NewReader(strings.NewReader(dltCodes)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("smpp: dlt_error.csv: %v", err))
	}
	codes := make(map[string]DLTError, len(rows))
	for _, row := range rows[1:] {
		e := DLTError{Code: row[0], Class: ClassConfiguration, Mend: dltMends[row[1]], Meaning: row[2]}
		switch row[1] {
		case "recipient":
			e.Class = ClassPermanent
		case "later":
			e.Class = ClassTransient
		}
		codes[e.Code] = e
	}
	return codes
})

// LookUpDLT finds the meaning of a code as a receipt has it; leading zeros do not matter.
func LookUpDLT(code string) (DLTError, bool) {
	e, known := dltErrors()[TrimCode(code)]
	return e, known
}

// TrimCode is an error code without blanks and leading zeros: "" where it says that there was none.
func TrimCode(code string) string { return strings.TrimLeft(strings.TrimSpace(code), "0") }

// StatusMend says what to do about a status of ClassConfiguration.
func StatusMend(status pdu.Status) string {
	switch status {
	case pdu.StatusInvalidSource, pdu.StatusInvalidSourceTON, pdu.StatusInvalidSourceNPI:
		return "check the header of the template, and header, source_ton and source_npi of the route"
	case pdu.StatusInvalidOptionalPart, pdu.StatusOptionalNotAllowed, pdu.StatusInvalidParameterLength, pdu.StatusMissingOptional, pdu.StatusInvalidOptional:
		return "check the DLT ids of template and route, and dlt.tags of the route"
	}
	return "ask the operator what the route's settings have to be"
}
