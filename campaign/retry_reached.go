package campaign

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Whom an earlier attempt reached after all is skipped with these words.
const (
	reasonCancelled = "cancelled"
	reachedDetail   = "an earlier attempt has reached this person, or its receipt is awaited, since the retry was made"
)

// Whose own message is out in part gets the rest of it.
const sqlEarlierAttempts = `
SELECT r.seq, substring(o.facts FROM (f.seq - 1) % $4::int4 * $5::int4 + 1 FOR $5::int4)
FROM recipient r
JOIN run x ON (x.id = $3 OR x.parent_run = $3) AND x.id <> r.run_id
JOIN recipient f ON f.run_id = x.id AND f.msisdn = r.msisdn
JOIN outcome o ON o.run_id = f.run_id AND o.block = (f.seq - 1) / $4::int4
WHERE r.run_id = $1 AND r.seq = ANY ($2)
  AND NOT EXISTS (SELECT FROM submission s WHERE s.run_id = $1 AND s.seq = r.seq AND s.result IN ('accepted', 'unknown'))`

// reachedMeanwhile answers who of the recipients of a retry needs none any more: a retry may wait for its window for
// days, and a receipt or a response of an earlier attempt come meanwhile. root is the first run; 0 is no retry, and
// costs nothing.
func reachedMeanwhile(ctx context.Context, tx pgx.Tx, run, root int32, seqs []int32) ([]int32, error) {
	if root == 0 || len(seqs) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, sqlEarlierAttempts, run, seqs, root, BlockSize, factsSize)
	if err != nil {
		return nil, fmt.Errorf("look at earlier attempts: %w", err)
	}
	var reached []int32
	var seq int32
	var packed []byte
	if _, err := pgx.ForEachRow(rows, []any{&seq, &packed}, func() error {
		if len(packed) != factsSize {
			return fmt.Errorf("recipient %d has no outcome", seq)
		}
		if state := decodeFacts(packed).State(); state == Delivered || state == Sent {
			reached = append(reached, seq)
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("look at earlier attempts: %w", err)
	}
	return reached, nil
}
