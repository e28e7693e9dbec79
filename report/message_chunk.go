package report

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/campaign"
)

// Single messages are runs of one recipient each. A lot of them is read like a lot of one run's recipients, with the place in the lot
// for the seq.
const (
	sqlMessagePeople = `
SELECT m.seq::int4, p.contact_id, p.msisdn, p.language, coalesce(p.home_state, 0::int2), coalesce(p.home_district, 0)
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN recipient p ON p.run_id = m.run_id AND p.seq = 1`

	sqlMessageOutcomes = `
SELECT m.seq::int4, o.facts, o.counts
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN outcome o ON o.run_id = m.run_id AND o.block = 0`

	sqlMessageSubmissions = `
SELECT m.seq::int4, s.part, s.parts, s.result, s.status, coalesce(s.smsc_id, ''), s.at, s.stride_id
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN submission s ON s.run_id = m.run_id
WHERE s.at >= $2`

	sqlMessageReceipts = `
SELECT m.seq::int4, coalesce(i.part, 0::int2), i.state, i.err, i.at
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN inbox i ON i.run_id = m.run_id AND i.kind = 'receipt'
WHERE i.at >= $2`

	sqlMessageMatched = `
SELECT m.seq::int4, f.part, i.state, i.err, i.at
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN receipt_match f ON f.run_id = m.run_id
JOIN inbox i ON i.chunk = f.chunk AND i.line = f.line AND i.at = f.at`

	sqlMessageSkips = `
SELECT m.seq::int4, s.reason, s.detail, s.at
FROM unnest($1::int4[]) WITH ORDINALITY AS m (run_id, seq)
JOIN skip s ON s.run_id = m.run_id`
)

// loadMessages reads messages by their runs, the first of which was taken in at the given time.
func (c *chunk) loadMessages(ctx context.Context, tx pgx.Tx, runs []int32, first time.Time) error {
	c.reset(1, int32(len(runs)))
	since := first.Add(-margin)
	batch := &pgx.Batch{}
	batch.Queue(sqlMessagePeople, runs)
	batch.Queue(sqlMessageOutcomes, runs)
	batch.Queue(sqlMessageSubmissions, runs, since)
	batch.Queue(sqlMessageReceipts, runs, since)
	batch.Queue(sqlMessageMatched, runs)
	batch.Queue(sqlMessageSkips, runs)
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	for _, read := range []func(pgx.Rows) error{c.addPeople, c.addMessageOutcomes, c.addSubmissions, c.addReceipts, c.addReceipts, c.addSkips} {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if err := read(rows); err != nil {
			rows.Close()
			return err
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	return c.loadStrides(ctx, tx)
}

func (c *chunk) addMessageOutcomes(rows pgx.Rows) error {
	var seq int32
	var packed []byte
	var counts []int64
	for rows.Next() {
		if err := rows.Scan(&seq, &packed, &counts); err != nil {
			return err
		}
		facts, err := campaign.DecodeBlock(packed)
		if err != nil || len(facts) != 1 {
			return fmt.Errorf("outcome of message %d of the lot: %d recipients: %w", seq, len(facts), err)
		}
		c.facts[seq-c.lo] = facts[0]
		for i, n := range counts[:min(len(counts), len(c.counts))] {
			c.counts[i] += n
		}
	}
	return nil
}
