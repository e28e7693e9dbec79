package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// longTemplate gives messages of one, two and three parts in both alphabets, with characters of the GSM
// extension table and with a pair of surrogates, so that names of every length bring each of them to the end
// of a part.
const longTemplate = `
name: onorc-intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: en
languages:
  hi: {template_id: "1107172974420810001", text: "` + longHindi + `"}
  en: {template_id: "1107172974420810002", text: "` + longEnglish + `"}
`

const (
	longHindi   = "नमस्ते {#alphanumeric#}, {#alphanumeric#} के आपके राशन कार्ड पर 🙏🙏🙏🙏🙏🙏🙏🙏🙏🙏 अब जहाँ आप काम करते हैं वहीं राशन मिलेगा। मदद के लिए 1800-891-2995 पर पूछें।"
	longEnglish = "Dear {#alphanumeric#} of {#alphanumeric#}, your ration card [ONORC] works where you work: 5 kg for €0 ^each^ month. Help: call 1800-891-2995 {free} today [1]~[2]."
)

// dltOf is the registration that stands on every part, by language.
var dltOf = map[string]map[uint16]string{
	"hi": {0x1400: "1101172974420810001", 0x1401: "1107172974420810001"},
	"en": {0x1400: "1101172974420810001", 0x1401: "1107172974420810002"},
}

// longPerson is one of the people of the long template, and the message that she is to get.
type longPerson struct {
	number, name, language, district, text string
}

func longPersonNo(i int) longPerson {
	names := []string{"Asha Devi", "José", "D'Souza", "आशा देवी", "Mohd. Rafiq", "सीता", "Zoë"}
	districts := []struct{ code, en, hi string }{{"BR/Patna", "Patna", "पटना"}, {"UP/Varanasi", "Varanasi", "वाराणसी"}, {"JH/Ranchi", "Ranchi", "रांची"}}
	p := longPerson{number: numberOf(i), name: names[i%len(names)] + strings.Repeat("a", i%23), language: "en"}
	d := districts[i%len(districts)]
	district, text := d.en, longEnglish
	if i%2 == 0 {
		p.language, district, text = "hi", d.hi, longHindi
	}
	p.district = d.code
	p.text = strings.Replace(text, "{#alphanumeric#}", p.name, 1)
	p.text = strings.Replace(p.text, "{#alphanumeric#}", district, 1)
	return p
}

func TestTheReportEqualsTheCentresRecordRowByRow(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{RequireDLT: true}, func(c *config.Config) { c.Routes[0].Binds[0].Window = 500 })
	b.run()
	var list strings.Builder
	list.WriteString("msisdn,name,language,home_district,consent_sms\n")
	for i := range recordPeople {
		p := longPersonNo(i)
		fmt.Fprintf(&list, "%s,%s,%s,%s,yes\n", p.number, p.name, p.language, p.district)
	}
	b.importPeople(recordPeople, list.String(), audience.ImportOptions{})
	b.launchFile(longTemplate, fmt.Sprintf(introCampaign, "record"))
	if status := b.done("record"); status.Totals != (campaign.Totals{Delivered: recordPeople}) {
		t.Errorf("totals %+v: %d people were to be delivered", status.Totals, recordPeople)
	}

	rows, submits := b.report("record"), b.accepted()
	if len(rows) != recordPeople || len(submits) != recordPeople {
		t.Errorf("%d people are in the report and %d in the centre's record, want %d", len(rows), len(submits), recordPeople)
	}
	byParts, byCoding := make(map[int]int), make(map[byte]int)
	for i := range recordPeople {
		p := longPersonNo(i)
		if err := checkPerson(p, rows[p.number], submits[p.number]); err != nil {
			t.Fatalf("person %d: %v", i, err)
		}
		byParts[len(submits[p.number])]++
		byCoding[submits[p.number][0].dataCoding]++
	}
	if len(byParts) < 3 || len(byCoding) != 2 {
		t.Errorf("messages by parts %v and by data_coding %v: the texts were to have 1 to 3 parts in both alphabets", byParts, byCoding)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Refused != 0 || stats.Messages != recordPeople {
		t.Errorf("the centre counts %d messages, %d duplicates, %d refused", stats.Messages, stats.Duplicates, stats.Refused)
	}
}

// checkPerson holds what the report says of a person, and what the centre got for her, to what she was to get.
func checkPerson(p longPerson, row reportRow, parts []submit) error {
	if len(parts) == 0 {
		return fmt.Errorf("nothing was submitted")
	}
	// The centre may get the parts of one message in any order; it wrote the number of each on it.
	slices.SortFunc(parts, func(a, b submit) int { return partNo(a) - partNo(b) })
	text, err := textOf(parts)
	if err != nil {
		return err
	}
	if text != p.text {
		return fmt.Errorf("text %q, want %q", text, p.text)
	}
	var ids []string
	for i, part := range parts {
		ids = append(ids, part.id)
		if part.source != "HELPLN" {
			return fmt.Errorf("part %d comes from %q", i+1, part.source)
		}
		for tag, want := range dltOf[p.language] {
			if part.tlvs[tag] != want {
				return fmt.Errorf("part %d has %q under 0x%04X, want %q", i+1, part.tlvs[tag], tag, want)
			}
		}
	}
	want := reportRow{language: p.language, templateID: dltOf[p.language][0x1401], parts: len(parts), outcome: "delivered", ids: ids}
	if fmt.Sprint(row) != fmt.Sprint(want) {
		return fmt.Errorf("the report says %v, want %v", row, want)
	}
	return nil
}

// partNo is the number that a part bears, 0 for an only one.
func partNo(s submit) int {
	if s.esmClass&0x40 == 0 || len(s.payload) < 7 {
		return 0
	}
	return int(s.payload[6])
}
