package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// TestWorkersAgainstModel lets workers go about a small run call by call and die, sleep or be fenced off between any two of
// them, while people and the centre do what they can, and holds the ledger to what really was on the wire: after every
// step, and once more when all that was left has been brought to its end.
func TestWorkersAgainstModel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks++; checks > modestChecks(10) && !t.Failed() {
			return
		}
		for _, table := range []string{"batch", "stride", "submission", "skip", "redo", "inbox_chunk", "inbox", "receipt_match", "parked", "outcome", "recipient", "run", "suppression"} {
			o.exec(rt, `DELETE FROM `+table)
		}
		w := newWireModel(rt, o)
		actions := map[string]func(*rapid.T){
			"": w.check, "crash": w.crash, "time passes": w.timePasses, "recover": w.recover, "late response": w.late, "receipt": w.receipt,
			"parked": w.retryParked, "stop": w.stop, "pause": w.pause, "resume": w.resume, "cancel": w.cancel, "advance": w.advance,
		}
		for i := range 20 { // so that accidents do not outnumber what a worker does
			actions[fmt.Sprintf("work %d", i)] = w.work
		}
		for range 2 {
			rt.Repeat(actions)
		}
		w.finish(rt)
	})
}

// wireModel is a run with what really happened to it outside of the ledger.
type wireModel struct {
	o       *office
	run     int32
	rule    RedoRule
	parts   []byte // of each recipient; 0 cannot be rendered
	batches int32
	state   RunState
	hands   []*hand
	got     map[modelPart]int    // how often the centre accepted a part
	ids     map[string]modelPart // what the centre gave out
	order   []string             // of them
	answers []lateAnswer         // responses that are still under way to a worker that lives
	refused map[int32]bool       // recipients of whom the centre refused a part, for now or for good
	stopped map[int32]bool
	ending  bool // nothing goes wrong any more
}

// hand is a worker between two calls: what it remembers, which is lost when it dies.
type hand struct {
	lease   *Lease
	stride  *Stride
	todo    []PartResult // parts of the stride that are not on the wire yet
	results []PartResult
	overdue bool // the time to write is over
}

type lateAnswer struct {
	by     *hand
	stride *Stride
	result PartResult
}

func newWireModel(t *rapid.T, o *office) *wireModel {
	w := &wireModel{
		o: o, rule: RedoRule{OnUnknown: rapid.SampledFrom([]string{"hold", "resend"}).Draw(t, "on_unknown")},
		parts: rapid.SliceOfN(rapid.ByteRange(0, 3), 1, 12).Draw(t, "parts"), state: RunRunning,
		got: map[modelPart]int{}, ids: map[string]modelPart{}, refused: map[int32]bool{}, stopped: map[int32]bool{},
	}
	with := terms{recipients: int32(len(w.parts)), batch: rapid.Int32Range(2, 6).Draw(t, "batch"), onUnknown: w.rule.OnUnknown}
	w.run = o.newRun(t, with)
	w.batches = (with.recipients + with.batch - 1) / with.batch
	for range 3 {
		w.hands = append(w.hands, &hand{})
	}
	return w
}

// work has one of the workers make its next call.
func (w *wireModel) work(t *rapid.T) {
	w.next(t, w.hands[rapid.IntRange(0, len(w.hands)-1).Draw(t, "hand")])
}

func (w *wireModel) next(t *rapid.T, h *hand) {
	switch {
	case h.lease == nil:
		w.claim(t, h, rapid.Int32Range(0, w.batches-1).Draw(t, "batch"))
	case h.stride == nil:
		w.open(t, h)
	case len(h.todo) > 0:
		w.send(t, h)
	default:
		w.record(t, h)
	}
}

func (w *wireModel) claim(t *rapid.T, h *hand, batch int32) {
	lease, err := w.o.ledger.Claim(context.Background(), w.run, batch, "model")
	if err != nil && !errors.Is(err, ErrNotLeased) {
		t.Fatalf("%v", err)
	}
	h.lease = lease
}

// open opens a stride over what is due again, or over fresh recipients, or gives the batch back.
func (w *wireModel) open(t *rapid.T, h *hand) {
	ctx := context.Background()
	w.o.ageRedo(t, w.run)
	due := w.o.due(t, h.lease)
	var stopped []int32
	var err error
	var s *Stride
	switch {
	case len(due) > 0:
		n := 1
		for n < len(due) && due[n].Bind == due[0].Bind {
			n++
		}
		s = redoStride(h.lease, due[:n], 1)
		for i, p := range s.Redo {
			s.PartCounts[i] = w.parts[p.Seq-1]
		}
		stopped, err = w.o.ledger.OpenRedo(ctx, h.lease, s, testPurpose, nil, 0)
	case h.lease.SentUpto < h.lease.Hi:
		count := rapid.Int32Range(1, min(3, h.lease.Hi-h.lease.SentUpto)).Draw(t, "recipients")
		s = firstStride(h.lease, w.parts[h.lease.SentUpto:h.lease.SentUpto+count]...)
		var skips []Skip
		for seq := s.Lo; seq <= s.Hi; seq++ {
			if w.parts[seq-1] == 0 {
				skips = append(skips, Skip{Seq: seq, Reason: "render"})
			}
		}
		stopped, err = w.o.ledger.OpenFirst(ctx, h.lease, s, testPurpose, skips, 0)
	default:
		if err := w.o.ledger.Release(ctx, h.lease, 0); err != nil {
			t.Fatalf("%v", err)
		}
		h.lease = nil
		return
	}
	if errors.Is(err, ErrFenced) {
		h.lease = nil
		return
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !w.ending && rapid.IntRange(0, 7).Draw(t, "answer of COMMIT") == 7 {
		lost := *s // the answer was lost: the worker does not know that the stride is there
		lost.ID = 0
		if err := w.o.ledger.Abandon(ctx, h.lease, &lost, w.rule); err != nil {
			t.Fatalf("%v", err)
		}
		h.lease = nil
		return
	}
	h.stride, h.todo, h.results, h.overdue = s, nil, nil, false
	for p := range s.eachPart(nil) {
		if !slices.Contains(stopped, p.Seq) {
			h.todo = append(h.todo, p)
			if w.stopped[p.Seq] {
				t.Fatalf("recipient %d said stop before this stride was opened, and may be written to", p.Seq)
			}
		}
	}
}

// send brings one part to the centre, or not.
func (w *wireModel) send(t *rapid.T, h *hand) {
	r := h.todo[0]
	h.todo = h.todo[1:]
	r.At = time.Now()
	p := modelPart{r.Seq, r.Part}
	answer := "accepted"
	if !w.ending {
		answer = rapid.SampledFrom([]string{
			"accepted", "accepted", "accepted", "accepted", "accepted unheard", "cut before", "refused", "throttled", "transient", "not sent",
		}).Draw(t, "answer")
	}
	if h.overdue {
		answer = "not sent"
	}
	switch answer {
	case "accepted", "accepted unheard":
		if w.got[p]++; w.got[p] > 1 && !w.mayRepeat(t, p) {
			t.Fatalf("part %d of recipient %d is sent twice", r.Part, r.Seq)
		}
		heard := r
		heard.Result, heard.ID = Accepted, fmt.Sprintf("wire-%d", len(w.ids))
		heard.Key = MessageKey(h.stride.Centre, heard.ID)
		w.ids[heard.ID] = p
		w.order = append(w.order, heard.ID)
		if answer == "accepted" {
			r = heard
			break
		}
		w.answers = append(w.answers, lateAnswer{h, h.stride, heard})
		r.Result = InDoubt
	case "cut before":
		r.Result = InDoubt
	case "refused":
		r.Result, w.refused[r.Seq] = Refused, true
	case "transient":
		r.Result, w.refused[r.Seq] = Transient, true
	case "throttled":
		r.Result = Throttled
	default:
		r.Result = NotSent
	}
	h.results = append(h.results, r)
}

// mayRepeat reports whether a part is known to have been in doubt and the campaign sends such ones again.
func (w *wireModel) mayRepeat(t *rapid.T, p modelPart) bool {
	return w.rule.OnUnknown == "resend" &&
		one[bool](t, w.o, `SELECT EXISTS (SELECT 1 FROM submission WHERE run_id = $1 AND seq = $2 AND part = $3 AND result = 'unknown')`, w.run, p.seq, p.part)
}

// record keeps the results; now and then the answer is lost and it is done once more.
func (w *wireModel) record(t *rapid.T, h *hand) {
	ctx, token := context.Background(), newCloseToken()
	if err := w.o.ledger.record(ctx, h.stride, token, h.results, w.rule); err != nil {
		t.Fatalf("%v", err)
	}
	if len(h.results) > 0 && rapid.IntRange(0, 4).Draw(t, "answer of COMMIT") == 4 {
		if err := w.o.ledger.record(ctx, h.stride, token, h.results, w.rule); !errors.Is(err, errRecorded) {
			t.Fatalf("recorded once more: %v", err)
		}
	}
	h.stride, h.results = nil, nil
}

// crash has a worker forget everything; what it had on the wire stays there.
func (w *wireModel) crash(t *rapid.T) {
	seldom(t, 2)
	i := rapid.IntRange(0, len(w.hands)-1).Draw(t, "hand")
	dead := w.hands[i]
	w.hands[i] = &hand{}
	w.answers = slices.DeleteFunc(w.answers, func(l lateAnswer) bool { return l.by == dead })
}

// timePasses is longer than any lease and any stride's time to be written; whoever still works was asleep.
func (w *wireModel) timePasses(t *rapid.T) {
	w.o.ageStrides(t, w.run)
	for _, h := range w.hands {
		h.overdue = true
	}
}

func (w *wireModel) recover(t *rapid.T) { w.o.recover(t) }

// late brings a response to a worker that has given its part up, and recorded that.
func (w *wireModel) late(t *rapid.T) {
	for i, l := range w.answers {
		if l.by.stride == l.stride {
			continue
		}
		w.answers = slices.Delete(w.answers, i, i+1)
		for range rapid.IntRange(1, 2).Draw(t, "times") { // once more where the answer was lost
			if err := w.o.ledger.Late(context.Background(), l.stride, l.result); err != nil {
				t.Fatalf("%v", err)
			}
		}
		return
	}
	t.Skip("no response is under way")
}

// receipt brings receipts for anything that the centre accepted: late, early and more than once.
func (w *wireModel) receipt(t *rapid.T) {
	if len(w.order) == 0 {
		t.Skip("nothing was accepted")
	}
	for range rapid.IntRange(1, 3).Draw(t, "receipts") {
		id := rapid.SampledFrom(w.order).Draw(t, "id")
		w.o.receive(t, time.Now(), receiptFor(id, w.ids[id].seq, rapid.SampledFrom([]string{"delivered", "delivered", "failed", "expired", ""}).Draw(t, "state")))
	}
	w.o.settle(t)
}

func (w *wireModel) retryParked(t *rapid.T) {
	w.o.exec(t, `UPDATE parked SET next_try = now() - interval '1 second'`)
	w.o.retryParked(t, 0)
}

func (w *wireModel) stop(t *rapid.T) {
	seldom(t, 3)
	seq := rapid.Int32Range(1, int32(len(w.parts))).Draw(t, "who")
	w.o.stop(t, seq)
	w.stopped[seq] = true
}

func (w *wireModel) pause(t *rapid.T) {
	seldom(t, 3)
	w.o.move(t, w.run, RunPausing)
}

func (w *wireModel) resume(t *rapid.T) { w.o.resume(t, w.run) }

func (w *wireModel) cancel(t *rapid.T) {
	seldom(t, 20)
	w.o.move(t, w.run, RunCancelling)
}

func (w *wireModel) advance(t *rapid.T) { w.o.advance(t, w.run) }

// check holds the ledger to the wire.
func (w *wireModel) check(t *rapid.T) {
	now := w.o.stateOf(t, w.run)
	if now != w.state && !slices.Contains(runMoves[w.state], now) {
		t.Fatalf("the run went from %s to %s", w.state, now)
	}
	w.state = now
	facts := w.o.facts(t, w.run) // which adds the totals up
	known := w.known(t)
	for p := range w.got {
		if !known[p] {
			t.Fatalf("the centre accepted part %d of recipient %d, and the ledger knows nothing of it: %+v", p.part, p.seq, facts[p.seq-1])
		}
	}
	for p, n := range w.accepted(t) {
		if n > w.got[p] {
			t.Fatalf("part %d of recipient %d stands as accepted %d times, the centre got it %d times", p.part, p.seq, n, w.got[p])
		}
	}
	for i, f := range facts {
		for part := int16(1); part <= 3; part++ {
			if f.Accepted&Part(int(part)) != 0 && w.got[modelPart{int32(i) + 1, part}] == 0 {
				t.Fatalf("part %d of recipient %d stands as accepted, and the centre never got it", part, i+1)
			}
		}
	}
	if finished(now) {
		for i, f := range facts {
			if f.State() == Pending {
				t.Fatalf("the run is %s and recipient %d is pending", now, i+1)
			}
		}
	}
}

// accepted counts how often each part stands as accepted.
func (w *wireModel) accepted(t *rapid.T) map[modelPart]int {
	list := map[modelPart]int{}
	rows, err := w.o.db.Query(context.Background(), `SELECT seq, part FROM submission WHERE run_id = $1 AND result = 'accepted'`, w.run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var p modelPart
	if _, err := pgx.ForEachRow(rows, []any{&p.seq, &p.part}, func() error { list[p]++; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return list
}

// known is what the ledger has as accepted, unknown or in a stride that is open.
func (w *wireModel) known(t *rapid.T) map[modelPart]bool {
	known := map[modelPart]bool{}
	rows, err := w.o.db.Query(context.Background(), `
SELECT seq, part FROM submission WHERE run_id = $1 AND result IN ('accepted', 'unknown')
UNION
SELECT s.lo + i - 1, part
FROM stride s, generate_series(1, length(s.part_counts)) i, generate_series(1, get_byte(s.part_counts, i - 1)) part
WHERE s.run_id = $1 AND s.closed_at IS NULL AND s.kind = 'first'
UNION
SELECT p.seq, p.part
FROM stride s, unnest(s.seqs, s.seq_parts) AS p (seq, part)
WHERE s.run_id = $1 AND s.closed_at IS NULL AND s.kind = 'redo'`, w.run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var p modelPart
	if _, err := pgx.ForEachRow(rows, []any{&p.seq, &p.part}, func() error { known[p] = true; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return known
}

// finish lets everybody die, brings what is left to its end in good order, and sees that nobody was lost.
func (w *wireModel) finish(t *rapid.T) {
	w.ending, w.answers = true, nil
	for i := range w.hands {
		w.hands[i] = &hand{}
	}
	w.timePasses(t)
	w.o.recover(t)
	for round := 0; !finished(w.o.stateOf(t, w.run)); round++ {
		if round == 30 {
			t.Fatalf("the run does not end: it is %s with %v", w.o.stateOf(t, w.run), w.o.states(t, w.run))
		}
		w.o.resume(t, w.run)
		w.check(t)
		for batch := range w.batches {
			h := &hand{}
			for w.claim(t, h, batch); h.lease != nil; {
				w.next(t, h)
			}
		}
		w.o.settle(t)
		if _, err := w.o.ledger.ExpireReceipts(context.Background(), OpenRun{ID: w.run, Wait: time.Hour}, time.Now().Add(2*time.Hour)); err != nil {
			t.Fatalf("%v", err)
		}
		w.advance(t)
		w.check(t)
	}
	for i, f := range w.o.facts(t, w.run) {
		seq := int32(i) + 1
		whole := w.parts[i] > 0
		for part := int16(1); part <= int16(w.parts[i]); part++ {
			whole = whole && w.got[modelPart{seq, part}] > 0
		}
		var ok bool
		switch f.State() {
		case Delivered, Sent, NoReceipt:
			ok = whole
		case Failed, Expired:
			ok = w.got[modelPart{seq, 1}]+w.got[modelPart{seq, 2}]+w.got[modelPart{seq, 3}] > 0
		case Rejected:
			ok = w.refused[seq]
		case Suppressed:
			ok = w.stopped[seq]
		case Skipped:
			ok = w.parts[i] == 0 || w.state == RunCancelled
		case Unknown:
			ok = one[bool](t, w.o, `SELECT EXISTS (SELECT 1 FROM submission WHERE run_id = $1 AND seq = $2 AND result = 'unknown')`, w.run, seq)
		}
		if !ok {
			t.Fatalf("recipient %d with %d parts ends as %s: %+v, the centre got %v", seq, w.parts[i], f.State(), f, w.got)
		}
	}
}
