package audience

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// maxPlaceCache bounds the texts of places whose meaning is remembered during an import.
const maxPlaceCache = 20_000

// rowReader turns the records of a file into the rows of a chunk.
type rowReader struct {
	plan   *importPlan
	key    Key
	places *Places
	source string
	year   int64
	ageOn  int64 // days since 2000-01-01, PostgreSQL's epoch
	chunk  int

	states    map[string]placeAnswer
	districts map[districtText]placeAnswer

	refusals, warnings *problemTally
	warned             int64
	rejects            *rejectWriter

	// Of the present row; reused.
	wrong, odd []rowProblem
	texts      rowPlaces
	hash       []byte
}

// rowPlaces are the place columns of a row, which are resolved together at its end.
type rowPlaces struct{ home, current [2]rowPlace }

type rowPlace struct {
	column int
	text   []byte
}

type districtText struct {
	state int16
	text  string
}

// placeAnswer is what a text of a place means, or why it means none.
type placeAnswer struct {
	state    int16
	district int32
	reason   string
}

func newRowReader(plan *importPlan, key Key, opt ImportOptions) *rowReader {
	on := opt.Now.In(indiaTime)
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	day := time.Date(on.Year(), on.Month(), on.Day(), 0, 0, 0, 0, time.UTC)
	return &rowReader{
		plan: plan, key: key, places: KnownPlaces(), source: opt.Source,
		year: int64(on.Year()), ageOn: int64(day.Sub(epoch) / (24 * time.Hour)), chunk: opt.chunk,
		states: map[string]placeAnswer{}, districts: map[districtText]placeAnswer{},
		refusals: newProblemTally(), warnings: newProblemTally(), rejects: newRejectWriter(opt.Rejects, plan),
	}
}

// indiaTime is the zone in which days are counted; India has one zone and no summer time.
var indiaTime = time.FixedZone("IST", 5*3600+1800)

// refuse counts a record that could not even be cut into fields.
func (r *rowReader) refuse(c *importChunk, line int64, reason string, raw []byte) {
	c.read++
	c.refused++
	p := rowProblem{reason: reason}
	r.refusals.add(line, p)
	r.rejects.row(line, "refused", []rowProblem{p}, nil, raw)
}

// read puts one record into the chunk, or refuses it. A record without any value is passed over.
func (r *rowReader) read(c *importChunk, line int64, fields [][]byte, raw []byte) {
	if isBlank(fields) {
		return
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		r.refuse(c, line, "the row has a NUL byte in it: save the list again from the program that made it", bytes.ReplaceAll(raw, []byte{0}, nil))
		return
	}
	c.read++
	r.wrong, r.odd, r.texts = r.wrong[:0], r.odd[:0], rowPlaces{}
	cells := c.begin()
	if len(fields) != len(r.plan.columns) {
		r.wrong = append(r.wrong, rowProblem{reason: fmt.Sprintf("the row has %d columns, the header line %d: is a comma inside a value without quotes around it?", len(fields), len(r.plan.columns))})
	} else {
		for i := range r.plan.columns {
			r.cell(c, cells, i, bytes.TrimSpace(fields[i]))
		}
		r.resolve(c, cells, &r.texts.home, r.plan.homeState, r.plan.homeDistrict)
		r.resolve(c, cells, &r.texts.current, r.plan.currentState, r.plan.currentDistrict)
		if cells[r.plan.number].length < 0 && len(r.wrong) == 0 {
			r.problem(&r.wrong, r.numberColumn(), errNumberEmpty.Reason)
		}
	}
	if len(r.wrong) > 0 {
		c.drop()
		c.refused++
		for _, p := range r.wrong {
			r.refusals.add(line, p)
		}
		r.rejects.row(line, "refused", r.wrong, fields, raw)
		return
	}
	if len(r.odd) > 0 {
		r.warned++
		var without []string
		for _, p := range r.odd {
			r.warnings.add(line, p)
			without = append(without, p.field)
		}
		r.rejects.row(line, "imported without "+strings.Join(without, ", "), r.odd, fields, raw)
	}
	c.finish(r.identity(c, cells))
}

func isBlank(fields [][]byte) bool {
	for _, f := range fields {
		if len(bytes.TrimSpace(f)) > 0 {
			return false
		}
	}
	return true
}

func (r *rowReader) numberColumn() int {
	for i, c := range r.plan.columns {
		if c.kind == cellNumber {
			return i
		}
	}
	return 0
}

// problem notes what is wrong with a column of the row; to is r.wrong or r.odd.
func (r *rowReader) problem(to *[]rowProblem, column int, reason string) {
	c := r.plan.columns[column]
	field := c.header
	if c.cell >= 0 && c.cell < len(r.plan.cells) {
		field = r.plan.cells[c.cell]
	}
	*to = append(*to, rowProblem{column: c.header, field: field, reason: reason})
}

// cell reads one value into its cell.
func (r *rowReader) cell(c *importChunk, cells []span, i int, v []byte) {
	column := &r.plan.columns[i]
	if len(v) == 0 {
		return
	}
	if column.kind == cellSkip {
		if column.header == "" {
			r.problem(&r.wrong, i, fmt.Sprintf("column %d has a value here and no name in the header line", i+1))
		}
		return
	}
	if len(v) > maxValue && utf8.RuneCount(v) > maxValue {
		r.problem(&r.wrong, i, fmt.Sprintf("the value is longer than %d characters", maxValue))
		return
	}
	from := len(c.arena)
	switch column.kind {
	case cellNumber:
		n, err := ParseNumber(string(v))
		if err != nil {
			r.problem(&r.wrong, i, err.Error())
			return
		}
		c.arena = appendInt8(c.arena, n)
		cells[column.cell+1] = span{int32(len(c.arena)), 8} //nolint:gosec // chunkBytes; msisdn_key follows msisdn
		c.arena = appendInt8(c.arena, r.key.Number(n))
		cells[column.cell] = span{int32(from), 8} //nolint:gosec // chunkBytes
		return
	case cellText, cellName:
		c.arena = appendCollapsed(c.arena, v)
	case cellLower:
		c.arena = append(c.arena, strings.ToLower(string(appendCollapsed(r.hash[:0], v)))...)
	case cellID, cellSourceID:
		if isShortened(string(v)) {
			if column.kind == cellSourceID {
				r.problem(&r.wrong, i, "a spreadsheet has shortened the id to a power of ten: format the column as text and export the list again")
				return
			}
			r.problem(&r.odd, i, "a spreadsheet has shortened the id to a power of ten: format the column as text and export the list again")
			return
		}
		if column.kind == cellID {
			c.arena = cleanID(c.arena, v)
		} else {
			c.arena = append(c.arena, v...)
		}
	case cellAttribute:
		c.arena = appendJSONString(c.arena, v)
	case cellState, cellDistrict:
		r.placeText(i, v)
		return
	default:
		if !r.closed(c, cells, i, v) {
			return
		}
	}
	if len(c.arena) > from {
		cells[column.cell] = c.since(from)
	}
}

func (r *rowReader) placeText(column int, v []byte) {
	t := rowPlace{column, v}
	switch r.plan.columns[column].cell {
	case r.plan.homeState:
		r.texts.home[0] = t
	case r.plan.homeDistrict:
		r.texts.home[1] = t
	case r.plan.currentState:
		r.texts.current[0] = t
	case r.plan.currentDistrict:
		r.texts.current[1] = t
	}
}
