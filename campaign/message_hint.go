package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// RunHint is a hint with the run that it is for.
type RunHint struct {
	Run int32
	Hint
}

// A hint for a message that nobody answers is given again after half a second, then after twice as long each
// time: somebody waits for the message, and a queue that was emptied must not cost her half a minute.
const messageHintAfter = 500 * time.Millisecond

// messageHints bounds how many messages one round hints, so that a route that is away does not flood the queue.
const messageHints = 100

const sqlHintMessages = `
WITH open AS MATERIALIZED (
    SELECT r.id
    FROM run r
    JOIN message m ON m.run_id = r.id
    WHERE r.kind = 'message' AND r.state = 'running' AND m.category = ANY ($1) AND m.expires_at > $2
), next AS (
    SELECT b.run_id, b.no
    FROM open
    JOIN batch b ON b.run_id = open.id
    WHERE b.state = 'ready'
      AND (b.lease_until < now()
           OR (b.lease_until IS NULL
               AND (b.hinted_at IS NULL OR b.hinted_at <= now() - least($3::interval, $4::interval * power(2, least(greatest(b.hint_no - 1, 0), 10))))))
      AND (b.not_before IS NULL OR b.not_before <= now())
      AND (b.sent_upto < b.hi
           OR EXISTS (SELECT 1 FROM redo r WHERE r.run_id = b.run_id AND r.batch = b.no AND r.not_before <= now()))
    ORDER BY greatest(b.hinted_at, b.not_before) NULLS FIRST, b.run_id -- none is passed by others for ever, whether it rested or its hint was lost
    LIMIT $5
    FOR UPDATE OF b SKIP LOCKED
)
UPDATE batch b
SET hint_no = b.hint_no + 1, hinted_at = now(), lease_until = NULL, holder = NULL
FROM next
WHERE b.run_id = next.run_id AND b.no = next.no
RETURNING b.run_id, b.no, b.hint_no`

// NextMessageHints raises the hint numbers of messages that have to leave and that nobody is at, those first
// that waited longest, in one statement. Messages outside their legal hours are left alone.
func (l *Ledger) NextMessageHints(ctx context.Context, now time.Time) ([]RunHint, error) {
	rows, err := l.pool.Query(ctx, sqlHintMessages, openCategories(now), now, hintAfter, messageHintAfter, messageHints)
	if err != nil {
		return nil, fmt.Errorf("hint messages: %w", err)
	}
	hints, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h RunHint, err error) {
		return h, row.Scan(&h.Run, &h.Batch, &h.No)
	})
	if err != nil {
		return nil, fmt.Errorf("hint messages: %w", err)
	}
	return hints, nil
}

// openCategories lists the categories of templates that may be sent now.
func openCategories(now time.Time) []string {
	var open []string
	for _, category := range []string{templates.Promotional, templates.Service, templates.Transactional, templates.Government} {
		if _, ok := LegalWindow(category).Open(now); ok {
			open = append(open, category)
		}
	}
	return open
}
