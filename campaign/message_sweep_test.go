package campaign

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func (d *desk) sweepMessages(t tester, w *MessageSweep, now time.Time) Swept {
	t.Helper()
	swept, err := w.Run(context.Background(), now)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return swept
}

func TestAMessageEndsByItsReceiptOrWithoutOne(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	w := &MessageSweep{Ledger: d.office.ledger}
	told, silent := d.post(t, ask("told")), d.post(t, ask("silent"))
	for _, m := range []*Message{told, silent} {
		lease := d.claim(t, m.Run, 0)
		d.send(t, lease, 1)
		if err := d.office.ledger.Release(t.Context(), lease, 0); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	if swept := d.sweepMessages(t, w, now); swept != (Swept{Looked: 2}) {
		t.Errorf("with both receipts awaited: %+v", swept)
	}
	if a, b := d.stateOf(t, told.Run), d.stateOf(t, silent.Run); a != RunSettling || b != RunSettling {
		t.Errorf("the runs are %s and %s", a, b)
	}
	d.receive(t, now, receiptFor(idOf(told.Run, 1, 1), 1, "delivered"))
	d.settle(t)
	if swept := d.sweepMessages(t, w, now); swept != (Swept{Looked: 2, Done: 1}) || d.stateOf(t, told.Run) != RunDone {
		t.Errorf("with one receipt: %+v, %s", swept, d.stateOf(t, told.Run))
	}
	d.wantStates(t, told.Run, Delivered)
	if swept := d.sweepMessages(t, w, now.Add(71*time.Hour)); swept != (Swept{Looked: 1}) {
		t.Errorf("before receipt_wait: %+v", swept)
	}
	if swept := d.sweepMessages(t, w, now.Add(73*time.Hour)); swept != (Swept{Looked: 1, Done: 1, NoReceipt: 1}) {
		t.Errorf("after receipt_wait: %+v", swept)
	}
	d.wantStates(t, silent.Run, NoReceipt)
}

func TestAMessageThatCouldNotLeaveIsCancelled(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	w := &MessageSweep{Ledger: d.office.ledger}
	waits, flies := d.post(t, ask("waits")), d.post(t, ask("flies"))
	stride := d.open(t, d.claim(t, flies.Run, 0), 1)
	late := d.now.Add(DefaultValidFor + time.Second)
	if swept := d.sweepMessages(t, w, d.now.Add(DefaultValidFor-time.Second)); swept != (Swept{Looked: 2}) {
		t.Errorf("in time: %+v", swept)
	}
	if swept := d.sweepMessages(t, w, late); swept != (Swept{Looked: 2, Cancelled: 1}) {
		t.Errorf("too late: %+v", swept)
	}
	d.wantStates(t, waits.Run, Skipped)
	d.wantStates(t, flies.Run, Pending)
	if state := d.stateOf(t, waits.Run); state != RunCancelled {
		t.Errorf("it is %s", state)
	}
	if _, err := d.office.ledger.Claim(t.Context(), waits.Run, 0, "test"); err == nil {
		t.Error("a message that was cancelled can be leased")
	}
	if detail := one[string](t, d.office, `SELECT detail FROM skip WHERE run_id = $1 AND reason = 'cancelled'`, waits.Run); detail != overdueWhy {
		t.Errorf("skipped for %q", detail)
	}
	d.record(t, stride, resultsOf(stride, Accepted))
	if swept := d.sweepMessages(t, w, late); swept.Cancelled != 0 {
		t.Errorf("what was on the wire: %+v", swept)
	}
	d.wantStates(t, flies.Run, Sent)
	want := "pukar message.cancel waits"
	if events := d.events(t); len(events) != 3 || events[2] != want {
		t.Errorf("events %q, want %q among them", events, want)
	}
}

func TestALostHintOfAMessageIsGivenAgainSoon(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	m := d.post(t, ask("g"))
	next := func() []RunHint {
		hints, err := d.office.ledger.NextMessageHints(t.Context(), d.now)
		if err != nil {
			t.Fatal(err)
		}
		return hints
	}
	if hints := next(); len(hints) != 0 {
		t.Errorf("hinted though the first hint is fresh: %v", hints)
	}
	d.exec(t, `UPDATE batch SET hinted_at = now() - interval '600 milliseconds'`)
	if hints := next(); len(hints) != 1 || hints[0] != (RunHint{Run: m.Run, Hint: Hint{No: 2}}) {
		t.Errorf("after 600 ms: %v", hints)
	}
	d.exec(t, `UPDATE batch SET hinted_at = now() - interval '600 milliseconds'`)
	if hints := next(); len(hints) != 0 {
		t.Errorf("the second hint is waited for as briefly as the first: %v", hints)
	}
	d.claim(t, m.Run, 0)
	d.exec(t, `UPDATE batch SET hinted_at = now() - interval '1 hour'`)
	if hints := next(); len(hints) != 0 {
		t.Errorf("hinted though it is leased: %v", hints)
	}
	d.ageLeases(t, m.Run)
	if hints := next(); len(hints) != 1 {
		t.Errorf("its holder died: %v", hints)
	}
}

// counter counts the statements that go over a pool.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

const sqlManyMessages = `
WITH runs AS (
    INSERT INTO run (campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown, receipts,
                     receipt_wait, inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at)
    SELECT c.id, n, 'message', 'settling', '{}', 'intro', 1, 'sim', 'urgent', 'hold', true, '72 hours', 0, 1, 0, '', 'test', now(), now()
    FROM campaign c, generate_series(1, $1::int4) n
    WHERE c.name = 'single messages'
    RETURNING id
), batches AS (
    INSERT INTO batch (run_id, no, lo, hi, sent_upto, state)
    SELECT id, 0, 1, 1, 1, 'done' FROM runs
), messages AS (
    INSERT INTO message (key, digest, run_id, category, parts, expires_at, at)
    SELECT 'k' || id, '', id, 'service', 1, now() + interval '1 day', now() FROM runs
)
INSERT INTO outcome (run_id, block, facts, counts, last_result)
SELECT id, 0, $2, ARRAY[0, 0, 0, 0, 0, 1, 0, 0, 0, 0], now() FROM runs`

// awaitingDesk is a desk with n messages that await their receipts, and a ledger whose statements are counted.
func awaitingDesk(t testing.TB, n int) (*desk, *Ledger, *counter) {
	t.Helper()
	d, _ := newMessageDesk(t, "")
	d.exec(t, sqlManyMessages, n, EncodeBlock([]Facts{{Parts: 1, Accepted: Part(1)}}))
	d.exec(t, `ANALYZE`)
	count := &counter{}
	config := d.db.Config()
	config.ConnConfig.Tracer = count
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return d, NewLedger(pool), count
}

func TestThousandsOfMessagesAreSweptByAFewStatements(t *testing.T) {
	t.Parallel()
	const messages = 20_000
	d, ledger, count := awaitingDesk(t, messages)
	own := d.newRun(t, terms{recipients: 1})
	w := &MessageSweep{Ledger: ledger}
	looked := 0
	for range messages / messagePage {
		before := count.n.Load()
		began := time.Now()
		looked += d.sweepMessages(t, w, time.Now()).Looked
		if n := count.n.Load() - before; n > 6 {
			t.Errorf("a round took %d statements", n)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a round took %v", took)
		}
	}
	if looked != messages {
		t.Errorf("%d of %d messages were looked at in as many rounds as there are pages", looked, messages)
	}
	if runs := d.openRuns(t); len(runs) != 1 || runs[0].ID != own {
		t.Errorf("the open runs beside the messages are %+v, want %d alone", runs, own)
	}
	// All receipts become overdue at once.
	w.after = 0
	given, before := 0, count.n.Load()
	for range messages / messagePage {
		given += d.sweepMessages(t, w, time.Now().Add(73*time.Hour)).NoReceipt
	}
	if given != messages || count.n.Load()-before > 12*messages/messagePage {
		t.Errorf("%d of %d receipts were given up, by %d statements", given, messages, count.n.Load()-before)
	}
	if open := one[int](t, d.office, `SELECT count(*) FROM run WHERE kind = 'message' AND state <> 'done'`); open != 0 {
		t.Errorf("%d messages are not done", open)
	}
}

func BenchmarkSweepOf20000Messages(b *testing.B) {
	d, ledger, _ := awaitingDesk(b, 20_000)
	w := &MessageSweep{Ledger: ledger}
	for b.Loop() {
		d.sweepMessages(b, w, time.Now())
		if _, err := ledger.NextMessageHints(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPostMessage(b *testing.B) {
	d, _ := newMessageDesk(b, "")
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m := ask(fmt.Sprint("k", n.Add(1)))
			if _, err := d.PostMessage(context.Background(), m, "asha"); err != nil {
				b.Error(err)
			}
		}
	})
}

// Messages of a dead route rest and are due again, more of them than a round hints.
func TestALostHintIsGivenAgainBesideThousandsThatRested(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	lost := d.post(t, ask("lost"))
	d.exec(t, `UPDATE batch SET hinted_at = now() - interval '10 seconds'`)
	for i := range messageHints {
		d.post(t, ask(fmt.Sprintf("rested-%d", i)))
	}
	d.exec(t, `UPDATE batch SET hinted_at = NULL, not_before = now() - interval '1 second' WHERE run_id <> $1`, lost.Run)
	hints, err := d.office.ledger.NextMessageHints(t.Context(), d.now)
	if err != nil || len(hints) != messageHints {
		t.Fatalf("%d hints, %v", len(hints), err)
	}
	if !slices.ContainsFunc(hints, func(h RunHint) bool { return h.Run == lost.Run }) {
		t.Error("the message that waited longest is not among those that are hinted")
	}
}

func TestAMessagesRunSaysWhenItExpires(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	m := d.post(t, ask("g"))
	run, err := d.office.ledger.Run(t.Context(), m.Run)
	if err != nil || !run.ExpiresAt.Equal(m.ExpiresAt) {
		t.Errorf("%v, %v, want %v", run.ExpiresAt, err, m.ExpiresAt)
	}
	other := d.newRun(t, terms{recipients: 1})
	if run, err = d.office.ledger.Run(t.Context(), other); err != nil || !run.ExpiresAt.IsZero() {
		t.Errorf("a campaign's run expires at %v, %v", run.ExpiresAt, err)
	}
}

// One part of it may have left, the other waits to be tried again and may not any more.
func TestAMessageThatIsHalfUnknownEndsWhenItExpires(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	m := d.post(t, ask("half"))
	lease := d.claim(t, m.Run, 0)
	s := d.open(t, lease, 2)
	results := resultsOf(s, InDoubt)
	results[1].Result = NotSent
	d.record(t, s, results)
	if err := d.office.ledger.Release(t.Context(), lease, 0); err != nil {
		t.Fatal(err)
	}
	d.wantStates(t, m.Run, Unknown)
	w := &MessageSweep{Ledger: d.office.ledger}
	if swept := d.sweepMessages(t, w, d.now); swept != (Swept{Looked: 1}) {
		t.Errorf("in time: %+v", swept)
	}
	if swept := d.sweepMessages(t, w, m.ExpiresAt.Add(time.Second)); swept.Cancelled != 1 || d.stateOf(t, m.Run) != RunCancelled {
		t.Errorf("too late: %+v, the run is %s", swept, d.stateOf(t, m.Run))
	}
	if left := one[int](t, d.office, `SELECT count(*) FROM redo`); left != 0 {
		t.Errorf("%d parts wait to be sent", left)
	}
	late := results[0]
	late.Result, late.ID, late.Key, late.At = Accepted, "x", 1, time.Now()
	if err := d.office.ledger.Late(t.Context(), s, late); err != nil {
		t.Fatal(err)
	}
	d.wantStates(t, m.Run, Skipped)
}
