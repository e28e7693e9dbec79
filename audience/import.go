package audience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrImportFile says that a file as a whole cannot be imported. Nothing of it is in the register.
var ErrImportFile = errors.New("file cannot be imported")

// ImportFileError tells what is wrong with a file as a whole and how to mend it. It matches
// ErrImportFile.
type ImportFileError struct {
	// Line and Column are where, counted from 1; 0 where the file as a whole is meant.
	Line   int64
	Column int
	// Reason is a phrase that names the mend.
	Reason string
}

// Error names the place and the reason.
func (e *ImportFileError) Error() string {
	switch {
	case e.Line == 0:
		return e.Reason
	case e.Column == 0:
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	default:
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
	}
}

// Is reports that every ImportFileError is an ErrImportFile.
func (e *ImportFileError) Is(target error) bool { return target == ErrImportFile }

// ImportOptions say how a file is read into the register.
type ImportOptions struct {
	// Source names who made the list; a person with a source_id is known again by both. Empty means
	// the file's name without its ending.
	Source string
	// FileName is kept with the import; it is not opened.
	FileName string
	// Actor is who imports.
	Actor string
	// Map says which column of the file is which field: {"Mobile No": "msisdn"}. The field "-" leaves
	// a column out.
	Map map[string]string
	// DryRun does all the work and then takes it back, so that its counts are those of the real
	// import.
	DryRun bool
	// Invented marks the people as made up: they may only go to routes marked simulated.
	Invented bool
	// Rejects gets a CSV of the rows that were refused and of those that were imported without a
	// value, with the reasons and the original columns, so that it can be corrected and imported
	// again. It may be nil. What was written stays written when the file is refused as a whole.
	Rejects io.Writer
	// Progress is called from the goroutine that called Import, some times a second. It may be nil.
	Progress func(ImportProgress)
	// Now is the day on which ages of the file hold and the time of the changes; zero means the
	// present.
	Now time.Time

	// chunk is how many people are parsed ahead at once; tests make it small.
	chunk int
}

// ImportProgress says how far an import is. Counts are of what has reached the database.
type ImportProgress struct {
	// Stage is "waiting" while another import runs, then "reading", and "finishing" at the end.
	Stage string
	// Bytes is how much of the file has been read.
	Bytes int64
	// Read, Inserted, Updated, Unchanged and Refused count rows as in ImportResult.
	Read, Inserted, Updated, Unchanged, Refused int64
}

// ImportResult is what an import did. Read = Inserted + Updated + Unchanged + Refused always. A row
// that repeats a person of the same file counts as updated when it adds something, else as
// unchanged, exactly as if it came in a file of its own.
type ImportResult struct {
	// Import is the id of the import's row, 0 after a dry run.
	Import                                      int64
	DryRun                                      bool
	Bytes                                       int64
	Read, Inserted, Updated, Unchanged, Refused int64
	// Warned counts the rows that were imported without one or more of their values.
	Warned int64
	// Refusals and Warnings say why, the most frequent first, at most 50 of each; MoreRefusals and
	// MoreWarnings count what belongs to further reasons.
	Refusals, Warnings         []ImportProblem
	MoreRefusals, MoreWarnings int64
	// Notes are about the file as a whole, such as a column that was left out.
	Notes []string
	// SHA256 is the hash of the whole file in hexadecimal.
	SHA256 string
}

// ImportProblem is one reason and the rows it concerns.
type ImportProblem struct {
	// Column is the header of the column, empty where the row as a whole is meant.
	Column string
	Reason string
	Count  int64
	// Lines are the first five lines of the file that it concerns.
	Lines []int64
}

// String is a sentence for a person: "home_district: unknown district "Rachni" …: 12 rows, first at
// line 7".
func (p ImportProblem) String() string {
	rows := "rows, first at line"
	if p.Count == 1 {
		rows = "row, at line"
	}
	where := cmp.Or(p.Column, "row")
	return fmt.Sprintf("%s: %s: %d %s %d", where, p.Reason, p.Count, rows, p.Lines[0])
}

// Import reads a CSV of people into the register, as one transaction: after an error or a cancelled
// context nothing of the file is there. Only one import runs at a time; another waits. A person is
// known again by source and source_id where the row has a source_id, else by number and name. What
// the file knows newer wins, an empty cell never erases, and a row that says nothing new does not
// touch the person. The text must be UTF-8; its header line names the columns, of which msisdn is
// needed; columns that are not fields of a contact become extra attributes. Lines before it that
// begin with # are comments.
//
// A row with a bad number or an impossible value is refused; a place, language or code that cannot
// be resolved only leaves that value out. Both are counted, explained in the result and written to
// Rejects. A file that cannot be read as a whole is an *ImportFileError. Import returns only after r
// has: a caller whose reader can block for ever closes it when the context ends.
func Import(ctx context.Context, pool *pgxpool.Pool, key Key, r io.Reader, opt ImportOptions) (ImportResult, error) {
	if key.IsZero() {
		return ImportResult{}, errors.New("import: number key is not loaded")
	}
	base := filepath.Base(opt.FileName)
	opt.Source = cmp.Or(strings.TrimSpace(opt.Source), strings.TrimSuffix(base, filepath.Ext(base)), "import")
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	opt.chunk = cmp.Or(opt.chunk, chunkRows)
	res, err := runImport(ctx, pool, key, r, opt)
	if err != nil {
		return ImportResult{}, fmt.Errorf("import %s: %w", cmp.Or(opt.FileName, opt.Source), err)
	}
	return res, nil
}
