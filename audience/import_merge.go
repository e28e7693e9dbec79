package audience

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// importLock is held by the transaction of an import, so that nobody inserts a person between the
// question whether she is there and the answer.
const importLock = 7_852_711

const sqlBeginImport = `
INSERT INTO import (source, file_name, actor, started_at)
VALUES ($1, $2, $3, $4)
RETURNING id`

const sqlFinishImport = `
UPDATE import
SET finished_at = clock_timestamp(), file_sha256 = $2, rows_read = $3, inserted = $4, updated = $5, unchanged = $6, refused = $7
WHERE id = $1`

const sqlKnownPeople = `
SELECT identity, import_id = $2
FROM contact
WHERE identity = ANY ($1)`

// importMerge brings chunks into the register, on one transaction. People whom the register does
// not have go straight to the contact table; the others wait in a staging table, and what they
// change is found out in one statement at the end.
type importMerge struct {
	tx     pgx.Tx
	plan   *importPlan
	id     int64
	people string // COPY contact …
	stage  string // COPY import_row …

	inserted, staged, repeated int64

	// seen is there only while all that the register has comes from this file; else nil.
	seen *seenFilter
	// waiting is of the staged people; twice tells that one of them may have several rows.
	waiting *seenFilter
	twice   bool

	ids   [][16]byte
	known []byte // of each person of the chunk: 0 new, 1 known
}

// The columns that every row has besides the plan's.
var importConstants = []string{"source", "import_id", "invented"}

// constantCells encodes the constants for COPY, each with its length.
func constantCells(source string, id int64, invented bool) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(source))) //nolint:gosec // a name
	b = append(b, source...)
	b = append(b, 0, 0, 0, 8)
	b = appendInt8(b, id)
	b = append(b, 0, 0, 0, 1, 0)
	if invented {
		b[len(b)-1] = 1
	}
	return b
}

// newImportMerge takes the lock and makes the staging table, which ends with the transaction.
func newImportMerge(ctx context.Context, tx pgx.Tx, plan *importPlan, opt ImportOptions, waiting func()) (*importMerge, error) {
	var got bool
	if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, importLock).Scan(&got); err != nil {
		return nil, err
	}
	if !got {
		waiting()
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, importLock); err != nil {
			return nil, fmt.Errorf("wait for another import: %w", err)
		}
	}
	m := &importMerge{tx: tx, plan: plan}
	if err := tx.QueryRow(ctx, sqlBeginImport, opt.Source, opt.FileName, opt.Actor, opt.Now).Scan(&m.id); err != nil {
		return nil, err
	}
	var anybody bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM contact)`).Scan(&anybody); err != nil {
		return nil, err
	}
	if !anybody {
		m.seen = newSeenFilter()
	}
	columns := strings.Join(m.columns(), ", ")
	// A temporary table is unlogged and nobody else's. The order of its rows is that of the file.
	_, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE import_row ON COMMIT DROP AS SELECT `+columns+` FROM contact WITH NO DATA;
		ALTER TABLE import_row ADD COLUMN ord int8 GENERATED ALWAYS AS IDENTITY`)
	m.people = `COPY contact (` + columns + `) FROM STDIN (FORMAT binary)`
	m.stage = `COPY import_row (` + columns + `) FROM STDIN (FORMAT binary)`
	return m, err
}

// columns are those of the rows for COPY, in their order.
func (m *importMerge) columns() []string {
	out := append([]string{"identity"}, m.plan.cells...)
	if len(m.plan.attributes) > 0 {
		out = append(out, "attributes")
	}
	return append(out, importConstants...)
}

// chunk takes one chunk in.
func (m *importMerge) chunk(ctx context.Context, c *importChunk) error {
	if err := m.recognise(ctx, c); err != nil {
		return fmt.Errorf("look for known people: %w", err)
	}
	inserted, err := m.copy(ctx, m.people, c, 0)
	if err != nil {
		return fmt.Errorf("copy new people: %w", err)
	}
	staged, err := m.copy(ctx, m.stage, c, 1)
	if err != nil {
		return fmt.Errorf("copy known people: %w", err)
	}
	m.inserted += inserted
	m.staged += staged
	return nil
}

// recognise marks the people of the chunk whom the register has.
func (m *importMerge) recognise(ctx context.Context, c *importChunk) error {
	m.known = append(m.known[:0], make([]byte, len(c.people))...)
	m.ids = m.ids[:0]
	for _, who := range c.people {
		if m.seen == nil || m.seen.add(who) {
			m.ids = append(m.ids, who)
		}
	}
	if len(m.ids) == 0 {
		return nil
	}
	rows, err := m.tx.Query(ctx, sqlKnownPeople, m.ids, m.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		who  [16]byte
		mine bool
	)
	for rows.Next() {
		if err := rows.Scan(&who, &mine); err != nil {
			return err
		}
		m.known[c.at[who]] = 1
		if m.waiting == nil {
			m.waiting = newSeenFilter()
		}
		if m.waiting.add(who) {
			m.twice = true
		}
		if mine { // she was inserted by an earlier row of this file
			m.repeated++
		}
	}
	return rows.Err()
}

// copy sends the rows whose mark is known.
func (m *importMerge) copy(ctx context.Context, sql string, c *importChunk, known byte) (int64, error) {
	if !slices.Contains(m.known, known) {
		return 0, nil
	}
	tag, err := m.tx.Conn().PgConn().CopyFrom(ctx, &tupleReader{chunk: c, marks: m.known, wanted: known}, sql)
	return tag.RowsAffected(), err
}

// finish applies what was staged and returns how many people changed.
func (m *importMerge) finish(ctx context.Context) (updated int64, err error) {
	if m.staged == 0 {
		return 0, nil
	}
	if _, err := m.tx.Exec(ctx, `ANALYZE import_row`); err != nil {
		return 0, err
	}
	if m.twice {
		if err := m.fold(ctx); err != nil {
			return 0, fmt.Errorf("join rows of one person: %w", err)
		}
	}
	tag, err := m.tx.Exec(ctx, m.updateSQL()+` AND c.import_id <> $1`, m.id)
	if err != nil {
		return 0, fmt.Errorf("update known people: %w", err)
	}
	if m.repeated > 0 {
		// They were inserted by this file and are counted there. Those updated just now compare as
		// equal and stay.
		if _, err := m.tx.Exec(ctx, m.updateSQL()+` AND c.import_id = $1`, m.id); err != nil {
			return 0, fmt.Errorf("update people of this file: %w", err)
		}
	}
	return tag.RowsAffected(), nil
}
