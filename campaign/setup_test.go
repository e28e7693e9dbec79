package campaign

import (
	"context"
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/internal/testenv"
)

const (
	testPurpose = "ration portability"
	testCentre  = "centre"
	firstNumber = 919800000001 // of recipient 1 of every run: two runs write to the same people
)

func numberOf(seq int32) int64 { return firstNumber + int64(seq) - 1 }

// keyOf stands in for the keyed hash, which the ledger never computes.
func keyOf(seq int32) int64 { return 31 * numberOf(seq) }

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// office is a ledger on a database of its own. Its methods fail the test that they are given.
type office struct {
	db     *pgxpool.Pool
	ledger *Ledger
}

func newOffice(t testing.TB) *office {
	t.Helper()
	db := testenv.DB(t)
	ledger := NewLedger(db)
	ledger.AllowVolatile() // the servers of tests are
	return &office{db: db, ledger: ledger}
}

// terms are those of a run that no freeze made; zero fields are the usual.
type terms struct {
	recipients int32
	batch      int32 // recipients of a batch
	onUnknown  string
	priority   string
	noReceipts bool
	wait       time.Duration
	state      RunState
}

const (
	sqlTestCampaign = `
INSERT INTO campaign (name, source, state, actor)
SELECT 'campaign-' || count(*), '', 'launched', 'test'
FROM campaign
RETURNING id`

	sqlTestRun = `
INSERT INTO run (campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown, receipts,
                 receipt_wait, inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at)
VALUES ($1, 1, 'campaign', $2, '{}', 'intro', 1, 'main', $3, $4, $5, $6, 0, $7, 0, '', 'test', now(), now())
RETURNING id`

	sqlTestRecipients = `
INSERT INTO recipient (run_id, seq, contact_id, msisdn, msisdn_key, language, vars)
SELECT $1, seq, seq, $3::int8 + seq - 1, 31 * ($3::int8 + seq - 1), 'en', '{Asha}'
FROM generate_series(1, $2) seq`

	sqlTestBatches = `
INSERT INTO batch (run_id, no, lo, hi, sent_upto)
SELECT $1, no, no * $3 + 1, least((no + 1) * $3, $2), no * $3
FROM generate_series(0, ($2 - 1) / $3) no`
)

// newRun writes a run with everybody pending.
func (o *office) newRun(t tester, with terms) int32 {
	t.Helper()
	orElse := func(s, usual string) string {
		if s == "" {
			return usual
		}
		return s
	}
	if with.wait == 0 {
		with.wait = time.Hour
	}
	if with.batch == 0 {
		with.batch = BatchSize
	}
	ctx := context.Background()
	var run int32
	err := pgx.BeginFunc(ctx, o.db, func(tx pgx.Tx) error {
		var id int32
		if err := tx.QueryRow(ctx, sqlTestCampaign).Scan(&id); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, sqlTestRun, id, orElse(string(with.state), "running"), orElse(with.priority, "normal"),
			orElse(with.onUnknown, "hold"), !with.noReceipts, with.wait, with.recipients).Scan(&run)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlTestRecipients, run, with.recipients, int64(firstNumber)); err != nil {
			return err
		}
		if err := prepareLedger(ctx, tx, run, with.recipients); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM batch WHERE run_id = $1`, run); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlTestBatches, run, with.recipients, with.batch)
		return err
	})
	if err != nil {
		t.Fatalf("make a run: %v", err)
	}
	return run
}

func (o *office) exec(t tester, sql string, args ...any) int64 {
	t.Helper()
	tag, err := o.db.Exec(context.Background(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return tag.RowsAffected()
}

// one reads a single value.
func one[T any](t tester, o *office, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := o.db.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func (o *office) claim(t tester, run, batch int32) *Lease {
	t.Helper()
	lease, err := o.ledger.Claim(context.Background(), run, batch, "test")
	if err != nil {
		t.Fatalf("claim batch %d of run %d: %v", batch, run, err)
	}
	return lease
}

// firstStride is a stride over the next recipients of the lease, with so many parts each.
func firstStride(lease *Lease, parts ...byte) *Stride {
	s := &Stride{
		Run: lease.Run, Batch: lease.Batch, Kind: "first", Lo: lease.SentUpto + 1, Hi: lease.SentUpto + int32(len(parts)),
		PartCounts: parts, Route: "main", Bind: "main-1", Centre: testCentre,
	}
	for _, n := range parts {
		s.Parts += int(n)
	}
	return s
}

// open opens a stride over the next recipients of the lease.
func (o *office) open(t tester, lease *Lease, parts ...byte) *Stride {
	t.Helper()
	s := firstStride(lease, parts...)
	if _, err := o.ledger.OpenFirst(context.Background(), lease, s, testPurpose, nil, 0); err != nil {
		t.Fatalf("open a stride: %v", err)
	}
	return s
}

// redoStride is a stride over parts that are due, each of a message of so many parts.
func redoStride(lease *Lease, due []RedoPart, parts byte) *Stride {
	s := &Stride{
		Run: lease.Run, Batch: lease.Batch, Kind: "redo", Lo: due[0].Seq, Hi: due[0].Seq, Redo: due, Parts: len(due),
		PartCounts: slices.Repeat([]byte{parts}, len(due)), Route: "main", Bind: "main-1", Centre: testCentre,
	}
	for _, p := range due {
		s.Lo, s.Hi = min(s.Lo, p.Seq), max(s.Hi, p.Seq)
	}
	return s
}

// openRedo opens a stride over everything that is due in the leased batch.
func (o *office) openRedo(t tester, lease *Lease, parts byte) *Stride {
	t.Helper()
	due := o.due(t, lease)
	if len(due) == 0 {
		t.Fatalf("nothing is due in batch %d", lease.Batch)
	}
	s := redoStride(lease, due, parts)
	if _, err := o.ledger.OpenRedo(context.Background(), lease, s, testPurpose, nil, 0); err != nil {
		t.Fatalf("open a redo stride: %v", err)
	}
	return s
}

func (o *office) due(t tester, lease *Lease) []RedoPart {
	t.Helper()
	due, err := o.ledger.ReadRedo(context.Background(), lease, nil, 1000)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return due
}

// resultsOf gives every part of a stride the same result, beginning with the ids of what was accepted.
func resultsOf(s *Stride, result Result) []PartResult {
	var results []PartResult
	for p := range s.eachPart(nil) {
		results = append(results, withResult(s, p, result))
	}
	return results
}

func withResult(s *Stride, p PartResult, result Result) PartResult {
	p.Result, p.At = result, time.Now()
	if result == Accepted {
		p.ID = idOf(s.Run, p.Seq, p.Part)
		p.Key = MessageKey(s.Centre, p.ID)
	}
	return p
}

// idOf is the id that the centre gives a part: such as no other reading of an id can meet.
func idOf(run, seq int32, part int16) string {
	return fmt.Sprintf("run%d-seq%d-part%d", run, seq, part)
}

func (o *office) record(t tester, s *Stride, results []PartResult) {
	t.Helper()
	rule := RedoRule{OnUnknown: one[string](t, o, `SELECT on_unknown FROM run WHERE id = $1`, s.Run)}
	if err := o.ledger.Record(context.Background(), s, results, rule); err != nil {
		t.Fatalf("%v", err)
	}
}

// send opens a stride over the next recipients, a part each, and records them all as accepted.
func (o *office) send(t tester, lease *Lease, recipients int) *Stride {
	t.Helper()
	s := o.open(t, lease, slices.Repeat([]byte{1}, recipients)...)
	o.record(t, s, resultsOf(s, Accepted))
	return s
}

// facts reads what is known of every recipient, and holds the counts beside them to it.
func (o *office) facts(t tester, run int32) []Facts {
	t.Helper()
	rows, err := o.db.Query(context.Background(), `SELECT block, facts, counts FROM outcome WHERE run_id = $1 ORDER BY block`, run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var all []Facts
	var block int32
	var packed []byte
	var counts []int32
	_, err = pgx.ForEachRow(rows, []any{&block, &packed, &counts}, func() error {
		facts, err := DecodeBlock(packed)
		if err != nil {
			return err
		}
		recount := make([]int32, stateCount)
		for _, f := range facts {
			recount[f.State()]++
		}
		if !slices.Equal(recount, counts) {
			t.Errorf("block %d of run %d counts %v, its facts say %v", block, run, counts, recount)
		}
		all = append(all, facts...)
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if recipients := one[int](t, o, `SELECT count(*) FROM recipient WHERE run_id = $1`, run); len(all) != recipients {
		t.Errorf("run %d has facts of %d recipients, it has %d", run, len(all), recipients)
	}
	totals, err := o.ledger.Totals(context.Background(), run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if totals.Sum() != int64(len(all)) {
		t.Errorf("the totals of run %d add up to %d of %d: %+v", run, totals.Sum(), len(all), totals)
	}
	return all
}

// states is what became of every recipient, the first at 0.
func (o *office) states(t tester, run int32) []State {
	t.Helper()
	var states []State
	for _, f := range o.facts(t, run) {
		states = append(states, f.State())
	}
	return states
}

// wantStates compares the states of a run with those wanted, beginning with recipient 1.
func (o *office) wantStates(t tester, run int32, want ...State) {
	t.Helper()
	if got := o.states(t, run); !slices.Equal(got, want) {
		t.Errorf("the recipients of run %d are %v, want %v", run, got, want)
	}
}

// stop records that recipient seq said stop to messages of every purpose.
func (o *office) stop(t tester, seq int32) {
	t.Helper()
	o.suppress(t, audience.Suppression{MSISDN: numberOf(seq), Key: keyOf(seq), Scope: audience.ScopeAll})
}

func (o *office) suppress(t tester, s audience.Suppression) {
	t.Helper()
	s.Source, s.Evidence, s.Actor = audience.SourceKeyword, "STOP", "test"
	if _, err := audience.Suppress(context.Background(), o.db, []audience.Suppression{s}); err != nil {
		t.Fatalf("%v", err)
	}
}

// stateOf reads where a run stands.
func (o *office) stateOf(t tester, run int32) RunState {
	t.Helper()
	return one[RunState](t, o, `SELECT state FROM run WHERE id = $1`, run)
}

// move pauses or cancels a run.
func (o *office) move(t tester, run int32, to RunState) bool {
	t.Helper()
	var moved bool
	err := pgx.BeginFunc(context.Background(), o.db, func(tx pgx.Tx) (err error) {
		moved, err = o.ledger.stop(context.Background(), tx, run, to, "test")
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return moved
}

func (o *office) resume(t tester, run int32) bool {
	t.Helper()
	var moved bool
	err := pgx.BeginFunc(context.Background(), o.db, func(tx pgx.Tx) (err error) {
		moved, err = o.ledger.resume(context.Background(), tx, run)
		return err
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return moved
}

// advance moves the run on by one step and answers where it stands.
func (o *office) advance(t tester, run int32) RunState {
	t.Helper()
	for _, open := range o.openRuns(t) {
		if open.ID == run {
			state, err := o.ledger.Advance(context.Background(), open)
			if err != nil {
				t.Fatalf("%v", err)
			}
			if there := o.stateOf(t, run); there != state {
				t.Errorf("Advance says that run %d is %s, it is %s", run, state, there)
			}
			return state
		}
	}
	return o.stateOf(t, run)
}

func (o *office) openRuns(t tester) []OpenRun {
	t.Helper()
	runs, err := o.ledger.OpenRuns(context.Background())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return runs
}

// The clocks below are moved by moving what they are compared with.

func (o *office) ageLeases(t tester, run int32) {
	t.Helper()
	o.exec(t, `UPDATE batch SET lease_until = now() - interval '1 second' WHERE run_id = $1 AND lease_until IS NOT NULL`, run)
}

func (o *office) ageRedo(t tester, run int32) {
	t.Helper()
	o.exec(t, `UPDATE redo SET not_before = now() - interval '1 second' WHERE run_id = $1`, run)
}

func (o *office) ageStrides(t tester, run int32) {
	t.Helper()
	o.exec(t, `UPDATE stride SET send_by = now() - interval '1 hour' WHERE run_id = $1 AND closed_at IS NULL`, run)
	o.exec(t, `UPDATE batch SET lease_until = now() - interval '1 second' WHERE run_id = $1 AND lease_until IS NOT NULL`, run)
}

const testResponseTimeout = 10 * time.Second

// recover closes lost strides and answers how many parts became unknown.
func (o *office) recover(t tester) int {
	t.Helper()
	unknown, err := o.ledger.Recover(context.Background(), testResponseTimeout)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return unknown
}

// receive puts what came in into the inbox, as a group of its own.
func (o *office) receive(t tester, at time.Time, incoming ...Incoming) {
	t.Helper()
	for i := range incoming {
		if incoming[i].Raw == nil {
			incoming[i].Raw = []byte("raw")
		}
	}
	err := pgx.BeginFunc(context.Background(), o.db, func(tx pgx.Tx) error {
		return AppendInbox(context.Background(), tx, incoming, at)
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// receiptFor is a receipt as a process that remembers nothing stores it.
func receiptFor(id string, seq int32, state string) Incoming {
	return Incoming{Kind: "receipt", Centre: testCentre, Bind: "main-1", ID: id, MSISDN: numberOf(seq), State: state}
}

func (o *office) settle(t tester) Settled {
	t.Helper()
	done, err := o.ledger.Settle(context.Background(), 100)
	if err != nil {
		t.Fatalf("%v", err)
	}
	done.Seen = nil // what follows from it has tests of its own
	return done
}

// retryParked tries the parked receipts as if it were the given time later.
func (o *office) retryParked(t tester, later time.Duration) int {
	t.Helper()
	matched, err := o.ledger.RetryParked(context.Background(), time.Now().Add(later))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return matched
}

// eventually waits for what another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	testenv.Eventually(t, 30*time.Second, what, ok)
}

// modestChecks is how often a property that needs the database is tried, unless -rapid.checks asks for more.
func modestChecks(usual int) int {
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() != f.DefValue {
		return math.MaxInt
	}
	return usual
}
