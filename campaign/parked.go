package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	parkedFirstWait = 2 * time.Second
	// doubtWait is how long an unknown message waits for its own answer before a receipt is given to it
	// by number alone.
	doubtWait = 10 * time.Minute
)

var parkedColumns = []string{"chunk", "line", "at", "centre", "bind", "smsc_id", "msisdn", "state", "next_try", "expires_at"}

// park keeps receipts whose submission is not there yet: the response may still be on its way, or its
// stride may not be recorded.
func park(ctx context.Context, tx pgx.Tx, receipts []receipt) error {
	if len(receipts) == 0 {
		return nil
	}
	now := time.Now()
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"parked"}, parkedColumns,
		pgx.CopyFromSlice(len(receipts), func(i int) ([]any, error) {
			r := &receipts[i]
			return []any{r.Chunk, r.Line, r.At, r.Centre, r.Bind, r.ID, r.MSISDN, r.State, now.Add(parkedFirstWait), r.At.Add(ReceiptValidity)}, nil
		}))
	if err != nil {
		return fmt.Errorf("park receipts: %w", err)
	}
	return nil
}

const (
	sqlTakeParked = `
SELECT chunk, line, at, centre, bind, smsc_id, msisdn, state, 0, 0, 0::int2, ''
FROM parked
WHERE NOT orphan AND next_try <= $1
ORDER BY next_try
LIMIT 1000
FOR UPDATE SKIP LOCKED`

	sqlUnpark = `
DELETE FROM parked
USING unnest($1::int8[], $2::int4[]) AS p (chunk, line)
WHERE parked.chunk = p.chunk AND parked.line = p.line`

	// The wait doubles up to an hour; what outlives its validity is an orphan: kept, shown, tried no more.
	sqlParkAgain = `
UPDATE parked
SET tries = tries + 1,
    next_try = $3::timestamptz + least(interval '1 hour', interval '2 seconds' * power(2, least(tries + 1, 12))),
    orphan = expires_at <= $3::timestamptz,
    why = p.why
FROM unnest($1::int8[], $2::int4[], $4::text[]) AS p (chunk, line, why)
WHERE parked.chunk = p.chunk AND parked.line = p.line`

	// An unknown part has no id. A receipt from the same centre for the same number may be its own, if
	// nothing else of that number is without a receipt: an accepted part whose id nobody could read may be
	// the one that it belongs to.
	sqlMatchDoubt = `
SELECT p.receipt, s.run_id, s.seq, s.part, bool_and(s.result = 'unknown')
FROM unnest($1::int4[], $2::int8[], $3::text[], $4::timestamptz[]) AS p (receipt, msisdn, centre, at)
JOIN recipient r ON r.msisdn = p.msisdn
JOIN run ON run.id = r.run_id AND run.receipts
JOIN submission s ON s.run_id = r.run_id AND s.seq = r.seq AND s.result IN ('unknown', 'accepted')
                 AND s.at > p.at - $5::interval AND s.at < p.at + interval '1 hour'
JOIN stride t ON t.id = s.stride_id AND t.centre = p.centre
WHERE s.at > $6
  AND NOT EXISTS (SELECT 1 FROM receipt_match m
                  WHERE m.run_id = s.run_id AND m.seq = s.seq AND m.part = s.part)
  AND NOT EXISTS (SELECT 1 FROM inbox i
                  WHERE i.run_id = s.run_id AND i.seq = s.seq AND i.part = s.part AND i.state <> '')
GROUP BY p.receipt, s.run_id, s.seq, s.part`
)

// RetryParked looks again for the submissions of parked receipts that are due. After ten minutes one
// that fits a single unknown message by number and centre is given to it, and marked so. It answers how
// many were matched.
func (l *Ledger) RetryParked(ctx context.Context, now time.Time) (int, error) {
	count := 0
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlTakeParked, now)
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[receipt])
		if err != nil || len(due) == 0 {
			return err
		}
		found, rest, err := matchByID(ctx, tx, due)
		if err != nil {
			return err
		}
		doubtful, rest, why, err := matchDoubt(ctx, tx, rest, now)
		if err != nil {
			return err
		}
		found = append(found, doubtful...)
		byRun := make(map[int32][]observation)
		if err := keepMatches(ctx, tx, found, byRun); err != nil {
			return err
		}
		chunks, lines := make([]int64, 0, len(found)), make([]int32, 0, len(found))
		for _, m := range found {
			chunks, lines = append(chunks, m.Chunk), append(lines, m.Line)
		}
		if _, err := tx.Exec(ctx, sqlUnpark, chunks, lines); err != nil {
			return err
		}
		chunks, lines = chunks[:0], lines[:0]
		for _, r := range rest {
			chunks, lines = append(chunks, r.Chunk), append(lines, r.Line)
		}
		if _, err := tx.Exec(ctx, sqlParkAgain, chunks, lines, now, why); err != nil {
			return err
		}
		count = len(found)
		return observeRuns(ctx, tx, byRun, time.Time{})
	})
	if err != nil {
		return 0, fmt.Errorf("retry parked receipts: %w", err)
	}
	return count, nil
}

// matchDoubt gives receipts to unknown messages by number, where the receipt is old enough and exactly
// one message fits; it says of the rest why they stay.
func matchDoubt(ctx context.Context, tx pgx.Tx, receipts []receipt, now time.Time) (found []matched, rest []receipt, why []string, err error) {
	var indexes []int32
	var numbers []int64
	var centres []string
	var ats []time.Time
	for i, r := range receipts {
		if r.MSISDN != 0 && now.Sub(r.At) >= doubtWait && r.State != "" {
			indexes, numbers = append(indexes, int32(i)), append(numbers, r.MSISDN)
			centres, ats = append(centres, r.Centre), append(ats, r.At)
		}
	}
	fits := make(map[int32][]candidate)
	known := make(map[candidate]bool) // accepted: with an id of its own
	if len(indexes) > 0 {
		rows, err := tx.Query(ctx, sqlMatchDoubt, indexes, numbers, centres, ats, ReceiptValidity, now.Add(-2*ReceiptValidity))
		if err != nil {
			return nil, nil, nil, fmt.Errorf("match receipts of unknown messages: %w", err)
		}
		var receiptNo int32
		var doubtful bool
		c := candidate{how: HowNumber}
		if _, err := pgx.ForEachRow(rows, []any{&receiptNo, &c.run, &c.seq, &c.part, &doubtful}, func() error {
			fits[receiptNo] = append(fits[receiptNo], c)
			known[c] = known[c] || !doubtful
			return nil
		}); err != nil {
			return nil, nil, nil, fmt.Errorf("match receipts of unknown messages: %w", err)
		}
	}
	taken := make(map[candidate]bool) // two receipts of one round must not settle the same part
	for i, r := range receipts {
		fit := fits[int32(i)]
		switch {
		case len(fit) == 1 && !known[fit[0]] && !taken[fit[0]]:
			taken[fit[0]] = true
			r.Run, r.Seq, r.Part = fit[0].run, fit[0].seq, fit[0].part
			found = append(found, matched{receipt: r, how: HowNumber})
			continue
		case len(fit) > 1:
			why = append(why, "several messages fit")
		default:
			why = append(why, "no message fits")
		}
		rest = append(rest, r)
	}
	return found, rest, why, nil
}
