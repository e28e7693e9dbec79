package campaign

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cap is how often somebody may be written to, by all campaigns together: so many messages within the
// period before. The zero Cap is none.
type Cap struct {
	Messages int           `json:"messages"`
	Period   time.Duration `json:"period"`
}

// IsZero reports that there is no cap.
func (c Cap) IsZero() bool { return c == Cap{} }

// String writes a cap as a campaign file has it, "" for none.
func (c Cap) String() string {
	if c.IsZero() {
		return ""
	}
	n, unit := int64(c.Period/time.Hour), "hour"
	if c.Period%day == 0 {
		n, unit = int64(c.Period/day), "day"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d sms / %d %s", c.Messages, n, unit)
}

// Bounds of a cap. Facts older than a year are nobody's guard.
const (
	capMostMessages = 1000
	capLongest      = 366 * day
)

var capForm = regexp.MustCompile(`^(\d{1,6})\s*sms\s*/\s*(\d{1,6})\s*(hour|day)s?$`)

// parseCap reads caps.per_contact, such as "4 sms / 7 days".
func parseCap(text string) (Cap, error) {
	parts := capForm.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return Cap{}, fmt.Errorf("%q: write how many within which time, such as 4 sms / 7 days or 1 sms / 24 hours", text)
	}
	messages, _ := strconv.Atoi(parts[1]) // up to six digits
	units, _ := strconv.Atoi(parts[2])
	unit := time.Hour
	if parts[3] == "day" {
		unit = day
	}
	switch period := time.Duration(units) * unit; {
	case messages < 1 || messages > capMostMessages:
		return Cap{}, fmt.Errorf("%q: the number of messages is 1 to %d", text, capMostMessages)
	case units < 1 || period > capLongest:
		return Cap{}, fmt.Errorf("%q: the time is 1 hour to %d days", text, capLongest/day)
	default:
		return Cap{Messages: messages, Period: period}, nil
	}
}

// sqlReached is a format for the condition that the messages of other runs have reached a cap. It takes the
// SQL of the number, of the cap's messages and period, and a condition on the other's row o and run x that
// leaves more of them out. A message counts once the centre accepted a part of it or may have, and while it is
// in a stride that is open; tests do not count. Every table is probed by its index for one person after
// another: the scalar subqueries keep the planner from joining through everything that was ever sent, for
// which it has reason whenever a table has no statistics yet. The times of a run narrow the days that are
// looked at; an hour allows for the clocks of workers.
const sqlReached = `(
    SELECT count(*)
    FROM (SELECT 1
          FROM recipient o
          CROSS JOIN LATERAL (SELECT x.kind, x.frozen_at, x.finished_at, coalesce(x.parent_run, x.id) AS root FROM run x WHERE x.id = o.run_id OFFSET 0) x
          WHERE o.msisdn = %[1]s AND x.kind <> 'test' AND %[4]s
            AND coalesce(x.finished_at, 'infinity') > now() - %[3]s::interval
            AND ((SELECT true
                  FROM submission s
                  WHERE s.run_id = o.run_id AND s.seq = o.seq AND s.result IN ('accepted', 'unknown')
                    AND s.at > now() - %[3]s::interval
                    AND s.at >= x.frozen_at - interval '1 hour'
                    AND s.at <= coalesce(x.finished_at, 'infinity') + interval '1 hour'
                  LIMIT 1)
              OR (SELECT true
                  FROM stride t
                  WHERE t.run_id = o.run_id AND t.closed_at IS NULL
                    AND CASE t.kind WHEN 'first' THEN o.seq BETWEEN t.lo AND t.hi ELSE o.seq = ANY (t.seqs) END
                    AND (SELECT true FROM skip k WHERE k.run_id = o.run_id AND k.seq = o.seq LIMIT 1) IS NULL
                  LIMIT 1))
          LIMIT %[2]s::int4) reached) >= %[2]s::int4`

// Openings of runs with a cap go one after another: two that do not see each other's strides would both write
// to the same person. The lock ends with the transaction; a process that is stopped within it loses its
// session soon, so that it does not hold up the others.
const (
	sqlCapLock = `SELECT pg_advisory_xact_lock(7821063)`

	sqlCapPatience = `SET LOCAL idle_in_transaction_session_timeout = '3s'`
)

var sqlCapped = `
WITH own AS (
    SELECT coalesce(parent_run, id) AS root
    FROM run
    WHERE id = $1
)
SELECT r.seq
FROM recipient r
WHERE r.run_id = $1 AND r.seq = ANY ($2)
  AND CASE WHEN ` + fmt.Sprintf(sqlReached, "r.msisdn", "$3", "$4", "x.root <> (SELECT root FROM own)") + `
      THEN NOT EXISTS (SELECT FROM submission s WHERE s.run_id = $1 AND s.seq = r.seq AND s.result IN ('accepted', 'unknown'))
      ELSE false END`

// capped answers who of the recipients has got as many messages of other runs as the cap allows, and keeps
// every other run with a cap from opening a stride until the transaction ends. Whose own message is out in
// part is not among them: the rest of it follows. Without a cap it costs nothing.
func capped(ctx context.Context, tx pgx.Tx, run int32, limit Cap, seqs []int32) ([]int32, error) {
	if limit.IsZero() || len(seqs) == 0 {
		return nil, nil
	}
	var batch pgx.Batch
	batch.Queue(sqlCapPatience)
	batch.Queue(sqlCapLock)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("wait for other runs with a cap: %w", err)
	}
	// A statement of its own, which sees what was committed before the lock was had.
	rows, err := tx.Query(ctx, sqlCapped, run, seqs, limit.Messages, limit.Period)
	if err != nil {
		return nil, fmt.Errorf("count messages of others: %w", err)
	}
	reached, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return nil, fmt.Errorf("count messages of others: %w", err)
	}
	return reached, nil
}

// Cap is how often this run may write to somebody. A test goes to a listed number, whatever else went there.
func (r *Run) Cap() Cap {
	if r.Kind == "test" {
		return Cap{}
	}
	return r.Spec.PerContact
}

// fresh lists the recipients of a stride who can still be spared, as far as the stride itself knows.
func (s *Stride) fresh() []int32 {
	var seqs []int32
	if s.Cap.IsZero() && s.Root == 0 {
		return nil
	}
	for _, p := range s.Redo {
		if p.Bind == "" {
			seqs = append(seqs, p.Seq)
		}
	}
	for i, parts := range s.PartCounts {
		if s.Kind == "first" && parts > 0 {
			seqs = append(seqs, s.Lo+int32(i))
		}
	}
	return seqs
}

// leaveOut adds to the skips of a stride who said stop, who has reached the cap and whom another attempt reached, and
// answers all to whom nothing may be sent for one of these.
func (s *Stride) leaveOut(skips []Skip, stopped, capped, reached []int32) (all []Skip, silent []int32) {
	for _, why := range []struct {
		seqs           []int32
		reason, detail string
	}{{stopped, reasonSuppressed, ""}, {capped, reasonContactCap, s.Cap.String()}, {reached, reasonCancelled, reachedDetail}} {
		for _, seq := range why.seqs {
			if !slices.Contains(silent, seq) {
				skips = append(skips, Skip{Seq: seq, Reason: why.reason, Detail: why.detail})
				silent = append(silent, seq)
			}
		}
	}
	return skips, silent
}
