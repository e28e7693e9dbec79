package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/audience"
)

// Recipient is a contact frozen into a run.
type Recipient struct {
	Seq      int32
	MSISDN   int64
	Key      int64 // keyed hash of the number
	Language string
	Vars     []string
}

const sqlReadAhead = `
SELECT seq, msisdn, msisdn_key, language, vars
FROM recipient
WHERE run_id = $1 AND seq > $2 AND seq <= $3
ORDER BY seq
LIMIT $4`

// ReadAhead reads the next recipients of a batch, at most limit of them. Nothing follows from reading:
// the stride's own statement decides who is still to be written to.
func (l *Ledger) ReadAhead(ctx context.Context, lease *Lease, after int32, limit int) ([]Recipient, error) {
	rows, err := l.pool.Query(ctx, sqlReadAhead, lease.Run, after, lease.Hi, limit)
	if err != nil {
		return nil, fmt.Errorf("read recipients of run %d after %d: %w", lease.Run, after, err)
	}
	recipients, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Recipient])
	if err != nil {
		return nil, fmt.Errorf("read recipients of run %d after %d: %w", lease.Run, after, err)
	}
	return recipients, nil
}

// RedoPart is a part that certainly did not get through and waits to be tried again.
type RedoPart struct {
	Recipient
	Part  int16
	Tries int16
	Bind  string // "" when no part of the message went out yet
}

const sqlReadRedo = `
SELECT q.seq, r.msisdn, r.msisdn_key, r.language, r.vars, q.part, q.tries, q.bind
FROM redo q
JOIN recipient r ON r.run_id = q.run_id AND r.seq = q.seq
WHERE q.run_id = $1 AND q.batch = $2 AND q.not_before <= now()
  AND NOT (q.bind = ANY ($4) AND q.not_before > now() - $5::interval)
ORDER BY q.bind, q.seq, q.part
LIMIT $3`

// bindPatience is how long the rest of a message waits for the bind that took its first parts, before
// another may send it: by then the centre has given up what it held back for a connection.
const bindPatience = 15 * time.Minute

// ReadRedo reads parts of a batch that are due again, those of one bind together, and without those that
// wait for a bind that is away.
func (l *Ledger) ReadRedo(ctx context.Context, lease *Lease, away []string, limit int) ([]RedoPart, error) {
	if away == nil {
		away = []string{}
	}
	rows, err := l.pool.Query(ctx, sqlReadRedo, lease.Run, lease.Batch, limit, away, bindPatience)
	if err != nil {
		return nil, fmt.Errorf("read redo of run %d: %w", lease.Run, err)
	}
	parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p RedoPart, err error) {
		err = row.Scan(&p.Seq, &p.MSISDN, &p.Key, &p.Language, &p.Vars, &p.Part, &p.Tries, &p.Bind)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read redo of run %d: %w", lease.Run, err)
	}
	return parts, nil
}

// Stride is what a worker writes down before any byte of it may leave: a range of fresh recipients, or
// a list of parts to be redone.
type Stride struct {
	ID         int64
	Run, Batch int32
	Kind       string // first | redo
	Lo, Hi     int32
	PartCounts []byte     // first: parts of each recipient Lo … Hi, 0 where it could not be rendered; redo: parts of each message of Redo
	Redo       []RedoPart // redo
	Parts      int        // parts that may reach the wire
	Budgeted   bool       // whether its campaign has a budget, of which its parts are reserved
	Route      string
	Bind       string
	Centre     string    // identity of the message centre behind the bind
	Closes     time.Time // when the run's window closes for submissions: no byte may be written later; zero for never
	Ends       time.Time // when the window itself closes: no handset is to be reached later; zero for never
	Cap        Cap       // of the campaign: who has had as many messages is skipped; zero for none
	Root       int32     // of a retry: its first run; whom an earlier attempt reached meanwhile is skipped
	SendBy     time.Time // no byte may be written later; set by Open, on the monotonic clock
	Begun      time.Time // when its opening began, on the same clock: of a halt or stop after that it knows nothing; set by Open
}

// sendBy is the last moment at which a byte of a stride whose opening began then may be written.
func (s *Stride) sendBy(begun time.Time, pace time.Duration) time.Time {
	by := begun.Add(sendWithin + pace)
	if s.Closes.IsZero() {
		return by
	}
	// Closes is a time of day: as a distance from now it keeps the monotonic reading of begun.
	return begun.Add(min(by.Sub(begun), s.Closes.Sub(begun)))
}

// Skip is a recipient left out after the freeze.
type Skip struct {
	Seq    int32
	Reason string // suppressed | cancelled | window | render | contact_cap
	Detail string
}

// sendWithin is how long after the stride's transaction its parts may still be written. An opt-out that
// another process took takes effect within it.
const sendWithin = time.Second

// One statement takes the range, writes the stride ahead and reads who said stop, so that nothing can
// come between: a stop committed before it begins is seen by it. Messages are
// stopped by scope all or sms, for every purpose or this one.
var sqlOpenFirst = `
WITH taken AS (
    UPDATE batch
    SET sent_upto = $4, lease_until = now() + $13
    WHERE run_id = $1 AND no = $2 AND fence = $3 AND sent_upto = $5 AND state = 'ready'
      AND NOT ` + stopInForce + `
    RETURNING run_id
), opened AS (
    INSERT INTO stride (run_id, batch, kind, lo, hi, part_counts, parts, fence, route, bind, centre, opened_at, send_by)
    SELECT $1, $2, 'first', $6, $4, $7, $8, $3, $9, $10, $14, statement_timestamp(), statement_timestamp() + $11
    FROM taken
    RETURNING id
)
SELECT (SELECT id FROM opened),
       ARRAY(
           SELECT r.seq
           FROM recipient r
           WHERE r.run_id = $1 AND r.seq BETWEEN $6 AND $4
             AND ` + fmt.Sprintf(audience.SuppressedSQL, "r.msisdn_key", "$12") + `)`

// OpenFirst opens a stride over recipients s.Lo to s.Hi of the leased batch and answers which of them
// have said stop, or have had as many messages as s.Cap allows: for those, and for the skips given, nothing
// may be sent. The lease moves on with it. ErrFenced means that the lease is gone and nothing was opened.
// s.SendBy is set from before the statement that opens it, extended by pace, the time that the throttles'
// slots take beyond the usual.
func (l *Ledger) OpenFirst(ctx context.Context, lease *Lease, s *Stride, purpose string, skips []Skip, pace time.Duration) (stopped []int32, err error) {
	var begun, by time.Time
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		fresh := s.fresh()
		reached, err := reachedMeanwhile(ctx, tx, lease.Run, s.Root, fresh)
		if err != nil {
			return err
		}
		full, err := capped(ctx, tx, lease.Run, s.Cap, fresh)
		if err != nil {
			return err
		}
		begun = time.Now() // after whatever the cap had to wait for
		by = s.sendBy(begun, pace)
		var id *int64
		err = tx.QueryRow(ctx, sqlOpenFirst, lease.Run, lease.Batch, lease.Fence, s.Hi, s.Lo-1, s.Lo,
			s.PartCounts, s.Parts, s.Route, s.Bind, by.Sub(begun), purpose, LeaseTime, s.Centre).Scan(&id, &stopped)
		if err != nil {
			return err
		}
		if id == nil {
			return ErrFenced
		}
		s.ID = *id
		skips, stopped = s.leaveOut(skips, stopped, full, reached)
		if err := writeSkips(ctx, tx, lease.Run, skips, begun); err != nil {
			return err
		}
		return holdBudget(ctx, tx, s, lease.Run)
	})
	if errors.Is(err, ErrFenced) {
		return nil, ErrFenced
	}
	if err != nil {
		return nil, fmt.Errorf("open stride %d-%d of run %d: %w", s.Lo, s.Hi, lease.Run, err)
	}
	lease.SentUpto = s.Hi
	s.SendBy, s.Begun = by, begun
	return stopped, nil
}

const sqlTakeRedo = `
DELETE FROM redo
USING unnest($3::int4[], $4::int2[]) AS p (seq, part)
WHERE redo.run_id = $1 AND redo.batch = $2 AND redo.seq = p.seq AND redo.part = p.part`

var sqlOpenRedo = `
WITH held AS (
    UPDATE batch
    SET lease_until = now() + $15
    WHERE run_id = $1 AND no = $2 AND fence = $3
      AND NOT ` + stopInForce + `
    RETURNING run_id
), opened AS (
    INSERT INTO stride (run_id, batch, kind, lo, hi, part_counts, seqs, seq_parts, seq_tries, parts, fence, route, bind, centre, opened_at, send_by)
    SELECT $1, $2, 'redo', $4, $5, $6, $7, $8, $9, $10, $3, $11, $12, $16, statement_timestamp(), statement_timestamp() + $13
    FROM held
    RETURNING id
)
SELECT (SELECT id FROM opened),
       ARRAY(
           SELECT r.seq
           FROM recipient r
           WHERE r.run_id = $1 AND r.seq = ANY ($7)
             AND ` + fmt.Sprintf(audience.SuppressedSQL, "r.msisdn_key", "$14") + `)`

// OpenRedo opens a stride over parts that are due again, taking them out of redo in its transaction. As
// with OpenFirst, nothing may be sent to those it answers; a message of which a part is out is not held up by
// the cap. ErrFenced means that nothing was opened.
func (l *Ledger) OpenRedo(ctx context.Context, lease *Lease, s *Stride, purpose string, skips []Skip, pace time.Duration) (stopped []int32, err error) {
	var begun, by time.Time
	seqs, parts, tries := redoColumns(s.Redo)
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		fresh := s.fresh()
		reached, err := reachedMeanwhile(ctx, tx, lease.Run, s.Root, fresh)
		if err != nil {
			return err
		}
		full, err := capped(ctx, tx, lease.Run, s.Cap, fresh)
		if err != nil {
			return err
		}
		begun = time.Now() // after whatever the cap had to wait for
		by = s.sendBy(begun, pace)
		var id *int64
		err = tx.QueryRow(ctx, sqlOpenRedo, lease.Run, lease.Batch, lease.Fence, s.Lo, s.Hi, s.PartCounts, seqs, parts, tries,
			s.Parts, s.Route, s.Bind, by.Sub(begun), purpose, LeaseTime, s.Centre).Scan(&id, &stopped)
		if err != nil {
			return err
		}
		if id == nil {
			return ErrFenced
		}
		s.ID = *id
		tag, err := tx.Exec(ctx, sqlTakeRedo, lease.Run, lease.Batch, seqs, parts)
		if err != nil {
			return err
		}
		if int(tag.RowsAffected()) != len(seqs) {
			return ErrFenced // somebody else took some: read again
		}
		if out := slices.Concat(reached, full); len(out) > 0 { // parts that are due later must not go out without these
			if _, err := tx.Exec(ctx, sqlDropRedo, lease.Run, out); err != nil {
				return fmt.Errorf("drop redo of those who are left out: %w", err)
			}
		}
		skips, stopped = s.leaveOut(skips, stopped, full, reached)
		if err := writeSkips(ctx, tx, lease.Run, skips, begun); err != nil {
			return err
		}
		return holdBudget(ctx, tx, s, lease.Run)
	})
	if errors.Is(err, ErrFenced) {
		return nil, ErrFenced
	}
	if err != nil {
		return nil, fmt.Errorf("open redo stride of run %d: %w", lease.Run, err)
	}
	s.SendBy, s.Begun = by, begun
	return stopped, nil
}

func redoColumns(redo []RedoPart) (seqs []int32, parts, tries []int16) {
	for _, p := range redo {
		seqs = append(seqs, p.Seq)
		parts = append(parts, p.Part)
		tries = append(tries, p.Tries)
	}
	return seqs, parts, tries
}

// One statement and no COPY: a process that is stopped in the middle of a COPY does not count as idle, and would keep the locks of its
// transaction for as long as it is stopped.
const sqlWriteSkips = `
INSERT INTO skip (run_id, seq, reason, detail, at)
SELECT $1, s.seq, s.reason, s.detail, $5
FROM unnest($2::int4[], $3::text[], $4::text[]) AS s (seq, reason, detail)`

// writeSkips appends skips and moves the recipients' states with them.
func writeSkips(ctx context.Context, tx pgx.Tx, run int32, skips []Skip, at time.Time) error {
	if len(skips) == 0 {
		return nil
	}
	seqs, reasons, details := make([]int32, len(skips)), make([]string, len(skips)), make([]string, len(skips))
	for i, s := range skips {
		seqs[i], reasons[i], details[i] = s.Seq, s.Reason, s.Detail
	}
	if _, err := tx.Exec(ctx, sqlWriteSkips, run, seqs, reasons, details, at); err != nil {
		return fmt.Errorf("write skips: %w", err)
	}
	seen := make([]observation, len(skips))
	for i, s := range skips {
		flag := FlagSkipped
		if s.Reason == "suppressed" {
			flag = FlagSuppressed
		}
		seen[i] = observation{seq: s.Seq, facts: Facts{Flags: flag}}
	}
	return observe(ctx, tx, run, seen, time.Time{})
}

// No part is in two open strides, so the parts tell a redo from another one of the same messages.
const sqlFindStride = `
SELECT id
FROM stride
WHERE run_id = $1 AND batch = $2 AND fence = $3 AND lo = $4 AND hi = $5 AND kind = $6 AND closed_at IS NULL
  AND seqs IS NOT DISTINCT FROM $7::int4[] AND seq_parts IS NOT DISTINCT FROM $8::int2[]
ORDER BY id DESC
LIMIT 1`

// Abandon settles the doubt about a stride whose opening failed: a COMMIT can take effect although its
// answer was lost. The batch's row lock waits for that transaction to end; if the stride is there, it
// is recorded as not sent, which is certain, and the range is redone.
func (l *Ledger) Abandon(ctx context.Context, lease *Lease, s *Stride, rule RedoRule) error {
	seqs, parts, _ := redoColumns(s.Redo) // none of a first stride: NULL
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT 1 FROM batch WHERE run_id = $1 AND no = $2 FOR UPDATE`, lease.Run, lease.Batch); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlFindStride, lease.Run, lease.Batch, lease.Fence, s.Lo, s.Hi, s.Kind, seqs, parts).Scan(&s.ID)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the stride %d-%d of run %d: %w", s.Lo, s.Hi, lease.Run, err)
	}
	skipped, err := l.skippedIn(ctx, l.pool, lease.Run, s)
	if err != nil {
		return err
	}
	var results []PartResult
	now := time.Now()
	for p := range s.eachPart(skipped) {
		p.Result, p.At = NotSent, now
		results = append(results, p)
	}
	return l.Record(ctx, s, results, rule)
}

func newCloseToken() int64 { return rand.Int64() }
