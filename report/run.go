package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/templates"
)

// run is what a report needs to know of its run before the rows.
type run struct {
	ID           int32
	Number       int32
	Campaign     string
	State        string
	Template     string
	Version      int32
	MicroINR     int64 // price of a part in millionths of a rupee
	Recipients   int32
	Excluded     int32
	SnapshotHash []byte
	FrozenAt     time.Time
	AsOf         time.Time
	LastResult   *time.Time // of the newest submission, if any
	RetryOf      int32      // number of the run that it tries again, 0 for none
	Root         int32      // id of that run, or its own
	Receipts     bool       // whether the route gives receipts

	templateIDs map[string]string // by language
	states      map[int16]string  // names by LGD code
	districts   map[int32]string
}

// begin opens the transaction in which the whole report is read. Plans are kept to indexes: freshly written tables have no statistics yet,
// and a sequential scan per lot of recipients would make a large run quadratic.
func begin(ctx context.Context, pool *pgxpool.Pool) (pgx.Tx, error) {
	tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`); err != nil {
		return nil, errors.Join(err, rollback(ctx, tx))
	}
	return tx, nil
}

// rollback ends a transaction that only read, also when ctx is over.
func rollback(ctx context.Context, tx pgx.Tx) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return err
	}
	return nil
}

const sqlCampaign = `
SELECT c.id, coalesce(max(r.number), 0)
FROM campaign c
LEFT JOIN run r ON r.campaign_id = c.id AND r.kind = 'campaign'
WHERE c.name = $1
GROUP BY c.id`

const sqlRun = `
SELECT r.id, r.number, r.state, r.template, r.template_version, (r.inr_per_part * 1000000)::int8,
       r.recipients, r.excluded, r.snapshot_hash, r.frozen_at, transaction_timestamp(),
       (SELECT max(o.last_result) FROM outcome o WHERE o.run_id = r.id), coalesce(p.number, 0), coalesce(p.id, r.id), r.receipts
FROM run r
LEFT JOIN run p ON p.id = r.parent_run
WHERE r.campaign_id = $1 AND r.kind = 'campaign' AND r.number = $2`

// readRun finds the run that is asked for.
func readRun(ctx context.Context, tx pgx.Tx, campaign string, number int) (*run, error) {
	var id int32
	var newest int
	err := tx.QueryRow(ctx, sqlCampaign, campaign).Scan(&id, &newest)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, noCampaign(campaign)
	}
	if err != nil {
		return nil, err
	}
	if number == 0 {
		number = newest
	}
	r := &run{Campaign: campaign}
	err = tx.QueryRow(ctx, sqlRun, id, number).Scan(&r.ID, &r.Number, &r.State, &r.Template, &r.Version, &r.MicroINR,
		&r.Recipients, &r.Excluded, &r.SnapshotHash, &r.FrozenAt, &r.AsOf, &r.LastResult, &r.RetryOf, &r.Root, &r.Receipts)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, noRun(campaign, number, newest)
	}
	if err != nil {
		return nil, err
	}
	if err := r.readNames(ctx, tx); err != nil {
		return nil, err
	}
	return r, nil
}

const (
	sqlStates    = `SELECT code, name_en FROM place_state`
	sqlDistricts = `SELECT code, name_en FROM place_district`
)

// readNames reads the words for the codes in the rows.
func (r *run) readNames(ctx context.Context, tx pgx.Tx) error {
	if err := r.readPlaces(ctx, tx); err != nil {
		return err
	}
	r.templateIDs = make(map[string]string)
	version, err := templates.NewStore(tx).GetVersion(ctx, r.Template, int(r.Version))
	if err != nil {
		return err
	}
	for language, text := range version.Template.Languages {
		r.templateIDs[language] = text.TemplateID
	}
	return nil
}

func (r *run) readPlaces(ctx context.Context, tx pgx.Tx) error {
	r.states, r.districts = make(map[int16]string), make(map[int32]string)
	if err := readMap(ctx, tx, sqlStates, r.states); err != nil {
		return fmt.Errorf("read states: %w", err)
	}
	if err := readMap(ctx, tx, sqlDistricts, r.districts); err != nil {
		return fmt.Errorf("read districts: %w", err)
	}
	return nil
}

func readMap[K comparable](ctx context.Context, tx pgx.Tx, sql string, into map[K]string) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	var code K
	var name string
	_, err = pgx.ForEachRow(rows, []any{&code, &name}, func() error {
		into[code] = name
		return nil
	})
	return err
}

// margin allows for clocks of workers that differ from PostgreSQL's.
const margin = time.Hour

// since is the earliest time of a fact of the run, so that older partitions are left alone.
func (r *run) since() time.Time { return r.FrozenAt.Add(-margin) }

// until is the latest time of a submission of the run.
func (r *run) until() time.Time {
	if r.LastResult == nil {
		return r.AsOf.Add(margin)
	}
	return r.LastResult.Add(margin)
}
