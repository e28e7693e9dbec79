package campaign

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// HashVerification is what a look at the frozen lists of all runs found.
type HashVerification struct {
	Runs   int64   // whose list is as it was frozen
	Broken []int32 // ids of the runs whose list was altered since, at most a hundred
}

const (
	sqlHashedRuns = `
SELECT id, snapshot_hash
FROM run
WHERE id > $1
ORDER BY id
LIMIT 100`

	mostBroken = 100
)

// VerifyHashes computes the hash of every run's frozen list again and compares it with the one that stands on the run.
// It reads every recipient there is. An altered list is a result, not an error.
func (l *Ledger) VerifyHashes(ctx context.Context) (HashVerification, error) {
	var found HashVerification
	type run struct {
		ID   int32
		Hash []byte
	}
	for after := int32(0); ; {
		rows, err := l.pool.Query(ctx, sqlHashedRuns, after)
		if err != nil {
			return found, fmt.Errorf("list runs after %d: %w", after, err)
		}
		runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[run])
		if err != nil {
			return found, fmt.Errorf("list runs after %d: %w", after, err)
		}
		if len(runs) == 0 {
			return found, nil
		}
		for _, r := range runs {
			whole, err := l.hashOf(ctx, r.ID)
			if err != nil {
				return found, err
			}
			switch {
			case bytes.Equal(whole, r.Hash):
				found.Runs++
			case len(found.Broken) < mostBroken:
				found.Broken = append(found.Broken, r.ID)
			}
			after = r.ID
		}
	}
}

func (l *Ledger) hashOf(ctx context.Context, run int32) (hash []byte, err error) {
	tx, err := l.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("hash run %d: %w", run, err)
	}
	defer func() {
		if ended := tx.Rollback(context.WithoutCancel(ctx)); ended != nil && !errors.Is(ended, pgx.ErrTxClosed) {
			err = errors.Join(err, ended)
		}
	}()
	return HashRun(ctx, tx, run)
}
