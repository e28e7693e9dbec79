package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/auditlog"
)

// flushSize is how much of a report is gathered before it is written.
const flushSize = 256 << 10

// The report is taken off as slowly as its reader likes, and the transaction waits for her. Whoever hands the writer in bounds that.
const sqlPatience = `SET LOCAL idle_in_transaction_session_timeout = 0`

// Delivery writes the delivery report of a run as CSV (UTF-8, a header line, lines ended by LF) and returns its manifest. Columns are
// those of Columns: message_ids are those the message centre gave, in order of part, joined by a space; error is the refusal, the reason
// of a skip or the reason of an exclusion; submitted_at is when the message was written down for the wire, at most a second before it
// left; accepted_at is when its last part was accepted; final_at is when its outcome was certain; cost_inr is the exact price of the parts
// that the operator bills. Errors: ErrNotFound, ErrInconsistent (the report is complete and the manifest valid all the same), w's, or
// PostgreSQL's.
func Delivery(ctx context.Context, pool *pgxpool.Pool, w io.Writer, opt Options) (Manifest, error) {
	var m Manifest
	tx, err := begin(ctx, pool)
	if err != nil {
		return m, fmt.Errorf("report delivery of %s: %w", opt.Campaign, err)
	}
	defer func() { _ = rollback(ctx, tx) }() // it only read; a lost connection loses nothing
	if _, err := tx.Exec(ctx, sqlPatience); err != nil {
		return m, fmt.Errorf("report delivery of %s: %w", opt.Campaign, err)
	}
	r, err := readRun(ctx, tx, opt.Campaign, opt.Run)
	if err != nil {
		return m, fmt.Errorf("report delivery: %w", err)
	}
	m, err = deliver(ctx, tx, r, w, opt)
	if err != nil {
		return m, fmt.Errorf("report delivery of %s, run %d: %w", opt.Campaign, r.Number, err)
	}
	return m, nil
}

func deliver(ctx context.Context, tx pgx.Tx, r *run, w io.Writer, opt Options) (Manifest, error) {
	out := &output{to: w, sum: sha256.New(), buffer: appendHeader(make([]byte, 0, flushSize+4<<10))}
	lines, count := newWriter(r, opt.Masked), newTally()
	err := scan(ctx, tx, r, func(c *chunk) error {
		for i, n := range c.counts {
			count.run[i] += n
		}
		return c.each(func(rec *record) error {
			count.rows[rec.outcome]++
			count.charged += int64(rec.charged)
			out.buffer = lines.appendRecord(out.buffer, c, rec)
			return out.line()
		})
	})
	if err != nil {
		return Manifest{}, err
	}
	left, err := readExcluded(ctx, tx, r)
	if err != nil {
		return Manifest{}, err
	}
	if opt.IncludeExcluded {
		if err := eachExcluded(ctx, tx, r, func(e *excluded) error {
			out.buffer = lines.appendExcluded(out.buffer, e)
			return out.line()
		}); err != nil {
			return Manifest{}, err
		}
	}
	if err := out.flush(); err != nil {
		return Manifest{}, err
	}
	anchor, err := auditlog.Head(ctx, tx)
	if err != nil {
		return Manifest{}, err
	}
	m := Manifest{
		AsOf:         r.AsOf.In(india),
		Campaign:     r.Campaign,
		Run:          int(r.Number),
		RunState:     r.State,
		Filters:      Filters{IncludeExcluded: opt.IncludeExcluded, Masked: opt.Masked},
		Format:       "csv",
		Columns:      Columns,
		Rows:         out.lines,
		Recipients:   int64(r.Recipients),
		Totals:       count.totals(),
		Excluded:     left,
		Targeted:     int64(r.Recipients),
		Parts:        count.charged,
		CostINR:      string(appendINR(nil, count.charged*r.MicroINR)),
		Bytes:        out.bytes,
		SHA256:       hex.EncodeToString(out.sum.Sum(nil)),
		SnapshotHash: hex.EncodeToString(r.SnapshotHash),
		AuditAnchor:  anchor,
	}
	for _, n := range left {
		m.Targeted += n
	}
	return m, count.check()
}

const sqlExcluded = `
SELECT contact_id, msisdn, language, coalesce(home_state, 0::int2), coalesce(home_district, 0), reason
FROM exclusion
WHERE run_id = $1
ORDER BY contact_id`

// eachExcluded streams the people left out.
func eachExcluded(ctx context.Context, tx pgx.Tx, r *run, yield func(*excluded) error) error {
	rows, err := tx.Query(ctx, sqlExcluded, r.ID)
	if err != nil {
		return fmt.Errorf("read the excluded: %w", err)
	}
	defer rows.Close()
	var e excluded
	for rows.Next() {
		if err := rows.Scan(&e.Contact, &e.MSISDN, &e.Language, &e.State, &e.District, &e.Reason); err != nil {
			return fmt.Errorf("read the excluded: %w", err)
		}
		if err := yield(&e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the excluded: %w", err)
	}
	return nil
}
