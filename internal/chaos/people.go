package chaos

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"pukar/audience"
)

// group is the people of one campaign, who have one home district and consecutive numbers.
type group struct {
	campaign, district, priority, onUnknown string
	from, to                                int // persons, to exclusive
}

// groups shares people out: most to a bulk campaign, some to one that sends again what is unknown, and some to small ones that
// are cancelled on the way.
func groups(people int) []group {
	list := []group{
		{campaign: "everybody", district: "UP/Varanasi", priority: "bulk", onUnknown: "hold"},
		{campaign: "again", district: "JH/Ranchi", priority: "normal", onUnknown: "resend"},
		{campaign: "cancelled-1", district: "BR/Patna", priority: "urgent", onUnknown: "hold"},
		{campaign: "cancelled-2", district: "BR/Gaya", priority: "urgent", onUnknown: "hold"},
		{campaign: "cancelled-3", district: "UP/Lucknow", priority: "urgent", onUnknown: "hold"},
	}
	shares := []int{84, 10, 2, 2, 2} // per cent
	from := 0
	for i := range list {
		list[i].from = from
		from += people * shares[i] / 100
		list[i].to = from
	}
	list[len(list)-1].to = people
	return list
}

// texts have one, two and three parts.
const template = `
name: ration
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: en
languages:
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#} of {#alphanumeric#}, your ration card works where you work. Help: call 1800-891-2995 today."}
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} के आपके राशन कार्ड पर अब जहाँ आप काम करते हैं वहीं राशन मिलेगा। मदद: 1800-891-2995 पर पूछें।"}
  bn: {template_id: "1107172974420810003", text: "নমস্কার {#alphanumeric#}, {#alphanumeric#} জেলার আপনার রেশন কার্ডে এখন আপনি যেখানে কাজ করেন সেখানেই রেশন পাওয়া যাবে। সাহায্যের জন্য বিনা খরচে 1800-891-2995 নম্বরে ফোন করুন, সকাল দশটা থেকে সন্ধ্যা ছয়টা পর্যন্ত।"}
`

const campaignFile = `
name: %s
purpose: ration portability
audience: {home: ["%s"]}
steps:
  - sms: {template: ration, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
priority: %s
on_unknown: %s
`

// partsPerPerson is what the languages below come to.
const partsPerPerson = 1.4

func languageOf(i int) string {
	switch i % 10 {
	case 3, 6:
		return "hi"
	case 9:
		return "bn"
	}
	return "en"
}

// writePeople writes the list of everybody.
func writePeople(w io.Writer, all []group) error {
	out := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintln(out, "msisdn,name,language,home_district,consent_sms")
	for _, g := range all {
		for i := g.from; i < g.to; i++ {
			fmt.Fprintf(out, "%d,Asha,%s,%s,yes\n", firstNumber+i, languageOf(i), g.district)
		}
	}
	return out.Flush()
}

// importPeople brings everybody into the register.
func (h *harness) importPeople(ctx context.Context) error {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(writePeople(w, h.groups)) }() // ends when the import has read or given up
	result, err := audience.Import(ctx, h.pool, h.key, r, audience.ImportOptions{Source: "chaos", Actor: "chaos"})
	_ = r.Close()
	if err != nil {
		return err
	}
	if result.Inserted != int64(h.People) {
		return fmt.Errorf("imported %d of %d people: %+v", result.Inserted, h.People, result)
	}
	return nil
}
