package audience

import "io"

// tupleReader gives the chosen rows of a chunk in the form of a binary COPY.
type tupleReader struct {
	chunk  *importChunk
	marks  []byte
	wanted byte
	next   int
	rest   []byte
	state  uint8 // 0 before the header, 1 rows, 2 after the trailer
}

var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// Read implements io.Reader.
func (t *tupleReader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(t.rest) == 0 && !t.advance() {
			break
		}
		k := copy(b[n:], t.rest)
		t.rest = t.rest[k:]
		n += k
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// advance finds the next piece: neighbouring rows go out in one.
func (t *tupleReader) advance() bool {
	switch {
	case t.state == 0:
		t.rest, t.state = copyHeader, 1
		return true
	case t.state == 2:
		return false
	}
	for t.next < len(t.marks) && t.marks[t.next] != t.wanted {
		t.next++
	}
	if t.next == len(t.marks) {
		t.rest, t.state = copyTrailer, 2
		return true
	}
	first := t.next
	for t.next < len(t.marks) && t.marks[t.next] == t.wanted {
		t.next++
	}
	from := 0
	if first > 0 {
		from = t.chunk.tupleEnd[first-1]
	}
	t.rest = t.chunk.tuples[from:t.chunk.tupleEnd[t.next-1]]
	return true
}
