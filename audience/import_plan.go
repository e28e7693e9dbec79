package audience

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxColumns = 256
	maxHeader  = 120
)

// importPlan says what each column of a file becomes.
type importPlan struct {
	columns []planColumn
	// cells are the columns of the contact table that rows of this file fill, in the order of their
	// cells; attributes follow them, each with a cell of its own.
	cells      []string
	attributes []attribute
	// Cells that are filled from more than one column, or that the identity needs; -1 where absent.
	number, name, sourceID, age, ageOn int
	homeState, homeDistrict            int
	currentState, currentDistrict      int
	notes                              []string
}

// planColumn is one column of the file.
type planColumn struct {
	header string
	kind   cellKind
	// cell is where its value goes; for cellSkip -1.
	cell int
	// reject tells a column that an earlier import added to its rejects.
	reject bool
}

// attribute is a column of the file that is no field of a contact.
type attribute struct {
	name string
	// key is the name as JSON with the colon behind it.
	key []byte
}

// width is how many cells a row has.
func (p *importPlan) width() int { return len(p.cells) + len(p.attributes) }

// readHeader reads the first record and makes the plan. It also finds out which separator the file
// uses: a spreadsheet of a European setting writes semicolons, a copied table tabs.
func readHeader(s *splitter, mapping map[string]string) (*importPlan, error) {
	if err := s.fill(); err != nil {
		return nil, err
	}
	head := s.buf[s.at:s.end]
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		s.at += 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, &ImportFileError{Line: 1, Column: 1, Reason: "the file is UTF-16: save it as CSV UTF-8"}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, &ImportFileError{Reason: "this is a workbook (XLSX) or a ZIP and not a CSV: save the sheet as CSV UTF-8"}
	}
	if err := s.skipComments(); err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(s.buf[s.at:s.end], []byte("\n"))
	for _, c := range []byte{'\t', ';'} {
		if bytes.IndexByte(line, ',') < 0 && bytes.IndexByte(line, c) >= 0 {
			s.comma = c
		}
	}
	for {
		at, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil, &ImportFileError{Reason: "the file is empty: a header line must name the columns, of which msisdn is needed"}
		}
		if err != nil {
			if s.raw == nil && !errors.Is(err, errRowLong) {
				return nil, err
			}
			return nil, &ImportFileError{Line: at, Reason: "header line: " + err.Error()}
		}
		if err := s.notUTF8(at); err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(s.raw)) > 0 {
			return makePlan(at, s.fields, mapping)
		}
	}
}

// makePlan judges the header line.
func makePlan(line int64, header [][]byte, mapping map[string]string) (*importPlan, error) {
	if len(header) > maxColumns {
		return nil, &ImportFileError{Line: line, Reason: fmt.Sprintf("%d columns: at most %d are read", len(header), maxColumns)}
	}
	wanted, err := checkMapping(header, mapping)
	if err != nil {
		return nil, err
	}
	p := &importPlan{number: -1, name: -1, sourceID: -1, age: -1, ageOn: -1, homeState: -1, homeDistrict: -1, currentState: -1, currentDistrict: -1}
	seen := map[string]int{}
	fields := map[string]int{} // field of a contact -> column of the file
	for i, h := range header {
		text := string(bytes.TrimSpace(h))
		c := planColumn{header: text, kind: cellSkip, cell: -1}
		if text == "" {
			c.header = ""
			p.columns = append(p.columns, c)
			continue
		}
		if strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > maxHeader {
			return nil, &ImportFileError{Line: line, Column: i + 1, Reason: fmt.Sprintf("a header is longer than %d characters or has a NUL byte in it", maxHeader)}
		}
		if first, ok := seen[text]; ok {
			return nil, &ImportFileError{Line: line, Column: i + 1, Reason: fmt.Sprintf("column %q is there twice, first as column %d: rename or remove one", text, first)}
		}
		seen[text] = i + 1
		name := fieldName(text)
		target, mapped := wanted[text]
		if mapped {
			name = target
		}
		known, isField := importColumnByName(name)
		switch {
		case target == "-":
		case slices.Contains(rejectColumns, name):
			c.reject = true
		case !mapped && isAadhaar(text) && !isField:
			p.notes = append(p.notes, fmt.Sprintf("column %q is left out: Aadhaar numbers are not kept", text))
		case isField:
			if first, ok := fields[name]; ok {
				return nil, &ImportFileError{Line: line, Column: i + 1, Reason: fmt.Sprintf("columns %q and %q both stand for %s: leave one out with --map '%s=-'", header[first], text, name, text)}
			}
			fields[name] = i
			c.kind = known.kind
		default:
			c.kind = cellAttribute
			p.attributes = append(p.attributes, attribute{name: text, key: append(appendJSONString(nil, []byte(text)), ':')})
			c.cell = len(p.attributes) - 1 // moved behind the fields below
		}
		p.columns = append(p.columns, c)
	}
	if _, ok := fields["msisdn"]; !ok {
		return nil, &ImportFileError{Line: line, Reason: "there is no column msisdn: " + numberHint(header)}
	}
	p.placeCells(fields)
	return p, nil
}

// placeCells gives every field its cell, in the order of the table.
func (p *importPlan) placeCells(fields map[string]int) {
	cell := func(name string) int {
		i := slices.Index(p.cells, name)
		if i < 0 {
			i = len(p.cells)
			p.cells = append(p.cells, name)
		}
		return i
	}
	for _, known := range importColumns {
		column, ok := fields[known.name]
		if !ok {
			continue
		}
		switch known.name {
		case "home_district":
			p.homeState = cell("home_state") // a district tells its state
		case "current_district":
			p.currentState = cell("current_state")
		}
		i := cell(known.name)
		p.columns[column].cell = i
		switch known.name {
		case "msisdn":
			p.number = i
			cell("msisdn_key")
		case "name":
			p.name = i
		case "age":
			p.age, p.ageOn = i, cell("age_on")
		case "source_id":
			p.sourceID = i
		case "home_state":
			p.homeState = i
		case "home_district":
			p.homeDistrict = i
		case "current_state":
			p.currentState = i
		case "current_district":
			p.currentDistrict = i
		}
	}
	for i := range p.columns {
		if p.columns[i].kind == cellAttribute {
			p.columns[i].cell += len(p.cells)
		}
	}
}

// checkMapping returns the mapping by the header as it stands in the file.
func checkMapping(header [][]byte, mapping map[string]string) (map[string]string, error) {
	out := map[string]string{}
	var wrong []string
	for from, to := range mapping {
		column := slices.IndexFunc(header, func(h []byte) bool {
			return strings.EqualFold(string(bytes.TrimSpace(h)), strings.TrimSpace(from))
		})
		if column < 0 {
			wrong = append(wrong, fmt.Sprintf("the file has no column %q, which is mapped to %s", from, to))
			continue
		}
		to = strings.TrimSpace(to)
		if _, ok := importColumnByName(to); !ok && to != "-" {
			wrong = append(wrong, fmt.Sprintf("column %q is mapped to %q, which is no field: known are %s", from, to, strings.Join(ImportFields(), ", ")))
			continue
		}
		out[string(bytes.TrimSpace(header[column]))] = to
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, &ImportFileError{Line: 1, Reason: strings.Join(wrong, "; ")}
	}
	return out, nil
}

// fieldName brings a header into the form of the fields: "Home District" is home_district.
func fieldName(header string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(header)))
}

// isAadhaar recognises a column of Aadhaar numbers, which a list must not bring into the register.
func isAadhaar(header string) bool {
	key := foldPlace(header)
	for _, word := range []string{"aadhaar", "aadhar", "adhaar", "adhar", "आधार"} {
		if rest, ok := strings.CutPrefix(key, foldPlace(word)); ok {
			switch rest {
			case "", "no", "number", "card", "cardno", "cardnumber", "id", "uid", foldPlace("नंबर"), foldPlace("संख्या"), foldPlace("कार्ड"):
				return true
			}
		}
	}
	return key == "uidai" || key == "uidno"
}

// numberHint names the column that is most likely meant for the number.
func numberHint(header [][]byte) string {
	for _, h := range header {
		text := string(bytes.TrimSpace(h))
		key := foldPlace(text)
		for _, word := range []string{"mobile", "phone", "contact", "number", "whatsapp", "मोबाइल", "फोन", "नंबर", "दूरभाष"} {
			if strings.Contains(key, foldPlace(word)) {
				return "is it " + strconv.Quote(text) + "? Then import with --map '" + text + "=msisdn'"
			}
		}
	}
	return "say which column has the number with --map 'Header=msisdn'"
}
