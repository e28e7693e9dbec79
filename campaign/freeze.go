package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// frozen is a run as the freeze made it.
type frozen struct {
	run        int32
	recipients int32
	excluded   int32
	hash       []byte
}

const (
	sqlNextRun = `SELECT nextval(pg_get_serial_sequence('run', 'id'))::int4`

	// One statement sees one moment of the register, whatever else is going on: nobody can fall between
	// the recipients and the excluded, or be in both.
	sqlFreeze = `
, kept AS (
    INSERT INTO recipient (run_id, seq, contact_id, msisdn, msisdn_key, language, vars, home_state, home_district)
    SELECT %[1]s, row_number() OVER (ORDER BY id), id, msisdn, msisdn_key, language, vars, home_state, home_district
    FROM decided
    WHERE reason IS NULL
    RETURNING 1
), left_out AS (
    INSERT INTO exclusion (run_id, contact_id, msisdn, language, home_state, home_district, reason)
    SELECT %[1]s, id, msisdn, language, home_state, home_district, reason
    FROM decided
    WHERE reason IS NOT NULL
    RETURNING 1
)
SELECT (SELECT count(*) FROM kept)::int4, (SELECT count(*) FROM left_out)::int4`

	// Hashing by the thousand keeps the text that is aggregated small. The keyed hash of the number
	// stands in for the number and the values are left out, so that the hash outlives an erasure.
	sqlHashRun = `
SELECT sha256(convert_to(string_agg(seq || ':' || msisdn_key || ':' || language, ',' ORDER BY seq), 'UTF8'))
FROM recipient
WHERE run_id = $1
GROUP BY (seq - 1) / 1000
ORDER BY min(seq)`

	sqlBatches = `
INSERT INTO batch (run_id, no, lo, hi, sent_upto)
SELECT $1, no, no * $3 + 1, least((no + 1) * $3, $2), no * $3
FROM generate_series(0, ($2 - 1) / $3) no`

	sqlOutcomeBlocks = `
INSERT INTO outcome (run_id, block, facts, counts)
SELECT $1, b.block, decode(repeat('00', 16 * b.size), 'hex'), ARRAY[b.size, 0, 0, 0, 0, 0, 0, 0, 0, 0]
FROM (SELECT block, least($3, $2 - block * $3) AS size
      FROM generate_series(0, ($2 - 1) / $3) block) b`
)

// freeze copies who is to be written to, and who is left out, into a new run.
func freeze(ctx context.Context, tx pgx.Tx, s *selection) (*frozen, error) {
	f := &frozen{}
	if err := tx.QueryRow(ctx, sqlNextRun).Scan(&f.run); err != nil {
		return nil, fmt.Errorf("number a run: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlNoNestedLoops); err != nil {
		return nil, fmt.Errorf("freeze the recipients: %w", err)
	}
	args := arguments{values: append([]any(nil), s.args.values...)}
	run := args.add(f.run)
	err := tx.QueryRow(ctx, s.sql+fmt.Sprintf(sqlFreeze, run+"::int4"), args.values...).Scan(&f.recipients, &f.excluded)
	if err != nil {
		return nil, fmt.Errorf("freeze the recipients: %w", err)
	}
	if f.recipients == 0 {
		return f, nil
	}
	if err := prepareLedger(ctx, tx, f.run, f.recipients); err != nil {
		return nil, err
	}
	if f.hash, err = HashRun(ctx, tx, f.run); err != nil {
		return nil, err
	}
	return f, nil
}

// prepareLedger makes the batches and the outcome of a run with everybody pending.
func prepareLedger(ctx context.Context, tx pgx.Tx, run, recipients int32) error {
	if _, err := tx.Exec(ctx, sqlBatches, run, recipients, batchSize(recipients)); err != nil {
		return fmt.Errorf("make the batches of run %d: %w", run, err)
	}
	if _, err := tx.Exec(ctx, sqlOutcomeBlocks, run, recipients, int32(BlockSize)); err != nil {
		return fmt.Errorf("make the outcome of run %d: %w", run, err)
	}
	return nil
}

// batchSize is how many of a run's recipients share a batch: a small run is parted too, so that several handlers
// work on it at once, but no two batches share a block of outcome.
func batchSize(recipients int32) int32 {
	blocks := recipients / (2 * HintsPerRun) / BlockSize
	return min(BatchSize, max(1, blocks)*BlockSize)
}

// HashRun computes the SHA-256 that stands on a run: over the hashes of each thousand of its recipients
// in order, of their place, keyed number and language.
func HashRun(ctx context.Context, tx pgx.Tx, run int32) ([]byte, error) {
	rows, err := tx.Query(ctx, sqlHashRun, run)
	if err != nil {
		return nil, fmt.Errorf("hash run %d: %w", run, err)
	}
	whole := sha256.New()
	var block []byte
	if _, err := pgx.ForEachRow(rows, []any{&block}, func() error {
		_, err := whole.Write(block)
		return err
	}); err != nil {
		return nil, fmt.Errorf("hash run %d: %w", run, err)
	}
	return whole.Sum(nil), nil
}

const sqlInsertRun = `
INSERT INTO run (id, campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown,
                 receipts, receipt_wait, inr_per_part, recipients, excluded, snapshot_hash, forecast, actor, frozen_at, started_at)
OVERRIDING SYSTEM VALUE
SELECT $1, $2, coalesce(max(number), 0) + 1, $3, 'running', $4, $5, $6, $7, $8, $9, $10, $11, $12::numeric, $13, $14, $15, $16, $17, $18, $18
FROM run
WHERE campaign_id = $2 AND kind = $3
RETURNING number`

// insertRun writes the run itself, numbered after the last of its kind.
func insertRun(ctx context.Context, tx pgx.Tx, l *loaded, kind string, route RouteTerms, f *frozen, forecast any, actor string) (number int32, err error) {
	specJSON, err := json.Marshal(l.spec)
	if err != nil {
		return 0, fmt.Errorf("encode the campaign: %w", err)
	}
	forecastJSON, err := json.Marshal(forecast)
	if err != nil {
		return 0, fmt.Errorf("encode the forecast: %w", err)
	}
	err = tx.QueryRow(ctx, sqlInsertRun, f.run, l.campaign.ID, kind, specJSON, l.spec.SMS.Template, l.version, route.Name, l.spec.Priority,
		l.spec.OnUnknown, route.Receipts, l.spec.ReceiptWait, priceOf(route.INRPerPart), f.recipients, f.excluded, f.hash, forecastJSON, actor, l.at).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("write run %d: %w", f.run, err)
	}
	if err := ensureBudget(ctx, tx, l.campaign.ID, l.spec.BudgetINR); err != nil {
		return 0, err
	}
	return number, refuseAfterRestore(ctx, tx)
}

func priceOf(r templates.Rupees) string { return r.String() }
