package campaign

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	// Waits for the transaction of an attempt whose answer was lost. Nobody else wants the row of a closed stride.
	sqlLateTurn = `
SELECT close_token
FROM stride
WHERE id = $1
FOR UPDATE`

	sqlAppendedBefore = `
SELECT count(*)
FROM submission
WHERE run_id = $1 AND seq = $2 AND stride_id = $3 AND part = $4 AND result = $5 AND at = $6`
)

// onlyOnce gives errRecorded when a result of a closed stride, which this transaction has just appended, stood there
// before: an attempt whose answer was lost did take effect. No token tells it, since the stride bears that of whoever closed
// it; the result's own time does.
func onlyOnce(ctx context.Context, tx pgx.Tx, s *Stride, r PartResult) error {
	var closedBy *int64
	if err := tx.QueryRow(ctx, sqlLateTurn, s.ID).Scan(&closedBy); err != nil {
		return fmt.Errorf("wait for the stride: %w", err)
	}
	var rows int
	if err := tx.QueryRow(ctx, sqlAppendedBefore, s.Run, r.Seq, s.ID, r.Part, string(r.Result), r.At).Scan(&rows); err != nil {
		return fmt.Errorf("look for an earlier attempt: %w", err)
	}
	if rows > 1 {
		return errRecorded
	}
	return nil
}
