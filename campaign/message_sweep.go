package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// MessageSweep moves single messages along, all together: a thousand of them cost as many statements as one.
// One process at a time uses it, from one goroutine.
type MessageSweep struct {
	Ledger *Ledger

	after int32 // the last run of the page before
}

// messagePage is how many open messages a round looks at, so that a round stays short whatever their number.
const messagePage = 2000

// Swept is what a round did.
type Swept struct {
	Looked    int // open messages of this round's page
	Done      int
	NoReceipt int // whose receipt did not come in time
	Cancelled int // that could not leave in time
}

const (
	// What recovery closed while nobody held the batch; see sqlFinishBatches.
	sqlFinishMessages = `
UPDATE batch
SET state = 'done', holder = NULL, lease_until = NULL
FROM (SELECT b.run_id, b.no
      FROM run
      JOIN batch b ON b.run_id = run.id
      WHERE run.kind = 'message' AND run.state = 'running' AND b.state = 'ready' AND b.sent_upto = b.hi
        AND (b.lease_until IS NULL OR b.lease_until < now())
        AND NOT EXISTS (SELECT 1 FROM redo r WHERE r.run_id = b.run_id AND r.batch = b.no)
        AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = b.run_id AND s.batch = b.no AND s.closed_at IS NULL)
      FOR UPDATE OF b SKIP LOCKED) idle
WHERE batch.run_id = idle.run_id AND batch.no = idle.no`

	sqlSettleMessages = `
UPDATE run
SET state = 'settling'
WHERE kind = 'message' AND state = 'running'
  AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.run_id = run.id AND b.state = 'ready')
  AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = run.id AND s.closed_at IS NULL)`

	// A redo can be written just as its run is taken for tried.
	sqlUnsettleMessages = `
WITH ready AS MATERIALIZED (
    SELECT DISTINCT run_id FROM batch WHERE state = 'ready'
)
UPDATE run
SET state = 'running'
FROM ready
WHERE run.id = ready.run_id AND run.kind = 'message' AND run.state = 'settling'`

	sqlRestMessages = `
UPDATE run
SET state = 'paused'
WHERE kind = 'message' AND state = 'pausing' AND finished_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = run.id AND s.closed_at IS NULL)`

	// One of which a part is unknown and another is to be redone is not counted as pending, and yet it is not over.
	sqlMessagePage = `
SELECT r.id, r.state, r.receipts, o.counts[1] > 0 OR EXISTS (SELECT 1 FROM redo q WHERE q.run_id = r.id), o.counts[6] > 0,
       coalesce(o.last_result < $2::timestamptz - r.receipt_wait, false), m.expires_at < $2
FROM run r
JOIN message m ON m.run_id = r.id
JOIN outcome o ON o.run_id = r.id AND o.block = 0
WHERE r.kind = 'message' AND r.finished_at IS NULL AND r.id > $1
ORDER BY r.id
LIMIT $3`

	// Looked at again in the moment of moving: a message that is to be tried again has a batch that is ready.
	sqlEndMessages = `
UPDATE run
SET state = 'done', finished_at = now()
WHERE id = ANY ($1) AND state = 'settling'
  AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.run_id = run.id AND b.state = 'ready')
  AND NOT EXISTS (SELECT 1 FROM stride s WHERE s.run_id = run.id AND s.closed_at IS NULL)`
)

// Run does a round as of now, in a number of statements that does not grow with the messages. A page of the
// open ones is looked at; the next round takes the next page.
func (w *MessageSweep) Run(ctx context.Context, now time.Time) (Swept, error) {
	for _, sql := range []string{sqlFinishMessages, sqlSettleMessages, sqlUnsettleMessages, sqlRestMessages} {
		if _, err := w.Ledger.pool.Exec(ctx, sql); err != nil {
			return Swept{}, fmt.Errorf("move messages on: %w", err)
		}
	}
	var swept Swept
	var done, late, overdue []int32
	rows, err := w.Ledger.pool.Query(ctx, sqlMessagePage, w.after, now, messagePage)
	if err != nil {
		return swept, fmt.Errorf("look at open messages: %w", err)
	}
	var id int32
	var state RunState
	var receipts, pending, awaiting, waited, expired bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &state, &receipts, &pending, &awaiting, &waited, &expired}, func() error {
		swept.Looked++
		givenUp := awaiting && receipts && waited
		if givenUp {
			late = append(late, id)
		}
		switch {
		case pending && expired && state != RunSettling:
			overdue = append(overdue, id)
		case !pending && state == RunSettling && (!awaiting || !receipts || givenUp):
			done = append(done, id)
		}
		return nil
	}); err != nil {
		return swept, fmt.Errorf("look at open messages: %w", err)
	}
	w.after = id
	if swept.Looked < messagePage {
		w.after = 0
	}
	if swept.NoReceipt, err = w.Ledger.giveReceiptsUp(ctx, late); err != nil {
		return swept, err
	}
	if len(done) > 0 {
		tag, err := w.Ledger.pool.Exec(ctx, sqlEndMessages, done)
		if err != nil {
			return swept, fmt.Errorf("end messages: %w", err)
		}
		swept.Done = int(tag.RowsAffected())
	}
	swept.Cancelled, err = w.Ledger.cancelMessages(ctx, overdue, now)
	return swept, err
}

const (
	sqlLockMessages = `
SELECT run_id, facts, counts
FROM outcome
WHERE run_id = ANY ($1) AND block = 0
ORDER BY run_id
FOR UPDATE`

	sqlUpdateMessages = `
UPDATE outcome
SET facts = p.facts, counts = ARRAY[p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, p.c7, p.c8, p.c9, p.c10]
FROM unnest($1::int4[], $2::bytea[], $3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int4[],
            $8::int4[], $9::int4[], $10::int4[], $11::int4[], $12::int4[])
     AS p (run_id, facts, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10)
WHERE outcome.run_id = p.run_id AND outcome.block = 0`
)

// flagMessages merges a flag into the outcome of those messages that are in one of the states, in two statements, and
// answers which those were.
func flagMessages(ctx context.Context, tx pgx.Tx, runs []int32, flag Flags, in ...State) ([]int32, error) {
	rows, err := tx.Query(ctx, sqlLockMessages, runs)
	if err != nil {
		return nil, fmt.Errorf("lock the outcome of messages: %w", err)
	}
	var flagged []int32
	var packed [][]byte
	var run int32
	var block []byte
	var counts []int32
	_, err = pgx.ForEachRow(rows, []any{&run, &block, &counts}, func() error {
		facts, err := DecodeBlock(block)
		if err != nil || len(facts) != 1 || !slices.Contains(in, facts[0].State()) {
			return err
		}
		facts[0].Merge(Facts{Flags: flag})
		flagged, packed = append(flagged, run), append(packed, EncodeBlock(facts))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock the outcome of messages: %w", err)
	}
	columns := make([][]int32, stateCount)
	for i := range columns {
		columns[i] = make([]int32, len(flagged))
	}
	for i := range flagged {
		facts, err := DecodeBlock(packed[i])
		if err != nil {
			return nil, err
		}
		columns[facts[0].State()][i] = 1
	}
	args := []any{flagged, packed}
	for _, column := range columns {
		args = append(args, column)
	}
	if _, err := tx.Exec(ctx, sqlUpdateMessages, args...); err != nil {
		return nil, fmt.Errorf("update the outcome of messages: %w", err)
	}
	return flagged, nil
}

// giveReceiptsUp marks messages whose receipt has not come within receipt_wait; see ExpireReceipts.
func (l *Ledger) giveReceiptsUp(ctx context.Context, runs []int32) (marked int, err error) {
	if len(runs) == 0 {
		return 0, nil
	}
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		flagged, err := flagMessages(ctx, tx, runs, FlagWaited, Sent)
		marked = len(flagged)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("expire receipts of messages: %w", err)
	}
	return marked, nil
}
