package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// TestLedgerAgainstModel does whatever workers, centres, people and crashes can do to a small run, in any
// order, and holds the ledger to a model in memory after every step.
func TestLedgerAgainstModel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks++; checks > modestChecks(60) && !t.Failed() {
			return
		}
		for _, table := range []string{"batch", "stride", "submission", "skip", "redo", "inbox_chunk", "inbox", "receipt_match", "parked", "outcome", "recipient", "run", "suppression"} {
			o.exec(rt, `DELETE FROM `+table)
		}
		m := newModel(rt, o)
		actions := map[string]func(*rapid.T){
			"": m.check, "claim": m.claim, "let leases run out": m.expireLeases, "release": m.release, "open first": m.openFirst,
			"open redo": m.openRedo, "record": m.record, "lose": m.lose, "late": m.late, "receipt": m.receipt, "parked": m.retryParked,
			"stop": m.suppress, "pause": m.pause, "resume": m.resume, "cancel": m.cancel, "advance": m.advance, "expire receipts": m.expireReceipts,
		}
		for i := range 12 { // so that accidents do not outnumber what a worker does
			actions[fmt.Sprintf("work %d", i)] = m.work
		}
		for range 3 {
			rt.Repeat(actions)
		}
	})
}

type modelPart struct {
	seq  int32
	part int16
}

type modelRedo struct {
	tries int16
	bind  string
}

type modelBatch struct {
	Lo, Hi, Upto int32
	Fence        int64
	Done         bool
	held         bool
}

// modelStride is a stride that was opened, with the parts that it may have put on the wire.
type modelStride struct {
	*Stride
	parts    []PartResult
	ids      map[modelPart]string // that the centre gives
	fence    int64
	overdue  bool // its time is over by the server's clock
	closed   bool
	recorded bool
	late     map[modelPart]bool // in doubt when it was recorded: an answer may still come
}

type model struct {
	o       *office
	run     int32
	resend  bool
	parts   []byte // of each recipient; 0 cannot be rendered
	state   RunState
	facts   []Facts
	stopped map[int32]bool
	batches []modelBatch
	leases  []*Lease
	working *Lease // the lease that is taken instead of any, while work goes on
	redo    map[modelPart]modelRedo
	strides []*modelStride
	known   map[string]modelPart // ids that the centre gave and the ledger knows
	early   map[string][]string  // receipts that came before their submission was recorded
	ids     int
}

func newModel(t *rapid.T, o *office) *model {
	m := &model{
		o: o, state: RunRunning, resend: rapid.Bool().Draw(t, "resend"), parts: rapid.SliceOfN(rapid.ByteRange(0, 3), 1, 14).Draw(t, "parts"),
		stopped: map[int32]bool{}, redo: map[modelPart]modelRedo{}, known: map[string]modelPart{}, early: map[string][]string{},
	}
	with := terms{recipients: int32(len(m.parts)), batch: rapid.Int32Range(2, 7).Draw(t, "batch"), onUnknown: "hold"}
	if m.resend {
		with.onUnknown = "resend"
	}
	m.run = o.newRun(t, with)
	m.facts = make([]Facts, len(m.parts))
	for lo := int32(1); lo <= with.recipients; lo += with.batch {
		m.batches = append(m.batches, modelBatch{Lo: lo, Hi: min(lo+with.batch-1, with.recipients), Upto: lo - 1})
	}
	return m
}

func (m *model) see(seq int32, more Facts) { m.facts[seq-1].Merge(more) }

// check compares everything that the ledger says of the run.
func (m *model) check(t *rapid.T) {
	ctx := context.Background()
	if diff := gocmp.Diff(m.facts, m.o.facts(t, m.run)); diff != "" {
		t.Fatalf("facts: %s", diff)
	}
	if got := m.o.stateOf(t, m.run); got != m.state {
		t.Fatalf("the run is %s, want %s", got, m.state)
	}
	rows, err := m.o.db.Query(ctx, `SELECT lo, hi, sent_upto, fence, state = 'done' FROM batch WHERE run_id = $1 ORDER BY no`, m.run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	batches, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b modelBatch, err error) {
		return b, row.Scan(&b.Lo, &b.Hi, &b.Upto, &b.Fence, &b.Done)
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i, b := range batches {
		want := m.batches[i]
		want.held = false
		if b != want {
			t.Fatalf("batch %d is %+v, want %+v", i, b, want)
		}
	}
	rows, err = m.o.db.Query(ctx, `SELECT seq, part, tries, bind FROM redo WHERE run_id = $1`, m.run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	redo := map[modelPart]modelRedo{}
	var p modelPart
	var r modelRedo
	if _, err := pgx.ForEachRow(rows, []any{&p.seq, &p.part, &r.tries, &r.bind}, func() error { redo[p] = r; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	if diff := gocmp.Diff(m.redo, redo, gocmp.AllowUnexported(modelPart{}, modelRedo{})); diff != "" {
		t.Fatalf("redo: %s", diff)
	}
	if m.resend {
		return
	}
	twice := one[int](t, m.o, `SELECT count(*) FROM (SELECT 1 FROM submission WHERE run_id = $1 AND result = 'accepted' GROUP BY seq, part HAVING count(*) > 1) d`, m.run)
	if twice != 0 {
		t.Fatalf("%d parts were accepted twice", twice)
	}
}

// seldom skips what would make most sequences dull if it happened often.
func seldom(t *rapid.T, oneIn int) {
	if rapid.IntRange(1, oneIn).Draw(t, "really") != 2 { // not 1, which is drawn more often than others
		t.Skip("not now")
	}
}

func (m *model) claim(t *rapid.T) {
	seldom(t, 3)
	m.claimBatch(t, rapid.IntRange(0, len(m.batches)-1).Draw(t, "batch"))
}

func (m *model) claimBatch(t *rapid.T, no int) {
	b := &m.batches[no]
	lease, err := m.o.ledger.Claim(context.Background(), m.run, int32(no), "model")
	if want := m.state == RunRunning && !b.Done && !b.held; (err == nil) != want {
		t.Fatalf("claim of %+v: %v", *b, err)
	}
	if err == nil {
		b.Fence++
		b.held = true
		m.leases = append(m.leases, lease)
	}
}

// lease is any lease that was ever given.
func (m *model) lease(t *rapid.T) (*Lease, *modelBatch) {
	if m.working != nil {
		return m.working, &m.batches[m.working.Batch]
	}
	if len(m.leases) == 0 {
		t.Skip("nobody holds anything")
	}
	newest := m.leases[max(0, len(m.leases)-4):]
	lease := rapid.SampledFrom(newest).Draw(t, "lease")
	return lease, &m.batches[lease.Batch]
}

// work does what a worker would do next: it records, or opens a stride with a lease that holds.
func (m *model) work(t *rapid.T) {
	for _, s := range m.strides {
		if !s.recorded && rapid.Bool().Draw(t, "record") {
			m.record(t)
			return
		}
	}
	for _, lease := range m.leases {
		b := m.batches[lease.Batch]
		if lease.Fence != b.Fence || b.Done {
			continue
		}
		m.working = lease
		defer func() { m.working = nil }()
		if len(m.redoOf(lease.Batch)) > 0 && rapid.Bool().Draw(t, "redo") {
			m.openRedo(t)
			return
		}
		if lease.SentUpto < lease.Hi {
			m.openFirst(t)
			return
		}
		if m.nothingLeft(lease.Batch) {
			m.release(t)
			return
		}
	}
	for i, b := range m.batches {
		if m.state == RunRunning && !b.Done && !b.held {
			m.claimBatch(t, i)
			return
		}
	}
	t.Skip("there is nothing to do")
}

// redoOf lists what is to be redone in a batch, in the order in which it is read.
func (m *model) redoOf(no int32) []modelPart {
	b := m.batches[no]
	var list []modelPart
	for p := range m.redo {
		if p.seq >= b.Lo && p.seq <= b.Hi {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(x, y modelPart) int {
		return cmp.Or(cmp.Compare(m.redo[x].bind, m.redo[y].bind), cmp.Compare(x.seq, y.seq), cmp.Compare(x.part, y.part))
	})
	return list
}

func (m *model) expireLeases(t *rapid.T) {
	seldom(t, 3)
	m.o.ageLeases(t, m.run)
	for i := range m.batches {
		m.batches[i].held = false
	}
}

func (m *model) release(t *rapid.T) {
	lease, b := m.lease(t)
	if err := m.o.ledger.Release(context.Background(), lease, 0); err != nil {
		t.Fatalf("%v", err)
	}
	if lease.Fence == b.Fence {
		b.held = false
		b.Done = m.nothingLeft(lease.Batch)
	}
}

// nothingLeft reports whether every recipient of a batch had a stride, and nothing is open or to be redone.
func (m *model) nothingLeft(no int32) bool {
	b := m.batches[no]
	if len(m.redoOf(no)) > 0 {
		return false
	}
	for _, s := range m.strides {
		if s.Batch == no && !s.closed {
			return false
		}
	}
	return b.Upto == b.Hi
}

func (m *model) openFirst(t *rapid.T) {
	lease, b := m.lease(t)
	if lease.SentUpto >= lease.Hi {
		t.Skip("everybody had a stride")
	}
	count := rapid.Int32Range(1, min(3, lease.Hi-lease.SentUpto)).Draw(t, "recipients")
	s := firstStride(lease, m.parts[lease.SentUpto:lease.SentUpto+count]...)
	s.Bind = rapid.SampledFrom([]string{"main-1", "main-2"}).Draw(t, "bind")
	var skips []Skip
	for seq := s.Lo; seq <= s.Hi; seq++ {
		if m.parts[seq-1] == 0 {
			skips = append(skips, Skip{Seq: seq, Reason: "render"})
		}
	}
	may := lease.Fence == b.Fence && lease.SentUpto == b.Upto && !b.Done
	stopped, err := m.o.ledger.OpenFirst(context.Background(), lease, s, testPurpose, skips, 0)
	m.opened(t, s, lease, may, stopped, err)
	if !may {
		return
	}
	b.Upto, b.held = s.Hi, true
	for _, skip := range skips {
		m.see(skip.Seq, Facts{Flags: FlagSkipped})
	}
}

func (m *model) openRedo(t *rapid.T) {
	lease, b := m.lease(t)
	m.o.ageRedo(t, m.run)
	due := m.o.due(t, lease)
	want := m.redoOf(lease.Batch)
	var got []modelPart
	for _, p := range due {
		got = append(got, modelPart{p.Seq, p.Part})
	}
	if !slices.Equal(got, want) {
		t.Fatalf("due are %v, want %v", got, want)
	}
	if len(due) == 0 {
		t.Skip("nothing is due")
	}
	count := 1
	for count < len(due) && due[count].Bind == due[0].Bind && rapid.Bool().Draw(t, "more") {
		count++
	}
	s := redoStride(lease, due[:count], 1)
	for i, p := range s.Redo {
		s.PartCounts[i] = m.parts[p.Seq-1]
	}
	if s.Bind = due[0].Bind; s.Bind == "" {
		s.Bind = rapid.SampledFrom([]string{"main-1", "main-2"}).Draw(t, "bind")
	}
	may := lease.Fence == b.Fence
	stopped, err := m.o.ledger.OpenRedo(context.Background(), lease, s, testPurpose, nil, 0)
	m.opened(t, s, lease, may, stopped, err)
	if may {
		b.held = true
		for _, p := range s.Redo {
			delete(m.redo, modelPart{p.Seq, p.Part})
		}
	}
}

// opened takes a stride into the model, if it may have been opened, and holds its opening to who said stop.
func (m *model) opened(t *rapid.T, s *Stride, lease *Lease, may bool, stopped []int32, err error) {
	if !may {
		if !errors.Is(err, ErrFenced) {
			t.Fatalf("opening behind the fence: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	out := map[int32]bool{}
	open := &modelStride{Stride: s, fence: lease.Fence, ids: map[modelPart]string{}, late: map[modelPart]bool{}}
	for p := range s.eachPart(nil) {
		if m.stopped[p.Seq] {
			out[p.Seq] = true
			continue
		}
		m.ids++
		open.ids[modelPart{p.Seq, p.Part}] = fmt.Sprintf("model-%d", m.ids)
		open.parts = append(open.parts, p)
	}
	if s.Kind == "first" { // who cannot be rendered is asked for too
		for seq := s.Lo; seq <= s.Hi; seq++ {
			out[seq] = m.stopped[seq]
		}
	}
	for _, seq := range stopped {
		if !out[seq] {
			t.Fatalf("recipient %d is left out for a stop that was not said", seq)
		}
	}
	for seq, stop := range out {
		if stop {
			if !slices.Contains(stopped, seq) {
				t.Fatalf("recipient %d said stop and would be written to", seq)
			}
			m.see(seq, Facts{Flags: FlagSuppressed})
		}
	}
	m.strides = append(m.strides, open)
}

// stride is one that is not recorded; recovery may have closed it.
func (m *model) stride(t *rapid.T) *modelStride {
	var waiting []*modelStride
	for _, s := range m.strides {
		if !s.recorded {
			waiting = append(waiting, s)
		}
	}
	if len(waiting) == 0 {
		t.Skip("no stride is on the wire")
	}
	return rapid.SampledFrom(waiting).Draw(t, "stride")
}

func (m *model) record(t *rapid.T) {
	s := m.stride(t)
	s.recorded = true
	results := slices.Clone(s.parts)
	for i := range results {
		r := &results[i]
		p := modelPart{r.Seq, r.Part}
		r.Result = rapid.SampledFrom([]Result{Accepted, Accepted, Refused, Throttled, Transient, NotSent, InDoubt}).Draw(t, "result")
		r.At = time.Now()
		switch r.Result {
		case Accepted:
			r.ID, r.Key = s.ids[p], MessageKey(s.Centre, s.ids[p])
			m.known[r.ID] = p
		case InDoubt:
			s.late[p] = true
		}
	}
	m.o.record(t, s.Stride, results)
	m.close(s, results)
}

// close follows the results of a stride: the rules of redoing once more, in other words.
func (m *model) close(s *modelStride, results []PartResult) {
	refused, bound := map[int32]bool{}, map[int32]bool{}
	again := map[modelPart]modelRedo{}
	for _, p := range s.Redo {
		bound[p.Seq] = p.Bind != ""
	}
	for _, r := range results {
		p, f := modelPart{r.Seq, r.Part}, Facts{Parts: uint8(r.Parts)}
		one := Part(int(r.Part))
		last := r.Tries >= 3
		switch {
		case r.Result == Accepted:
			f.Accepted = one
			if s.closed {
				delete(m.redo, p)
			}
		case r.Result == Refused, r.Result == Transient && last:
			f.Refused = one
			refused[r.Seq] = refused[r.Seq] || r.Parts > 1
		case r.Result == InDoubt && (!m.resend || last):
			f.Unknown = one
		case r.Result == Throttled, r.Result == NotSent:
			again[p] = modelRedo{tries: r.Tries}
		default:
			again[p] = modelRedo{tries: r.Tries + 1}
		}
		if r.Parts > 1 && (r.Result == Accepted || r.Result == InDoubt) {
			bound[r.Seq] = true
		}
		m.see(r.Seq, f)
	}
	if s.closed {
		return
	}
	s.closed = true
	for p := range m.redo {
		if refused[p.seq] {
			delete(m.redo, p)
		}
	}
	for p, redo := range again {
		if refused[p.seq] {
			continue
		}
		if bound[p.seq] {
			redo.bind = s.Bind
		}
		m.redo[p] = redo
	}
}

// lose lets the time of a stride run out: recovery closes it, unless its holder still renews the lease.
// What it has on the wire may still be recorded.
func (m *model) lose(t *rapid.T) {
	s := m.stride(t)
	if s.closed {
		t.Skip("it is closed")
	}
	m.o.exec(t, `UPDATE stride SET send_by = now() - interval '1 hour' WHERE id = $1`, s.ID)
	s.overdue = true
	want := 0
	for _, s := range m.strides {
		b := m.batches[s.Batch]
		if s.closed || !s.overdue || b.held && b.Fence == s.fence {
			continue
		}
		var results []PartResult
		for _, r := range s.parts {
			// Who was left out since then is not looked at: that she got nothing is the best that can be said.
			if m.facts[r.Seq-1].Flags&(FlagSuppressed|FlagSkipped) == 0 {
				r.Result = InDoubt
				results = append(results, r)
			}
		}
		redo := s.Redo
		s.Redo = nil // recovery does not know what bound them
		m.close(s, results)
		s.Redo = redo
		want += len(results)
	}
	if unknown := m.o.recover(t); unknown != want {
		t.Fatalf("%d parts became unknown, want %d", unknown, want)
	}
}

func (m *model) late(t *rapid.T) {
	for _, s := range m.strides {
		for _, r := range s.parts {
			p := modelPart{r.Seq, r.Part}
			if !s.late[p] {
				continue
			}
			delete(s.late, p)
			r.Result, r.At = Accepted, time.Now()
			r.ID, r.Key = s.ids[p], MessageKey(s.Centre, s.ids[p])
			if err := m.o.ledger.Late(context.Background(), s.Stride, r); err != nil {
				t.Fatalf("%v", err)
			}
			m.known[r.ID] = p
			delete(m.redo, p)
			m.see(r.Seq, Facts{Parts: uint8(r.Parts), Accepted: Part(int(r.Part))})
			return
		}
	}
	t.Skip("nothing is in doubt")
}

// receipt brings a receipt for anything that was ever on the wire.
func (m *model) receipt(t *rapid.T) {
	type sent struct {
		modelPart
		id string
	}
	var all []sent
	for _, s := range m.strides {
		for _, r := range s.parts {
			p := modelPart{r.Seq, r.Part}
			all = append(all, sent{p, s.ids[p]})
		}
	}
	if len(all) == 0 {
		t.Skip("nothing was sent")
	}
	for range rapid.IntRange(1, 3).Draw(t, "receipts") {
		s := rapid.SampledFrom(all).Draw(t, "part")
		state := rapid.SampledFrom([]string{"delivered", "delivered", "failed", "expired", ""}).Draw(t, "state")
		in := receiptFor(s.id, s.seq, state)
		_, known := m.known[s.id]
		if known && rapid.Bool().Draw(t, "remembered") {
			in.Run, in.Seq, in.Part = m.run, s.seq, s.part
		}
		m.o.receive(t, time.Now(), in)
		if known {
			m.arrive(s.modelPart, state)
		} else {
			m.early[s.id] = append(m.early[s.id], state)
		}
	}
	m.o.settle(t)
}

func (m *model) arrive(p modelPart, state string) {
	r := receipt{State: state, Part: p.part}
	m.see(p.seq, r.facts())
}

func (m *model) retryParked(t *rapid.T) {
	want := 0
	for id, states := range m.early {
		if p, known := m.known[id]; known {
			for _, state := range states {
				m.arrive(p, state)
				want++
			}
			delete(m.early, id)
		}
	}
	m.o.exec(t, `UPDATE parked SET next_try = now() - interval '1 second'`)
	if matched := m.o.retryParked(t, 0); matched != want {
		t.Fatalf("%d parked receipts were matched, want %d", matched, want)
	}
}

func (m *model) suppress(t *rapid.T) {
	seq := rapid.Int32Range(1, int32(len(m.parts))).Draw(t, "who")
	seldom(t, 2)
	m.o.stop(t, seq)
	m.stopped[seq] = true
}

func (m *model) pause(t *rapid.T) { m.halt(t, RunPausing, m.state == RunRunning) }
func (m *model) cancel(t *rapid.T) {
	seldom(t, 8)
	m.halt(t, RunCancelling, slices.Contains([]RunState{RunRunning, RunPausing, RunPaused, RunSettling}, m.state))
}

func (m *model) halt(t *rapid.T, to RunState, may bool) {
	if moved := m.o.move(t, m.run, to); moved != may {
		t.Fatalf("%s when %s: %v", to, m.state, moved)
	}
	if !may {
		return
	}
	m.state = to
	for i := range m.batches {
		if b := &m.batches[i]; !b.Done {
			b.Fence++
			b.held = false
		}
	}
}

func (m *model) resume(t *rapid.T) {
	may := m.state == RunPausing || m.state == RunPaused
	if moved := m.o.resume(t, m.run); moved != may {
		t.Fatalf("resume when %s: %v", m.state, moved)
	}
	if may {
		m.state = RunRunning
	}
}

func (m *model) advance(t *rapid.T) {
	if finished(m.state) {
		t.Skip("it is over")
	}
	ready, open, pending, awaiting := false, false, 0, 0
	for i := range m.batches {
		b := &m.batches[i]
		b.Done = b.Done || !b.held && m.nothingLeft(int32(i))
		ready = ready || !b.Done
	}
	for _, s := range m.strides {
		open = open || !s.closed
	}
	for _, f := range m.facts {
		switch f.State() {
		case Pending:
			pending++
		case Sent:
			awaiting++
		}
	}
	switch {
	case open:
	case m.state == RunPausing:
		m.state = RunPaused
	case m.state == RunCancelling && (pending > 0 || len(m.redo) > 0):
		left := map[int]bool{}
		for p := range m.redo {
			left[int(p.seq)-1] = true
		}
		clear(m.redo)
		for i := range m.facts {
			if m.facts[i].State() == Pending || left[i] {
				m.facts[i].Flags |= FlagSkipped
			}
		}
	case m.state == RunCancelling:
		m.state = RunCancelled
	case m.state == RunRunning && !ready:
		m.state = RunSettling
	case m.state == RunSettling && ready:
		m.state = RunRunning
	case m.state == RunSettling && pending == 0 && awaiting == 0:
		m.state = RunDone
	}
	if got := m.o.advance(t, m.run); got != m.state {
		t.Fatalf("it is %s, want %s", got, m.state)
	}
}

func (m *model) expireReceipts(t *rapid.T) {
	seldom(t, 4)
	want := 0
	for i := range m.facts {
		if m.facts[i].State() == Sent {
			m.facts[i].Flags |= FlagWaited
			want++
		}
	}
	marked, err := m.o.ledger.ExpireReceipts(context.Background(), OpenRun{ID: m.run, Wait: time.Hour}, time.Now().Add(2*time.Hour))
	if err != nil || marked != want {
		t.Fatalf("%d were marked (%v), want %d", marked, err, want)
	}
}
