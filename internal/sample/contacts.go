package sample

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"

	"pukar/audience"
)

// Header is the header line of the CSV that WriteContacts writes, without its end of line. Column trade is no field of a
// contact and becomes an extra attribute.
const Header = "source_id,msisdn,name,gender,age,language,occupation,trade,income_monthly,home_state,home_district,home_village," +
	"current_state,current_district,eshram_uan,ration_card,ration_card_type,aadhaar_seeded,bank_account,unorganised_worker," +
	"construction_days_12m,epfo_member,income_tax_payer,consent_sms,consent_call"

// MaxContacts is how many people can be made: beyond it the numbers would leave the mobile series.
const MaxContacts = 900_000_000

// firstNumber is before the first person's number.
const firstNumber = 7_000_000_000

// WriteContacts writes n invented people as CSV with a header line. About one row in fifty is as dirty as those of real
// lists: a number that a spreadsheet has spoilt, a landline, a person twice, a district that nobody knows, two scripts in one
// name. The same n and seed give the same bytes, and a larger n begins with the same people.
func WriteContacts(w io.Writer, n int, seed uint64) error {
	if n < 0 || n > MaxContacts {
		return fmt.Errorf("write sample contacts: %d people: from 0 to %d can be made", n, MaxContacts)
	}
	m := newMaker(seed)
	const flushAt = 256 << 10
	buf := make([]byte, 0, flushAt+4<<10)
	buf = append(append(buf, Header...), '\n')
	for i := range n {
		buf = m.row(buf, i)
		if len(buf) >= flushAt {
			if _, err := w.Write(buf); err != nil {
				return fmt.Errorf("write sample contacts: %w", err)
			}
			buf = buf[:0]
		}
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("write sample contacts: %w", err)
	}
	return nil
}

// maker draws people one after the other.
type maker struct {
	rng   *rand.PCG
	homes []home
	away  []away
	last  []byte // the row written last, which is repeated now and then
}

// home is a state that people come from.
type home struct {
	weight    uint32
	state     audience.State
	districts []audience.District
	languages []weighted
}

// away is a state that people work in.
type away struct {
	weight    uint32
	state     audience.State
	districts []audience.District
}

func newMaker(seed uint64) *maker {
	places := audience.KnownPlaces()
	m := &maker{rng: rand.NewPCG(seed, 0x9e3779b97f4a7c15)}
	for _, h := range homeStates {
		st, err := places.ResolveState(h.state)
		if err != nil {
			panic("sample: " + err.Error())
		}
		m.homes = append(m.homes, home{h.weight, st, places.Districts(st.Code), h.languages})
	}
	for _, a := range workStates {
		st, err := places.ResolveState(a.text)
		if err != nil {
			panic("sample: " + err.Error())
		}
		m.away = append(m.away, away{a.weight, st, places.Districts(st.Code)})
	}
	return m
}

// pick returns a number from 0 to below n.
func (m *maker) pick(n int) int {
	return int((m.rng.Uint64() >> 32) * uint64(n) >> 32) //nolint:gosec // n is the length of a list
}

// chance is true in percent of all cases.
func (m *maker) chance(percent int) bool { return m.pick(100) < percent }

// low prefers small numbers, so that some districts send more people than others.
func (m *maker) low(n int) int { return min(m.pick(n), m.pick(n)) }

// weighted is a text that is drawn as often as its weight says.
type weighted struct {
	weight uint32
	text   string
}

func (m *maker) draw(from []weighted) string {
	var total uint32
	for _, w := range from {
		total += w.weight
	}
	at := uint32(m.pick(int(total))) //nolint:gosec // a small sum
	for _, w := range from {
		if at < w.weight {
			return w.text
		}
		at -= w.weight
	}
	return from[len(from)-1].text
}

func (m *maker) drawHome() *home {
	at := uint32(m.pick(100)) //nolint:gosec // below 100
	for i := range m.homes {
		if at < m.homes[i].weight {
			return &m.homes[i]
		}
		at -= m.homes[i].weight
	}
	return &m.homes[0]
}

func (m *maker) drawAway() *away {
	at := uint32(m.pick(100)) //nolint:gosec // below 100
	for i := range m.away {
		if at < m.away[i].weight {
			return &m.away[i]
		}
		at -= m.away[i].weight
	}
	return &m.away[0]
}

// row appends person i.
func (m *maker) row(buf []byte, i int) []byte {
	flaw := dirtOf(dirt(m.pick(1000)))
	if flaw == dirtTwice && len(m.last) > 0 {
		return append(buf, m.last...)
	}
	from := len(buf)
	h := m.drawHome()
	language := m.draw(h.languages)
	female := m.chance(34)
	buf = append(buf, 'S')
	buf = appendPadded(buf, int64(i)+1, 8)
	buf = append(buf, ',')
	buf = m.number(buf, firstNumber+int64(i)+1, flaw)
	buf = append(buf, ',')
	buf = m.name(buf, language, female, flaw)
	buf = appendField(buf, choose(female, "female", "male"))
	age := 18 + m.low(46)
	if m.chance(1) {
		age = 16 + m.pick(2)
	}
	buf = m.optional(buf, 95, strconv.Itoa(age))
	buf = m.language(buf, language)
	occupation := m.draw(occupations)
	buf = appendField(buf, occupation)
	buf = appendField(buf, m.trade(occupation))
	buf = m.optional(buf, 70, strconv.Itoa(6000+250*m.low(80)))
	buf = m.home(buf, h, flaw)
	a := m.drawAway()
	buf = appendField(buf, a.state.NameEN)
	buf = m.optional(buf, 80, a.districts[m.low(len(a.districts))].NameEN)
	return m.rights(buf, i, occupation, age, from)
}

// rights appends registrations, facts about the person's entitlements and consent.
func (m *maker) rights(buf []byte, i int, occupation string, age, from int) []byte {
	buf = append(buf, ',')
	if m.chance(55) {
		buf = appendPadded(buf, 500_000_000_000+int64(i)*37, 12)
	}
	card := m.pick(100)
	buf = append(buf, ',')
	if card < 75 {
		buf = appendPadded(append(buf, 'R', 'C'), int64(i)*13+7, 10)
	}
	switch {
	case card < 55:
		buf = appendField(buf, "PHH")
	case card < 67:
		buf = appendField(buf, "AAY")
	case card < 75:
		buf = appendField(buf, "other")
	default:
		buf = append(buf, ',')
	}
	buf = m.yesNo(buf, 82, 8)
	buf = m.yesNo(buf, 76, 14)
	buf = m.yesNo(buf, 80, 5)
	days := ""
	if occupation == "construction" && m.chance(85) {
		days = strconv.Itoa(30 + m.pick(270))
	}
	buf = appendField(buf, days)
	buf = m.yesNo(buf, 6, 70)
	buf = m.yesNo(buf, 2, 78)
	if age < 18 {
		buf = append(buf, ",,"...)
	} else {
		buf = m.yesNo(buf, 72, 5)
		buf = m.yesNo(buf, 60, 8)
	}
	buf = append(buf, '\n')
	m.last = append(m.last[:0], buf[from:]...)
	return buf
}

func (m *maker) home(buf []byte, h *home, flaw dirt) []byte {
	d := h.districts[m.low(len(h.districts))]
	switch flaw {
	case dirtDistrict:
		buf = appendField(buf, h.state.Abbreviation)
		buf = appendField(buf, misspelt(d.NameEN))
	case dirtSpelling:
		buf = append(buf, ',') // without a state many old spellings still tell the district
		buf = appendField(buf, m.draw(oldSpellings))
	default:
		buf = appendField(buf, h.state.NameEN)
		if m.chance(12) {
			buf = appendField(buf, d.NameHI)
		} else {
			buf = m.optional(buf, 96, d.NameEN)
		}
	}
	return m.optional(buf, 60, villages[m.pick(len(villages))])
}

func (m *maker) language(buf []byte, code string) []byte {
	if m.chance(20) {
		if name, ok := languageNames[code]; ok {
			return appendField(buf, name)
		}
	}
	return m.optional(buf, 94, code)
}

// trade is a finer word for what the person does.
func (m *maker) trade(occupation string) string {
	trades := trades[occupation]
	if len(trades) == 0 || !m.chance(60) {
		return ""
	}
	return trades[m.pick(len(trades))]
}

// optional appends the value in percent of all cases, else an empty field.
func (m *maker) optional(buf []byte, percent int, value string) []byte {
	if !m.chance(percent) {
		value = ""
	}
	return appendField(buf, value)
}

// yesNo appends yes or no with these chances in percent, else an empty field.
func (m *maker) yesNo(buf []byte, yes, no int) []byte {
	switch at := m.pick(100); {
	case at < yes:
		return appendField(buf, "yes")
	case at < yes+no:
		return appendField(buf, "no")
	}
	return append(buf, ',')
}

func appendField(buf []byte, value string) []byte {
	return append(append(buf, ','), value...)
}

func appendPadded(buf []byte, n int64, width int) []byte {
	var digits [20]byte
	s := strconv.AppendInt(digits[:0], n, 10)
	for range width - len(s) {
		buf = append(buf, '0')
	}
	return append(buf, s...)
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
