package audience

import (
	"bytes"
	"encoding/binary"
)

const (
	// chunkRows and chunkBytes bound the people that are parsed ahead of the database.
	chunkRows  = 16 << 10
	chunkBytes = 6 << 20
)

// span is where a cell's value stands in the chunk's arena; a negative length is NULL.
type span struct{ from, length int32 }

var null = span{0, -1}

// importChunk is a bounded number of people of the file, ready for COPY. The parsing goroutine fills
// it, the importing one sends it and gives it back.
type importChunk struct {
	plan *importPlan
	// limit is how many people it takes.
	limit int
	// arena holds the values in PostgreSQL's binary form, attributes as JSON strings.
	arena []byte
	// cells has plan.width() entries for each person.
	cells  []span
	people []identity
	// at leads from a person to her index, so that a repeated row joins the first one.
	at map[identity]int32
	// tuples are the rows for COPY, tupleEnd where each of them ends.
	tuples   []byte
	tupleEnd []int
	// What the rows of the file behind this chunk came to.
	read, refused, bytes int64
}

func newImportChunk(plan *importPlan, limit int) *importChunk {
	return &importChunk{plan: plan, limit: limit, at: make(map[identity]int32, limit), people: make([]identity, 0, limit)}
}

func (c *importChunk) reset() {
	c.arena, c.cells, c.people = c.arena[:0], c.cells[:0], c.people[:0]
	c.tuples, c.tupleEnd = c.tuples[:0], c.tupleEnd[:0]
	clear(c.at)
	c.read, c.refused, c.bytes = 0, 0, 0
}

func (c *importChunk) full() bool {
	return len(c.people) >= c.limit || len(c.arena) >= chunkBytes || c.read >= 4*chunkRows
}

// begin opens the cells of one more row, all NULL.
func (c *importChunk) begin() []span {
	from := len(c.cells)
	for range c.plan.width() {
		c.cells = append(c.cells, null)
	}
	return c.cells[from:]
}

// drop takes the last row back.
func (c *importChunk) drop() { c.cells = c.cells[:len(c.cells)-c.plan.width()] }

// since returns the cell of what has been appended to the arena from there on.
func (c *importChunk) since(from int) span { return span{int32(from), int32(len(c.arena) - from)} } //nolint:gosec // chunkBytes

func (c *importChunk) bytesOf(s span) []byte { return c.arena[s.from : s.from+s.length] }

// finish closes the row begun last. A person who is already in the chunk gets what this row knows;
// newer values win and NULL never erases.
func (c *importChunk) finish(who identity) {
	i, repeated := c.at[who]
	if !repeated {
		c.at[who] = int32(len(c.people)) //nolint:gosec // chunkRows
		c.people = append(c.people, who)
		return
	}
	w := c.plan.width()
	row := c.cells[len(c.cells)-w:]
	first := c.cells[int(i)*w : int(i)*w+w]
	c.leaveState(first, row, c.plan.homeState, c.plan.homeDistrict)
	c.leaveState(first, row, c.plan.currentState, c.plan.currentDistrict)
	for k, cell := range row {
		if cell.length >= 0 {
			first[k] = cell
		}
	}
	c.drop()
}

// leaveState forgets the district when only a newer state is known: it lies in the older one.
func (c *importChunk) leaveState(first, row []span, state, district int) {
	if district < 0 || state < 0 || row[state].length < 0 || first[state].length < 0 {
		return
	}
	if !bytes.Equal(c.bytesOf(row[state]), c.bytesOf(first[state])) {
		first[district] = null
	}
}

// seal writes the rows for COPY. constants are the cells that are the same for all rows, encoded
// with their lengths; count is how many.
func (c *importChunk) seal(constants []byte, count int) {
	w := c.plan.width()
	fields := len(c.plan.cells)
	total := 1 + fields + count
	if len(c.plan.attributes) > 0 {
		total++
	}
	out := c.tuples
	for i, who := range c.people {
		row := c.cells[i*w : i*w+w]
		out = binary.BigEndian.AppendUint16(out, uint16(total)) //nolint:gosec // at most maxColumns
		out = append(out, 0, 0, 0, 16)
		out = append(out, who[:]...)
		for _, cell := range row[:fields] {
			out = binary.BigEndian.AppendUint32(out, uint32(cell.length)) //nolint:gosec // -1 is NULL on the wire
			if cell.length > 0 {
				out = append(out, c.bytesOf(cell)...)
			}
		}
		if len(c.plan.attributes) > 0 {
			out = c.appendAttributes(out, row[fields:])
		}
		out = append(out, constants...)
		c.tupleEnd = append(c.tupleEnd, len(out))
	}
	c.tuples = out
}

// appendAttributes writes the extra columns as one jsonb: a version byte and the text.
func (c *importChunk) appendAttributes(out []byte, cells []span) []byte {
	from := len(out)
	out = append(out, 0, 0, 0, 0, 1, '{')
	first := true
	for k, cell := range cells {
		if cell.length < 0 {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, c.plan.attributes[k].key...)
		out = append(out, c.bytesOf(cell)...)
	}
	out = append(out, '}')
	binary.BigEndian.PutUint32(out[from:], uint32(len(out)-from-4)) //nolint:gosec // bounded by maxRecord
	return out
}
