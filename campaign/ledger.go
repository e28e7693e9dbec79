package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/mark"
)

// Ledger is the send ledger of every run: who gets what, what may have left, what came back. It
// appends facts and works in sets; nothing else in the program writes its tables.
type Ledger struct {
	pool     *pgxpool.Pool
	volatile bool   // tests alone: see AllowVolatile
	origin   string // see SendOnlyUnder
	least    func() mark.LSN
}

// NewLedger works on the given pool. The ledger needs its own transactions, because what follows
// from a COMMIT whose answer was lost must be read again on another connection.
func NewLedger(pool *pgxpool.Pool) *Ledger { return &Ledger{pool: pool} }

// Run is what a sender must know of a run. All of it was fixed at the freeze, except State.
type Run struct {
	ID              int32
	Campaign        string
	CampaignID      int32
	Number          int32
	Kind            string // campaign | test | message
	State           RunState
	Spec            Spec
	Template        string
	TemplateVersion int
	Route           string
	Priority        string
	OnUnknown       string
	Receipts        bool
	Recipients      int32
	Root            int32     // of a retry: the id of the first run; 0 for other runs
	ExpiresAt       time.Time // of a message: what has not left by then never does; zero for other runs
}

// Window is when this run may submit: what the campaign asks for and the category's law, both, without the given
// holidays that the campaign keeps. A test to a listed number and a single message keep the law only.
func (r *Run) Window(category string, holidays *Holidays) Window {
	legal := LegalWindow(category)
	if r.Kind == "test" || r.Kind == KindMessage {
		return legal
	}
	return r.Spec.Window.Keeping(holidays).Intersect(legal)
}

const sqlRun = `
SELECT r.id, c.name, c.id, r.number, r.kind, r.state, r.spec, r.template, r.template_version, r.route,
       r.priority, r.on_unknown, r.receipts, r.recipients, coalesce(r.parent_run, 0),
       (SELECT expires_at FROM message WHERE run_id = r.id)
FROM run r
JOIN campaign c ON c.id = r.campaign_id
WHERE r.id = $1`

// Run reads one run. A number that is not there is ErrNotFound.
func (l *Ledger) Run(ctx context.Context, id int32) (*Run, error) {
	var r Run
	var spec []byte
	var expires *time.Time
	err := l.pool.QueryRow(ctx, sqlRun, id).Scan(&r.ID, &r.Campaign, &r.CampaignID, &r.Number, &r.Kind, &r.State, &spec,
		&r.Template, &r.TemplateVersion, &r.Route, &r.Priority, &r.OnUnknown, &r.Receipts, &r.Recipients, &r.Root, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound("there is no run %d", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read run %d: %w", id, err)
	}
	if expires != nil {
		r.ExpiresAt = *expires
	}
	if err := json.Unmarshal(spec, &r.Spec); err != nil {
		return nil, fmt.Errorf("read the campaign of run %d: %w", id, err)
	}
	return &r, nil
}

const (
	sqlPartitions = `
SELECT parent, to_char(day, 'YYYYMMDD'), to_char(day, 'YYYY-MM-DD'), to_char(day + interval '1 day', 'YYYY-MM-DD')
FROM unnest(ARRAY['submission', 'inbox']) parent,
     generate_series(date_trunc('day', $1::timestamptz AT TIME ZONE 'UTC') - interval '1 day',
                     date_trunc('day', $1::timestamptz AT TIME ZONE 'UTC') + interval '7 days', interval '1 day') day
WHERE to_regclass(parent || '_' || to_char(day, 'YYYYMMDD')) IS NULL`

	// Attaching wants the default partition for itself. Whoever reads it for long must not make everybody
	// else queue behind that; there is a week to try again.
	sqlPartitionPatience = `SET LOCAL lock_timeout = '1s'`

	// One process makes partitions at a time; the number is arbitrary and only this uses it.
	sqlPartitionLock = `SELECT pg_advisory_xact_lock(7821001)`
)

// EnsurePartitions makes the daily partitions of submission and inbox from yesterday to a week ahead.
// Facts whose day has none land in the default partition and are not lost; a day that has some there
// already stays there.
func (l *Ledger) EnsurePartitions(ctx context.Context, now time.Time) error {
	return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlPartitionLock); err != nil {
			return fmt.Errorf("lock for partitions: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlPartitionPatience); err != nil {
			return fmt.Errorf("lock for partitions: %w", err)
		}
		rows, err := tx.Query(ctx, sqlPartitions, now)
		if err != nil {
			return fmt.Errorf("list partitions: %w", err)
		}
		type partition struct{ Table, Name, From, To string }
		missing, err := pgx.CollectRows(rows, pgx.RowToStructByPos[partition])
		if err != nil {
			return fmt.Errorf("list partitions: %w", err)
		}
		for _, p := range missing {
			if err := makePartition(ctx, tx, p.Table, p.Name, p.From, p.To); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkViolation is PostgreSQL's answer when the default partition holds rows of the day.
const checkViolation = "23514"

// makePartition attaches a table made beside the parent: unlike CREATE TABLE … PARTITION OF, that does not
// lock out everybody who writes to it.
func makePartition(ctx context.Context, tx pgx.Tx, table, name, from, to string) error {
	sql := fmt.Sprintf(`
CREATE TABLE %[1]s_%[2]s (LIKE %[1]s INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE %[1]s ATTACH PARTITION %[1]s_%[2]s FOR VALUES FROM ('%[3]s 00:00:00+00') TO ('%[4]s 00:00:00+00')`,
		table, name, from, to)
	err := pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) error {
		_, err := savepoint.Exec(ctx, sql)
		return err
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == checkViolation {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make partition %s_%s: %w", table, name, err)
	}
	return nil
}
