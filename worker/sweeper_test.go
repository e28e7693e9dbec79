package worker

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/campaign"
	"pukar/internal/testenv"
)

const (
	sqlSweptCampaign = `
INSERT INTO campaign (name, source, state, actor)
VALUES ('swept', '', 'launched', 'test')
RETURNING id`

	sqlSweptRun = `
INSERT INTO run (campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown, receipts, receipt_wait,
                 inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at, finished_at)
VALUES ($1, 1, $2, $3, '{}', 'intro', 1, 'main', 'urgent', 'hold', true, '1 hour', 0, 1, 0, '', 'test', $4, $4, $5)
RETURNING id`

	sqlSweptBatch = `
INSERT INTO batch (run_id, no, lo, hi, sent_upto)
VALUES ($1, 0, 1, 1, 0)`

	sqlSweptOutcome = `
INSERT INTO outcome (run_id, block, facts, counts, last_result)
VALUES ($1, 0, $2, $3, $4)`
)

// TestSweepEndsWhatIsOverdue gives the sweeper an old test that never left, and a cancelled run whose receipt never came.
func TestSweepEndsWhatIsOverdue(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testenv.DB(t)
	ledger := campaign.NewLedger(db)
	s := &Sweeper{Pool: db, Ledger: ledger, ResponseTimeout: 10 * time.Second, Log: testenv.Logger(t)}
	now := time.Now()
	old := now.Add(-2 * time.Hour)

	var id, test, cancelled int32
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, sqlSweptCampaign).Scan(&id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlSweptRun, id, "test", "running", old, nil).Scan(&test); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlSweptRun, id, "campaign", "cancelled", old, old).Scan(&cancelled); err != nil {
			return err
		}
		pending := campaign.EncodeBlock([]campaign.Facts{{}})
		sent := campaign.EncodeBlock([]campaign.Facts{{Parts: 1, Accepted: campaign.Part(1)}})
		if _, err := tx.Exec(ctx, sqlSweptBatch, test); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlSweptOutcome, test, pending, []int32{1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlSweptOutcome, cancelled, sent, []int32{0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, old)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.sweep(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	run, err := ledger.Run(ctx, test)
	if err != nil || run.State != campaign.RunCancelled {
		t.Errorf("the old test is %+v, %v, want it cancelled", run, err)
	}
	for run, want := range map[int32]campaign.Totals{test: {Skipped: 1}, cancelled: {NoReceipt: 1}} {
		if totals, err := ledger.Totals(ctx, run); err != nil || totals != want {
			t.Errorf("totals of run %d are %+v (%v), want %+v", run, totals, err, want)
		}
	}
}

// TestRunsThatWaitTakeLittleOfTheSweeper has many runs that await receipts, and one that is to be paused.
func TestRunsThatWaitTakeLittleOfTheSweeper(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testenv.DB(t)
	s := &Sweeper{Pool: db, Ledger: campaign.NewLedger(db), ResponseTimeout: 10 * time.Second, Log: testenv.Logger(t)}
	var id, pausing, settling int32
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, sqlSweptCampaign).Scan(&id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlSweptRun, id, "test", "pausing", time.Now(), nil).Scan(&pausing); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlSweptRun, id, "campaign", "settling", time.Now(), nil).Scan(&settling); err != nil {
			return err
		}
		sent := campaign.EncodeBlock([]campaign.Facts{{Parts: 1, Accepted: campaign.Part(1)}})
		_, err := tx.Exec(ctx, sqlSweptOutcome, settling, sent, []int32{0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := s.sweep(ctx, now); err != nil {
		t.Fatal(err)
	}
	if !s.waitingAt.After(now) {
		t.Errorf("what waits is looked at again after %v", s.waitingAt.Sub(now))
	}
	next := now.Add(time.Second)
	s.waitingAt = next
	if _, err := db.Exec(ctx, `UPDATE run SET state = 'pausing' WHERE id = $1`, pausing); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, `UPDATE outcome SET counts = ARRAY[0, 0, 0, 0, 0, 0, 1, 0, 0, 0] WHERE run_id = $1`, settling); err != nil {
		t.Fatal(err)
	}
	for _, round := range []struct {
		at       time.Time
		settling campaign.RunState
	}{{next.Add(-time.Nanosecond), campaign.RunSettling}, {next, campaign.RunDone}} {
		if err := s.sweep(ctx, round.at); err != nil {
			t.Fatal(err)
		}
		for run, want := range map[int32]campaign.RunState{pausing: campaign.RunPaused, settling: round.settling} {
			if got, err := s.Ledger.Run(ctx, run); err != nil || got.State != want {
				t.Errorf("run %d is %+v, %v, want it %s", run, got, err, want)
			}
		}
	}
}
