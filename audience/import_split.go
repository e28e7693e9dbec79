package audience

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

const (
	// maxRecord bounds one row with everything in it; it bounds memory whatever the file holds.
	maxRecord = 256 << 10
	// splitBuffer is how much is asked of the file at once.
	splitBuffer = 1 << 20
)

// Faults of one row: it is refused and reading goes on after it.
var (
	errRowLong    = errors.New("the row is longer than 256 KiB")
	errRowQuote   = errors.New("a quote is opened and never closed: write a quote inside a value twice")
	errRowAfter   = errors.New("text after a closing quote: write a quote inside a value twice")
	errRowColumns = errors.New("the row has more columns than the header line")
)

// splitter cuts a CSV into records (RFC 4180). It exists beside encoding/csv because it never holds
// more than one bounded record, goes on behind a broken one, keeps the original bytes, and needs no
// memory for each record. A record may span lines inside quotes.
type splitter struct {
	src io.Reader
	buf []byte
	// buf[at:end] is what has been read and not yet been handed out.
	at, end int
	eof     bool
	comma   byte
	// line is the line on which the next record begins, counted from 1.
	line int64
	// limit is how many fields a record may have; 0 for the header.
	limit int
	read  int64
	// fields and raw are of the present record and valid until the next call.
	fields [][]byte
	raw    []byte
	// unquoted holds the fields that had to be rewritten.
	unquoted []byte
}

func newSplitter(src io.Reader) *splitter {
	return &splitter{src: src, buf: make([]byte, splitBuffer), comma: ',', line: 1}
}

// next reads one record and returns the line on which it begins. A fault of the record comes as one
// of the errRow errors together with its line and, where known, raw bytes; io.EOF ends the file.
func (s *splitter) next() (line int64, err error) {
	line = s.line
	s.fields, s.unquoted, s.raw = s.fields[:0], s.unquoted[:0], nil
	length, err := s.lineLength(0)
	if err != nil {
		return line, err
	}
	if length < 0 {
		return line, s.skipLong()
	}
	text := s.buf[s.at : s.at+length]
	if bytes.IndexByte(text, '"') < 0 {
		s.take(length, 1)
		s.raw = trimEOL(text)
		return line, s.splitPlain(s.raw)
	}
	return line, s.splitQuoted(length)
}

// skipComments passes over lines that begin with # before the header line, and over empty ones.
func (s *splitter) skipComments() error {
	for {
		length, err := s.lineLength(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || length < 0 {
			return err
		}
		line := bytes.TrimSpace(s.buf[s.at : s.at+length])
		if len(line) > 0 && line[0] != '#' {
			return nil
		}
		s.take(length, 1)
	}
}

// lineLength returns the length of the line that begins at offset from in the buffer, with its end,
// or -1 when the record would pass maxRecord. At the end of the file it returns io.EOF.
func (s *splitter) lineLength(from int) (int, error) {
	scanned := from
	for {
		if i := bytes.IndexByte(s.buf[s.at+scanned:s.end], '\n'); i >= 0 {
			length := scanned + i + 1
			if length > maxRecord {
				return -1, nil
			}
			return length - from, nil
		}
		scanned = s.end - s.at
		if scanned > maxRecord {
			return -1, nil
		}
		if s.eof {
			if scanned == from {
				return 0, io.EOF
			}
			return scanned - from, nil
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more of the file behind what the buffer holds.
func (s *splitter) fill() error {
	if s.at > 0 {
		s.end = copy(s.buf, s.buf[s.at:s.end])
		s.at = 0
	}
	n, err := io.ReadAtLeast(s.src, s.buf[s.end:], 1)
	s.end += n
	s.read += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		s.eof = true
		return nil
	}
	return err
}

// take marks a record as handed out; its bytes stay valid until the next fill.
func (s *splitter) take(length int, lines int64) {
	s.at += length
	s.line += lines
}

// skipLong passes over a line that is too long, without keeping it.
func (s *splitter) skipLong() error {
	for {
		if i := bytes.IndexByte(s.buf[s.at:s.end], '\n'); i >= 0 {
			s.take(i+1, 1)
			return errRowLong
		}
		s.at = s.end
		if s.eof {
			s.line++
			return errRowLong
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// splitPlain cuts a record without quotes.
func (s *splitter) splitPlain(text []byte) error {
	for {
		if s.limit > 0 && len(s.fields) == s.limit {
			return errRowColumns
		}
		i := bytes.IndexByte(text, s.comma)
		if i < 0 {
			s.fields = append(s.fields, text)
			return nil
		}
		s.fields = append(s.fields, text[:i])
		text = text[i+1:]
	}
}

// splitQuoted cuts a record that has quotes in its first line, which is length bytes long. A broken
// record ends with its first line, so that one forgotten quote does not swallow the file.
func (s *splitter) splitQuoted(length int) error {
	first, lines := length, int64(1)
	broken := func(err error) error {
		s.raw = trimEOL(s.buf[s.at : s.at+first])
		s.fields = s.fields[:0]
		s.take(first, 1)
		return err
	}
	// Offsets and not slices: fill may move the buffer.
	var spans []int
	pos := 0
	for {
		if s.limit > 0 && len(spans) >= 3*s.limit {
			return broken(errRowColumns)
		}
		text := s.buf[s.at : s.at+length]
		if pos >= len(text) || text[pos] != '"' {
			i := bytes.IndexByte(text[pos:], s.comma)
			if i < 0 {
				spans = append(spans, pos, pos+len(trimEOL(text[pos:])), 0)
				break
			}
			spans = append(spans, pos, pos+i, 0)
			pos += i + 1
			continue
		}
		start, escaped := pos+1, 0
		pos = start
		for {
			i := bytes.IndexByte(s.buf[s.at+pos:s.at+length], '"')
			if i < 0 { // the value goes on in the next line
				pos = length
				more, err := s.lineLength(length)
				if errors.Is(err, io.EOF) || more < 0 {
					return broken(errRowQuote)
				}
				if err != nil {
					return err
				}
				length += more
				lines++
				continue
			}
			pos += i + 1
			if pos < length && s.buf[s.at+pos] == '"' {
				escaped = 1
				pos++
				continue
			}
			break
		}
		spans = append(spans, start, pos-1, escaped)
		rest := trimEOL(s.buf[s.at+pos : s.at+length])
		if len(rest) == 0 {
			break
		}
		if rest[0] != s.comma {
			return broken(errRowAfter)
		}
		pos++
	}
	record := s.buf[s.at : s.at+length]
	for i := 0; i < len(spans); i += 3 {
		s.fields = append(s.fields, s.unescape(record[spans[i]:spans[i+1]], spans[i+2] != 0))
	}
	s.raw = trimEOL(record)
	s.take(length, lines)
	return nil
}

// unescape replaces doubled quotes.
func (s *splitter) unescape(field []byte, escaped bool) []byte {
	if !escaped {
		return field
	}
	from := len(s.unquoted)
	for i := 0; i < len(field); i++ {
		s.unquoted = append(s.unquoted, field[i])
		if field[i] == '"' {
			i++
		}
	}
	return s.unquoted[from:len(s.unquoted):len(s.unquoted)]
}

// notUTF8 returns an error that says where the record is not UTF-8, or nil.
func (s *splitter) notUTF8(line int64) error {
	if utf8.Valid(s.raw) {
		return nil
	}
	e := &ImportFileError{Line: line, Reason: "not UTF-8: save the file as CSV UTF-8 and import it again"}
	for i, f := range s.fields {
		if !utf8.Valid(f) {
			e.Column = i + 1
			break
		}
	}
	return e
}

func trimEOL(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
