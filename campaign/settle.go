package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ReceiptValidity is how long after its submission a receipt may still be matched: the usual validity
// of two days and three more. Centres reuse ids, so older submissions are not looked at.
const ReceiptValidity = 5 * day

const (
	// Whoever takes a chunk settles it; identity order is not commit order, so there is no cursor.
	sqlTakeChunks = `
SELECT id, at
FROM inbox_chunk
WHERE settled_at IS NULL
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED`

	sqlReadChunks = `
SELECT chunk, line, at, centre, bind, smsc_id, msisdn, state, coalesce(run_id, 0), coalesce(seq, 0), coalesce(part, 0), err
FROM inbox
WHERE chunk = ANY ($1) AND at BETWEEN $2 AND $3 AND kind = 'receipt'`

	sqlChunksSettled = `
UPDATE inbox_chunk
SET settled_at = now()
WHERE id = ANY ($1)`
)

// receipt is a stored delivery receipt on its way to its recipient.
type receipt struct {
	Chunk  int64
	Line   int32
	At     time.Time
	Centre string
	Bind   string
	ID     string
	MSISDN int64
	State  string
	Run    int32
	Seq    int32
	Part   int16
	Err    string
}

func (r *receipt) facts() Facts {
	set := Part(int(r.Part))
	switch r.State {
	case "delivered":
		return Facts{Delivered: set}
	case "failed":
		return Facts{Failed: set}
	case "expired":
		return Facts{Expired: set}
	}
	return Facts{}
}

// Settled is what a round of settling did.
type Settled struct {
	Chunks  int // taken
	Matched int // receipts that reached their recipient
	Parked  int // receipts without a submission so far

	// Seen is what the matched receipts said, nil where there was none. It counts nothing twice but receipts that come twice.
	Seen *SeenReceipts
}

// SeenReceipts is what the receipts of a round said of their runs.
type SeenReceipts struct {
	Final  map[int32]int // final receipts by run
	Failed []FailedPart
}

// FailedPart is a part of which a receipt said that it will not arrive, and why.
type FailedPart struct {
	Run, Seq int32
	Part     int16
	Err      string // as the centre wrote it
}

// see keeps what a matched receipt says.
func (s *Settled) see(r *receipt) {
	if r.State == "" {
		return
	}
	if s.Seen == nil {
		s.Seen = &SeenReceipts{Final: make(map[int32]int)}
	}
	s.Seen.Final[r.Run]++
	if r.State == "failed" {
		s.Seen.Failed = append(s.Seen.Failed, FailedPart{Run: r.Run, Seq: r.Seq, Part: r.Part, Err: r.Err})
	}
}

// Settle takes at most limit chunks of the inbox and brings their receipts to the recipients: those that
// name their submission at once, the others by the centre's id and the number; the rest is parked.
func (l *Ledger) Settle(ctx context.Context, limit int) (Settled, error) {
	var done Settled
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		// Settling repeats itself after a crash, so its commits need not wait for the disk.
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sqlTakeChunks, limit)
		if err != nil {
			return err
		}
		var ids []int64
		var first, last time.Time
		var id int64
		var at time.Time
		if _, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
			if len(ids) == 0 || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
			ids = append(ids, id)
			return nil
		}); err != nil || len(ids) == 0 {
			return err
		}
		rows, err = tx.Query(ctx, sqlReadChunks, ids, first, last)
		if err != nil {
			return err
		}
		receipts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[receipt])
		if err != nil {
			return err
		}
		done, err = settleReceipts(ctx, tx, receipts)
		if err != nil {
			return err
		}
		done.Chunks = len(ids)
		_, err = tx.Exec(ctx, sqlChunksSettled, ids)
		return err
	})
	if err != nil {
		return Settled{}, fmt.Errorf("settle receipts: %w", err)
	}
	return done, nil
}

func settleReceipts(ctx context.Context, tx pgx.Tx, receipts []receipt) (Settled, error) {
	var done Settled
	byRun := make(map[int32][]observation)
	var lost []receipt
	for i := range receipts {
		r := &receipts[i]
		if r.Run == 0 {
			lost = append(lost, *r)
			continue
		}
		done.Matched++
		done.see(r)
		if facts := r.facts(); facts != (Facts{}) {
			byRun[r.Run] = append(byRun[r.Run], observation{seq: r.Seq, facts: facts})
		}
	}
	if len(lost) > 0 {
		matched, unmatched, err := matchByID(ctx, tx, lost)
		if err != nil {
			return done, err
		}
		if err := keepMatches(ctx, tx, matched, byRun); err != nil {
			return done, err
		}
		if err := park(ctx, tx, unmatched); err != nil {
			return done, err
		}
		done.Matched += len(matched)
		for i := range matched {
			done.see(&matched[i].receipt)
		}
		done.Parked += len(unmatched)
	}
	return done, observeRuns(ctx, tx, byRun, time.Time{})
}

// matched is a receipt with the submission that it was found to belong to.
type matched struct {
	receipt
	how How
}

var matchColumns = []string{"chunk", "line", "at", "run_id", "seq", "part", "how"}

func keepMatches(ctx context.Context, tx pgx.Tx, found []matched, byRun map[int32][]observation) error {
	if len(found) == 0 {
		return nil
	}
	for i := range found {
		m := &found[i]
		byRun[m.Run] = append(byRun[m.Run], observation{seq: m.Seq, facts: m.facts()})
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"receipt_match"}, matchColumns,
		pgx.CopyFromSlice(len(found), func(i int) ([]any, error) {
			m := &found[i]
			return []any{m.Chunk, m.Line, m.At, m.Run, m.Seq, m.Part, string(m.how)}, nil
		}))
	if err != nil {
		return fmt.Errorf("keep matches: %w", err)
	}
	return nil
}

// The join finds every accepted submission under any reading of the id that went to the same number
// within the validity; Go decides between them.
//
// OFFSET 0 keeps each lookup one of its own. Of the newest partition PostgreSQL knows nothing until somebody has counted
// it, takes every id for one in two hundred, and would join by reading all of it for a handful of receipts: the longer,
// the more had been sent.
const sqlMatch = `
SELECT p.receipt, s.run_id, s.seq, s.part, s.smsc_id, p.how
FROM unnest($1::int4[], $2::int8[], $3::text[], $4::int8[], $5::timestamptz[]) AS p (receipt, key, how, msisdn, at)
CROSS JOIN LATERAL (
    SELECT run_id, seq, part, smsc_id
    FROM submission
    WHERE smsc_key = p.key AND result = 'accepted'
      AND at > p.at - $6::interval AND at < p.at + interval '1 day'
      AND at > $7 AND at < $8
    OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT 1
    FROM recipient
    WHERE run_id = s.run_id AND seq = s.seq AND msisdn = p.msisdn
    OFFSET 0) r`

// matchByID looks the receipts up by the centre's id. A match needs the same number; where several
// submissions fit, the one with the very same text wins, and otherwise none: it is never guessed.
func matchByID(ctx context.Context, tx pgx.Tx, receipts []receipt) (found []matched, rest []receipt, err error) {
	var (
		indexes []int32
		keys    []int64
		hows    []string
		numbers []int64
		ats     []time.Time
		oldest  = time.Now()
		newest  = oldest
	)
	for i, r := range receipts {
		if r.At.Before(oldest) {
			oldest = r.At
		}
		if r.At.After(newest) {
			newest = r.At
		}
		if r.ID == "" || r.MSISDN == 0 {
			continue
		}
		for _, reading := range Readings(r.Centre, r.ID) {
			indexes, keys, hows = append(indexes, int32(i)), append(keys, reading.Key), append(hows, string(reading.How))
			numbers, ats = append(numbers, r.MSISDN), append(ats, r.At)
		}
	}
	candidates := make(map[int32][]candidate)
	if len(keys) > 0 {
		rows, err := tx.Query(ctx, sqlMatch, indexes, keys, hows, numbers, ats, ReceiptValidity, oldest.Add(-ReceiptValidity), newest.Add(day))
		if err != nil {
			return nil, nil, fmt.Errorf("match receipts: %w", err)
		}
		type row struct {
			Receipt int32
			Run     int32
			Seq     int32
			Part    int16
			ID      string
			How     How
		}
		matches, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		if err != nil {
			return nil, nil, fmt.Errorf("match receipts: %w", err)
		}
		for _, m := range matches {
			how := m.How
			if m.ID == receipts[m.Receipt].ID {
				how = HowExact
			}
			candidates[m.Receipt] = append(candidates[m.Receipt], candidate{run: m.Run, seq: m.Seq, part: m.Part, how: how})
		}
	}
	for i, r := range receipts {
		if c, ok := choose(candidates[int32(i)]); ok {
			r.Run, r.Seq, r.Part = c.run, c.seq, c.part
			found = append(found, matched{receipt: r, how: c.how})
			continue
		}
		rest = append(rest, r)
	}
	return found, rest, nil
}

// candidate is a submission that a receipt may belong to.
type candidate struct {
	run, seq int32
	part     int16
	how      How
}

// choose picks the one submission that fits best: the same text before other case and zeros, that before
// another base. Two that fit equally well are ambiguous, and neither is chosen.
func choose(candidates []candidate) (candidate, bool) {
	for _, how := range []How{HowExact, HowFolded, HowDecimal, HowHex} {
		var best *candidate
		for i := range candidates {
			c := &candidates[i]
			if c.how != how {
				continue
			}
			if best != nil && (best.run != c.run || best.seq != c.seq || best.part != c.part) {
				return candidate{}, false
			}
			best = c
		}
		if best != nil {
			return *best, true
		}
	}
	return candidate{}, false
}
