package audience

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/notice"
)

// SuppressionImportOptions say how a list of stops is read.
type SuppressionImportOptions struct {
	FileName string    // becomes part of the evidence
	Scope    string    // for rows without a scope of their own; "" is ScopeAll
	Purpose  string    // for rows without a purpose of their own; "" is every purpose
	Source   string    // "" is SourceImport
	Actor    string    // who imports; needed
	Rejects  io.Writer // gets a CSV of the rows refused, with line and reason; may be nil
}

// SuppressionImportResult counts the rows of a list:
// Read = Added + Already + Refused.
type SuppressionImportResult struct {
	Read    int64 // rows that are not blank, the header line apart
	Added   int64 // stops that were not in force before
	Already int64 // stops in force already, or repeated in the list
	Refused int64 // rows that could not be read; the rejects say why
}

// suppressionColumn is what a list's column means.
type suppressionColumn uint8

const (
	columnOther suppressionColumn = iota
	columnNumber
	columnScope
	columnPurpose
	columnEvidence
)

// suppressionHeader tells what a header names.
func suppressionHeader(text string) suppressionColumn {
	text = strings.NewReplacer("_", "", " ", "", "-", "", ".", "").Replace(strings.ToLower(strings.TrimSpace(text)))
	switch text {
	case "msisdn", "number", "mobile", "mobileno", "mobilenumber", "phone", "phoneno", "phonenumber", "contactno", "मोबाइल", "मोबाइलनंबर", "नंबर":
		return columnNumber
	case "scope", "channel":
		return columnScope
	case "purpose":
		return columnPurpose
	case "evidence", "reason":
		return columnEvidence
	}
	return columnOther
}

// suppressionReader reads the rows of a list and is the source of its COPY.
type suppressionReader struct {
	csv     *csv.Reader
	first   []string // the first row when it was no header
	columns []suppressionColumn
	key     Key
	options SuppressionImportOptions
	rejects *csv.Writer
	result  SuppressionImportResult
	values  []any
	err     error
}

// maxListLine bounds what is looked at to find the separator.
const maxListLine = 64 << 10

// newSuppressionReader reads the header line, if there is one: a list of bare
// numbers, one a line, needs none.
func newSuppressionReader(r io.Reader, key Key, options SuppressionImportOptions) (*suppressionReader, error) {
	buffered := bufio.NewReaderSize(r, maxListLine)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := buffered.Discard(3); err != nil {
			return nil, err
		}
	}
	start, err := buffered.Peek(maxListLine)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read list: %w", err)
	}
	s := &suppressionReader{csv: csv.NewReader(buffered), key: key, options: options}
	s.csv.FieldsPerRecord = -1
	s.csv.LazyQuotes = true
	s.csv.TrimLeadingSpace = true
	line, _, _ := bytes.Cut(start, []byte("\n"))
	for _, separator := range ";\t" {
		if bytes.ContainsRune(line, separator) && !bytes.ContainsRune(line, ',') {
			s.csv.Comma = separator
		}
	}
	if options.Rejects != nil {
		s.rejects = csv.NewWriter(options.Rejects)
	}
	return s, s.readHeader()
}

func (s *suppressionReader) readHeader() error {
	row, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrImportFile, err)
	}
	s.columns = make([]suppressionColumn, len(row))
	named := false
	for i, cell := range row {
		s.columns[i] = suppressionHeader(cell)
		named = named || s.columns[i] != columnOther
	}
	switch {
	case slices.Contains(s.columns, columnNumber):
	case named || len(row) > 1 && !startsWithNumber(row):
		return &ImportFileError{Line: 1, Reason: "no column is named msisdn: name the column of the numbers so, or give a list of numbers alone, one a line"}
	default:
		s.columns = []suppressionColumn{columnNumber}
		s.first = row
	}
	return nil
}

func startsWithNumber(row []string) bool {
	_, err := ParseNumber(row[0])
	return err == nil
}

// Next reads on to the next row that can be stored.
func (s *suppressionReader) Next() bool {
	for s.err == nil {
		row := s.first
		s.first = nil
		if row == nil {
			var err error
			row, err = s.csv.Read()
			if errors.Is(err, io.EOF) {
				return false
			}
			if err != nil {
				s.err = fmt.Errorf("%w: %w", ErrImportFile, err)
				return false
			}
		}
		line, _ := s.csv.FieldPos(0)
		if !slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			continue
		}
		s.result.Read++
		if err := s.row(int64(line), row); err == nil {
			return true
		} else if err := s.refuse(line, err, row); err != nil {
			s.err = fmt.Errorf("write rejects: %w", err)
		}
	}
	return false
}

// Values returns the row that Next found.
func (s *suppressionReader) Values() ([]any, error) { return s.values, nil }

// Err returns why reading ended early.
func (s *suppressionReader) Err() error { return s.err }

func (s *suppressionReader) row(line int64, row []string) error {
	stop := Suppression{
		Scope: cmp.Or(s.options.Scope, ScopeAll), Purpose: s.options.Purpose, Source: cmp.Or(s.options.Source, SourceImport), Actor: s.options.Actor,
		Evidence: strings.TrimSpace(s.options.FileName + " line " + strconv.FormatInt(line, 10)),
	}
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if i >= len(s.columns) || cell == "" && s.columns[i] != columnNumber {
			continue
		}
		switch s.columns[i] {
		case columnNumber:
			msisdn, err := ParseNumber(cell)
			if err != nil {
				return err
			}
			stop.MSISDN, stop.Key = msisdn, s.key.Number(msisdn)
		case columnScope:
			stop.Scope = strings.ToLower(cell)
		case columnPurpose:
			stop.Purpose = cell
		case columnEvidence:
			stop.Evidence = cell
		}
	}
	if stop.MSISDN == 0 {
		return errNumberEmpty
	}
	if err := stop.validate(); err != nil {
		return err
	}
	s.values = []any{stop.Key, stop.MSISDN, stop.Scope, stop.Purpose, stop.Source, strings.ToValidUTF8(stop.Evidence, "�"), stop.Actor, line}
	return nil
}

func (s *suppressionReader) refuse(line int, why error, row []string) error {
	if s.rejects != nil && s.result.Refused == 0 {
		if err := s.rejects.Write([]string{"import_line", "import_reason", "row"}); err != nil {
			return err
		}
	}
	s.result.Refused++
	if s.rejects == nil {
		return nil
	}
	return s.rejects.Write(append([]string{strconv.Itoa(line), why.Error()}, row...))
}

const sqlStageSuppressions = `
CREATE TEMPORARY TABLE stage_suppression (
    key int8 NOT NULL, msisdn int8 NOT NULL, scope text NOT NULL, purpose text NOT NULL,
    source text NOT NULL, evidence text NOT NULL, actor text NOT NULL, line int8 NOT NULL
) ON COMMIT DROP`

const sqlMergeSuppressions = `
INSERT INTO suppression (msisdn_key, msisdn, scope, purpose, source, evidence, actor, added_at)
SELECT DISTINCT ON (key, scope, purpose) key, msisdn, scope, purpose, source, evidence, actor, $1::timestamptz
FROM stage_suppression
ORDER BY key, scope, purpose, line
ON CONFLICT (msisdn_key, scope, purpose, source) WHERE lifted_at IS NULL DO NOTHING`

// ImportSuppressions reads a list of stops into the suppression list as one
// transaction: a CSV whose header names msisdn and, if it likes, scope,
// purpose and evidence, or bare numbers one a line. Other columns are passed
// over. A row that cannot be read is refused and reported, the others count: a
// stop is not lost for its neighbour's typing error. The same list twice adds
// nothing the second time.
func ImportSuppressions(ctx context.Context, pool *pgxpool.Pool, key Key, r io.Reader, options SuppressionImportOptions) (SuppressionImportResult, error) {
	if key.IsZero() {
		return SuppressionImportResult{}, errors.New("import suppressions: number key is not loaded")
	}
	probe := Suppression{Scope: cmp.Or(options.Scope, ScopeAll), Purpose: options.Purpose, Source: cmp.Or(options.Source, SourceImport), Actor: options.Actor}
	if err := probe.validate(); err != nil {
		return SuppressionImportResult{}, err
	}
	reader, err := newSuppressionReader(r, key, options)
	if err != nil {
		return SuppressionImportResult{}, fmt.Errorf("import suppressions: %w", err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlStageSuppressions); err != nil {
			return err
		}
		columns := []string{"key", "msisdn", "scope", "purpose", "source", "evidence", "actor", "line"}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"stage_suppression"}, columns, reader); err != nil {
			return cmp.Or(reader.err, err)
		}
		tag, err := tx.Exec(ctx, sqlMergeSuppressions, time.Now())
		reader.result.Added = tag.RowsAffected()
		if err != nil || reader.result.Added == 0 {
			return err
		}
		// Whoever has written ahead gives that up and reads the list again.
		return notice.Send(ctx, tx, notice.Notice{Everything: true})
	})
	if reader.rejects != nil {
		reader.rejects.Flush()
		err = errors.Join(err, reader.rejects.Error())
	}
	if err != nil {
		return SuppressionImportResult{}, fmt.Errorf("import suppressions: %w", err)
	}
	reader.result.Already = reader.result.Read - reader.result.Refused - reader.result.Added
	return reader.result, nil
}
