package campaign

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/internal/pgdb"
)

// Result is what became of a part that a stride held. The words are those of submission.result.
type Result string

// The results of a part.
const (
	Accepted  Result = "accepted"  // the centre took it
	Refused   Result = "refused"   // the centre will never take it
	Throttled Result = "throttled" // too fast: not an attempt
	Transient Result = "transient" // refused for now
	NotSent   Result = "not_sent"  // certainly no byte of it left
	InDoubt   Result = "unknown"   // it may have left
)

// PartResult is the result of one part.
type PartResult struct {
	Seq    int32
	Part   int16 // from 1
	Parts  int16 // of the whole message
	Tries  int16 // attempts before this one
	Result Result
	Status uint32 // command_status of the response, 0 without one
	Key    int64  // MessageKey of ID, when accepted
	ID     string // message id given by the centre, when accepted
	At     time.Time
}

// eachPart yields the parts that a stride may have put on the wire, without the recipients skipped.
func (s *Stride) eachPart(skipped map[int32]bool) iter.Seq[PartResult] {
	return func(yield func(PartResult) bool) {
		if s.Kind == "redo" {
			for i, p := range s.Redo {
				if !skipped[p.Seq] && !yield(PartResult{Seq: p.Seq, Part: p.Part, Parts: int16(s.PartCounts[i]), Tries: p.Tries}) {
					return
				}
			}
			return
		}
		for i, parts := range s.PartCounts {
			seq := s.Lo + int32(i)
			for part := int16(1); part <= int16(parts) && !skipped[seq]; part++ {
				if !yield(PartResult{Seq: seq, Part: part, Parts: int16(parts)}) {
					return
				}
			}
		}
	}
}

const (
	sqlCloseStride = `
UPDATE stride
SET closed_at = now(), close_token = $2
WHERE id = $1 AND closed_at IS NULL`

	sqlClosedBy = `SELECT close_token FROM stride WHERE id = $1`

	sqlRedo = `
INSERT INTO redo (run_id, batch, seq, part, bind, not_before, tries)
SELECT $1, $2, p.seq, p.part, p.bind, now() + p.wait * interval '1 millisecond', p.tries
FROM unnest($3::int4[], $4::int2[], $5::text[], $6::int8[], $7::int2[]) AS p (seq, part, bind, wait, tries)
ON CONFLICT (run_id, seq, part) DO NOTHING`

	sqlDropRedo = `
DELETE FROM redo
WHERE run_id = $1 AND seq = ANY ($2)`

	sqlReopenBatch = `
UPDATE batch
SET state = 'ready'
WHERE run_id = $1 AND no = $2 AND state = 'done'`
)

// errRecorded says that these very results were recorded by an attempt whose answer was lost.
var errRecorded = errors.New("recorded already")

// Record appends the results of a stride, closes it, and writes what is to be tried again, in one
// transaction, trying again until ctx ends while the database is away. A stride that recovery has closed
// meanwhile still gets its facts, but nothing new follows from them. An attempt whose answer was lost
// leaves its token on the stride, so the next one knows that nothing is left to do.
func (l *Ledger) Record(ctx context.Context, s *Stride, results []PartResult, rule RedoRule) error {
	token := newCloseToken()
	wait := 100 * time.Millisecond
	for {
		err := l.record(ctx, s, token, results, rule)
		if err == nil || errors.Is(err, errRecorded) {
			return nil
		}
		if !pgdb.Retryable(err) {
			return fmt.Errorf("record stride %d of run %d: %w", s.ID, s.Run, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("record stride %d of run %d: %w", s.ID, s.Run, errors.Join(err, context.Cause(ctx)))
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		}
	}
}

func (l *Ledger) record(ctx context.Context, s *Stride, token int64, results []PartResult, rule RedoRule) error {
	return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		// Appending comes first because it takes no locks: a process stopped in the middle of it is in
		// nobody's way.
		if err := appendSubmissions(ctx, tx, s, results); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlCloseStride, s.ID, token)
		if err != nil {
			return err
		}
		late := tag.RowsAffected() == 0
		if late {
			var by *int64
			if err := tx.QueryRow(ctx, sqlClosedBy, s.ID).Scan(&by); err != nil {
				return err
			}
			if by != nil && *by == token {
				return errRecorded
			}
			if len(results) > 0 {
				if err := onlyOnce(ctx, tx, s, results[0]); err != nil {
					return err
				}
			}
			err = spareRedo(ctx, tx, s, results)
		} else {
			err = writeRedo(ctx, tx, s, results, rule)
		}
		if err != nil {
			return err
		}
		seen := make([]observation, 0, len(results))
		var newest time.Time
		for _, r := range results {
			seen = append(seen, observation{seq: r.Seq, facts: rule.facts(r)})
			if r.At.After(newest) {
				newest = r.At
			}
		}
		if err := observe(ctx, tx, s.Run, seen, newest); err != nil || late {
			return err
		}
		return settleBudget(ctx, tx, s, results)
	})
}

// Late appends a response that came after its part was recorded as unknown. Told again, it changes nothing.
func (l *Ledger) Late(ctx context.Context, s *Stride, result PartResult) error {
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if err := appendSubmissions(ctx, tx, s, []PartResult{result}); err != nil {
			return err
		}
		if err := onlyOnce(ctx, tx, s, result); err != nil {
			return err
		}
		if err := spareRedo(ctx, tx, s, []PartResult{result}); err != nil {
			return err
		}
		rule := RedoRule{OnUnknown: "hold"}
		return observe(ctx, tx, s.Run, []observation{{seq: result.Seq, facts: rule.facts(result)}}, result.At)
	})
	if errors.Is(err, errRecorded) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record a late response to stride %d of run %d: %w", s.ID, s.Run, err)
	}
	return nil
}

var submissionColumns = []string{"stride_id", "run_id", "seq", "part", "parts", "bind", "result", "status", "smsc_key", "smsc_id", "at"}

func appendSubmissions(ctx context.Context, tx pgx.Tx, s *Stride, results []PartResult) error {
	row := make([]any, len(submissionColumns))
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"submission"}, submissionColumns,
		pgx.CopyFromSlice(len(results), func(i int) ([]any, error) {
			r := &results[i]
			row[0], row[1], row[2], row[3], row[4] = s.ID, s.Run, r.Seq, r.Part, r.Parts
			row[5], row[6], row[7], row[8], row[9], row[10] = s.Bind, string(r.Result), int32(r.Status), nil, nil, r.At
			if r.Result == Accepted {
				row[8], row[9] = r.Key, r.ID
			}
			return row, nil
		}))
	if err != nil {
		return fmt.Errorf("append submissions: %w", err)
	}
	return nil
}

// writeRedo keeps what is to be tried again. Once a part of a message is out, the rest follows on the
// same bind, because centres join parts per connection; until then any bind may take it.
func writeRedo(ctx context.Context, tx pgx.Tx, s *Stride, results []PartResult, rule RedoRule) error {
	out := make(map[int32]bool)
	for _, p := range s.Redo {
		if p.Bind != "" {
			out[p.Seq] = true
		}
	}
	for _, r := range results {
		if r.Parts > 1 && (r.Result == Accepted || r.Result == InDoubt) {
			out[r.Seq] = true
		}
	}
	var (
		seqs         []int32
		parts, tries []int16
		binds        []string
		waits        []int64
	)
	refused := refusedForGood(results, rule)
	for _, r := range results {
		wait, n, again := rule.next(r)
		if !again || slices.Contains(refused, r.Seq) {
			continue
		}
		bind := ""
		if out[r.Seq] {
			bind = s.Bind
		}
		seqs, parts, tries = append(seqs, r.Seq), append(parts, r.Part), append(tries, n)
		binds, waits = append(binds, bind), append(waits, wait.Milliseconds())
	}
	if len(refused) > 0 {
		if _, err := tx.Exec(ctx, sqlDropRedo, s.Run, refused); err != nil {
			return fmt.Errorf("drop redo of refused messages: %w", err)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlRedo, s.Run, s.Batch, seqs, parts, binds, waits, tries); err != nil {
		return fmt.Errorf("write redo: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlReopenBatch, s.Run, s.Batch); err != nil {
		return fmt.Errorf("reopen batch: %w", err)
	}
	return nil
}

// spareRedo takes back what was to be sent again although it may have left, where a late response says
// that the centre has it.
func spareRedo(ctx context.Context, tx pgx.Tx, s *Stride, results []PartResult) error {
	var seqs []int32
	var parts []int16
	for _, r := range results {
		if r.Result == Accepted {
			seqs, parts = append(seqs, r.Seq), append(parts, r.Part)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlTakeRedo, s.Run, s.Batch, seqs, parts); err != nil {
		return fmt.Errorf("take back redo: %w", err)
	}
	return nil
}

// refusedForGood lists the messages of several parts that a refusal has failed as a whole: a handset
// cannot join the rest, so nothing more of them is sent.
func refusedForGood(results []PartResult, rule RedoRule) []int32 {
	var seqs []int32
	for _, r := range results {
		if r.Parts > 1 && rule.facts(r).Refused != 0 {
			seqs = append(seqs, r.Seq)
		}
	}
	return seqs
}
