package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Incoming is something that came in: a delivery receipt, a message from a person, or a missed call.
type Incoming struct {
	Kind   string // receipt | sms | missed_call
	Centre string // identity of the message centre, "" for a gateway
	Bind   string
	ID     string // the centre's message id, of a receipt
	MSISDN int64  // the person's number, 0 when it is none of ours
	State  string // of a receipt: delivered, failed, expired, or "" for an intermediate one
	Err    string
	Raw    []byte // as it came
	// Where the submission is still remembered, it is named here; Run is 0 otherwise.
	Run, Seq int32
	Part     int16
}

const sqlChunk = `
INSERT INTO inbox_chunk (at)
VALUES ($1)
RETURNING id`

var inboxColumns = []string{"chunk", "line", "kind", "centre", "bind", "smsc_id", "msisdn", "state", "err", "raw", "at", "run_id", "seq", "part"}

// AppendInbox writes what came in, as it came, in the caller's transaction: with the suppressions that
// it means, and before anything is acknowledged.
func AppendInbox(ctx context.Context, tx pgx.Tx, incoming []Incoming, at time.Time) error {
	at = at.Truncate(time.Microsecond)
	var chunk int64
	if err := tx.QueryRow(ctx, sqlChunk, at).Scan(&chunk); err != nil {
		return fmt.Errorf("open an inbox chunk: %w", err)
	}
	row := make([]any, len(inboxColumns))
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"inbox"}, inboxColumns,
		pgx.CopyFromSlice(len(incoming), func(i int) ([]any, error) {
			in := &incoming[i]
			row[0], row[1], row[2], row[3], row[4], row[5] = chunk, int32(i), in.Kind, in.Centre, in.Bind, in.ID
			row[6], row[7], row[8], row[9], row[10] = in.MSISDN, in.State, in.Err, in.Raw, at
			row[11], row[12], row[13] = nil, nil, nil
			if in.Run != 0 {
				row[11], row[12], row[13] = in.Run, in.Seq, in.Part
			}
			return row, nil
		}))
	if err != nil {
		return fmt.Errorf("append to the inbox: %w", err)
	}
	return nil
}
