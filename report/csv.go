package report

import (
	"strconv"

	"pukar/audience"
	"pukar/campaign"
)

// Columns are the columns of a delivery report, in order.
var Columns = []string{
	"campaign", "run", "seq", "contact", "msisdn", "language", "home_state", "home_district", "template_id", "parts", "outcome", "error",
	"route", "message_ids", "submitted_at", "accepted_at", "final_at", "receipt_status", "receipt_error", "cost_inr",
}

// outcomeExcluded is the outcome of somebody left out at the freeze, who is no recipient and has no campaign.State.
const outcomeExcluded = "excluded"

// writer forms the lines of a report.
type writer struct {
	run    *run
	masked bool
	clock  clock
	prefix []byte // campaign and run, the same in every line
	cells  map[string][]byte
	states []string
	prices [2][]byte // cost of no part and of one
	cell   []byte    // scratch
}

func newWriter(r *run, masked bool) *writer {
	w := &writer{run: r, masked: masked, cells: make(map[string][]byte)}
	w.prefix = appendCell(nil, []byte(r.Campaign))
	w.prefix = append(w.prefix, ',')
	w.prefix = strconv.AppendInt(w.prefix, int64(r.Number), 10)
	w.prefix = append(w.prefix, ',')
	for _, state := range campaign.States() {
		w.states = append(w.states, state.String())
	}
	for i := range w.prices {
		w.prices[i] = appendINR(nil, int64(i)*r.MicroINR)
	}
	return w
}

func appendHeader(b []byte) []byte {
	for i, column := range Columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, column...)
	}
	return append(b, '\n')
}

// appendRecord writes a recipient's line.
func (w *writer) appendRecord(b []byte, c *chunk, rec *record) []byte {
	b = append(b, w.prefix...)
	b = strconv.AppendInt(b, int64(rec.seq), 10)
	b = append(b, ',')
	b = w.appendPerson(b, rec.person)
	b = append(b, w.known(w.run.templateIDs[rec.person.language])...)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(rec.parts), 10)
	b = append(b, ',')
	b = append(b, w.states[rec.outcome]...)
	b = append(b, ',')
	b = w.appendError(b, rec)
	b = append(b, ',')
	b = append(b, w.known(rec.route)...)
	b = append(b, ',')
	b = w.appendIDs(b, c, rec.ids)
	b = append(b, ',')
	b = append(w.clock.append(b, rec.submitted), ',')
	b = append(w.clock.append(b, rec.accepted), ',')
	b = append(w.clock.append(b, rec.final), ',')
	b = append(b, rec.receipt...)
	b = append(b, ',')
	b = appendCell(b, rec.err)
	b = append(b, ',')
	if rec.charged < len(w.prices) {
		b = append(b, w.prices[rec.charged]...)
	} else {
		b = appendINR(b, int64(rec.charged)*w.run.MicroINR)
	}
	return append(b, '\n')
}

// excluded is a row of exclusion.
type excluded struct {
	Contact  int64
	MSISDN   int64
	Language string
	State    int16
	District int32
	Reason   string
}

// appendExcluded writes the line of somebody left out.
func (w *writer) appendExcluded(b []byte, e *excluded) []byte {
	b = append(b, w.prefix...)
	b = append(b, ',') // no seq
	b = w.appendPerson(b, &person{contact: e.Contact, msisdn: e.MSISDN, language: e.Language, state: e.State, district: e.District})
	b = append(b, ",0,"+outcomeExcluded+","...)
	b = appendCell(b, []byte(e.Reason))
	b = append(b, ",,,,,,,,"...)
	b = append(b, w.prices[0]...)
	return append(b, '\n')
}

// appendPerson writes contact to home_district, each with its comma.
func (w *writer) appendPerson(b []byte, p *person) []byte {
	b = strconv.AppendInt(b, p.contact, 10)
	b = append(b, ',')
	if w.masked {
		b = append(b, audience.Mask(p.msisdn)...)
	} else {
		b = strconv.AppendInt(b, p.msisdn, 10)
	}
	b = append(b, ',')
	b = append(b, w.known(p.language)...)
	b = append(b, ',')
	b = append(b, w.known(w.run.states[p.state])...)
	b = append(b, ',')
	b = append(b, w.known(w.run.districts[p.district])...)
	return append(b, ',')
}

// appendError writes why a message did not go out: the refusal, or the reason of the skip.
func (w *writer) appendError(b []byte, rec *record) []byte {
	switch {
	case rec.outcome == campaign.Rejected && rec.status != 0:
		return appendStatus(b, rec.status)
	case rec.skip.reason == "":
		return b
	case rec.skip.detail == "" || rec.skip.detail == rec.skip.reason:
		return append(b, w.known(rec.skip.reason)...)
	}
	w.cell = append(w.cell[:0], rec.skip.reason...)
	w.cell = append(w.cell, ": "...)
	w.cell = append(w.cell, rec.skip.detail...)
	return appendCell(b, w.cell)
}

func (w *writer) appendIDs(b []byte, c *chunk, ids []*submission) []byte {
	if len(ids) == 0 {
		return b
	}
	w.cell = w.cell[:0]
	for i, s := range ids {
		if i > 0 {
			w.cell = append(w.cell, ' ')
		}
		w.cell = append(w.cell, c.bytes(s.id)...)
	}
	return appendCell(b, w.cell)
}

// known returns the cell of a word that comes again and again. Words come from small sets: languages, places, routes, reasons.
func (w *writer) known(word string) []byte {
	if word == "" {
		return nil
	}
	cell, ok := w.cells[word]
	if !ok {
		cell = appendCell(nil, []byte(word))
		w.cells[word] = cell
	}
	return cell
}

// appendCell writes a value as RFC 4180 has it. One that a spreadsheet would compute (it begins with = + - @, or with a tab or carriage
// return before one) gets an apostrophe in front, which spreadsheets take for "this is text".
func appendCell(b, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	quote := v[0] == ' ' || v[len(v)-1] == ' '
	for _, c := range v {
		if c == '"' || c == ',' || c == '\n' || c == '\r' {
			quote = true
			break
		}
	}
	guard := false
	switch v[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		guard = true
	}
	if !quote {
		if guard {
			b = append(b, '\'')
		}
		return append(b, v...)
	}
	b = append(b, '"')
	if guard {
		b = append(b, '\'')
	}
	for _, c := range v {
		if c == '"' {
			b = append(b, '"')
		}
		b = append(b, c)
	}
	return append(b, '"')
}
