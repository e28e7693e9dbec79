package smpp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"pukar/smpp/pdu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unit is one unit as the peer read it.
type unit struct {
	pdu.Header
	body []byte
}

func (u unit) submit(t *testing.T) pdu.SubmitSM {
	t.Helper()
	var p pdu.SubmitSM
	if err := p.Decode(u.body); err != nil {
		t.Fatalf("submit_sm of ours does not decode: %v", err)
	}
	return p
}

// peer is the scripted other end of one connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// expect reads units until one has the given command, and returns it.
func (p *peer) expect(id pdu.ID) unit {
	p.t.Helper()
	for {
		u, err := p.read()
		if err != nil {
			p.t.Errorf("wait for %s: %v", id, err)
			return unit{}
		}
		if u.ID == id {
			return u
		}
		p.t.Errorf("read %s, want %s", u.ID, id)
	}
}

func (p *peer) read() (unit, error) {
	h, body, _, err := pdu.ReadPDU(p.in, nil)
	return unit{Header: h, body: body}, err
}

// closed reads until the connection ends and reports what came before.
func (p *peer) closed() (units []unit) {
	for {
		u, err := p.read()
		if err != nil {
			return units
		}
		units = append(units, u)
	}
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		p.t.Errorf("write: %v", err)
	}
}

func (p *peer) header(id pdu.ID, status pdu.Status, sequence uint32) {
	p.t.Helper()
	p.send(pdu.AppendHeaderOnly(nil, id, status, sequence))
}

func (p *peer) accept(u unit, messageID string) {
	p.t.Helper()
	p.send((&pdu.SubmitSMResp{MessageID: messageID}).Append(nil, pdu.StatusOK, u.Sequence))
}

func (p *peer) deliver(sequence uint32, text string) {
	p.t.Helper()
	b, err := (&pdu.DeliverSM{Source: "919812345678", Destination: "56161", ShortMessage: []byte(text)}).Append(nil, sequence)
	if err != nil {
		p.t.Error(err)
	}
	p.send(b)
}

// bound answers the bind.
func (p *peer) bound() *peer {
	p.t.Helper()
	u, err := p.read()
	if err != nil {
		p.t.Errorf("wait for bind: %v", err)
	}
	p.send((&pdu.BindResp{SystemID: "centre"}).Append(nil, pdu.ResponseID(u.ID), pdu.StatusOK, u.Sequence))
	return p
}

// centre hands each connection that the bind opens to the next script, and refuses further ones.
type centre struct {
	t     *testing.T
	conns chan net.Conn
}

func newCentre(t *testing.T) *centre { return &centre{t: t, conns: make(chan net.Conn)} }

func (c *centre) dial(ctx context.Context, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case c.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// next waits for a connection.
func (c *centre) next() *peer {
	conn := <-c.conns
	c.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: c.t, conn: conn, in: bufio.NewReader(conn)}
}

// rig is a running bind with its centre.
type rig struct {
	*centre
	bind *Bind
	stop context.CancelFunc
	done chan struct{}
}

// inBubble runs a test with a bind over pipes on fake time.
func inBubble(t *testing.T, cfg BindConfig, deliver func(*Delivery), test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{centre: newCentre(t), done: make(chan struct{})}
		cfg.Name, cfg.Addr, cfg.SystemID, cfg.Password, cfg.DialFunc = "main-1", "pipe", "foo", "bar", r.dial
		r.bind = NewBind(cfg, deliver, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		r.stop = cancel
		go func() {
			defer close(r.done)
			if err := r.bind.Run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		}()
		test(t, r)
		cancel()
		<-r.done
	})
}

// batch makes n parts and collects their results.
func newBatch(n int) (*Batch, *results) {
	got := &results{all: make([][]Result, n), late: make(map[int]Result)}
	b := &Batch{Parts: make([]Part, n), Done: got.done, Late: got.lateOne}
	for i := range b.Parts {
		b.Parts[i].Message = pdu.SubmitSM{
			SourceTON: pdu.TONAlphanumeric, Source: "HELPLN", DestTON: 1, DestNPI: 1, Destination: "919812345678",
			ShortMessage: []byte{byte(i >> 8), byte(i)},
		}
	}
	return b, got
}

type results struct {
	mu   sync.Mutex
	all  [][]Result
	late map[int]Result
}

func (r *results) done(i int, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[i] = append(r.all[i], result)
}

func (r *results) lateOne(i int, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late[i] = result
}

// outcomes is the outcome of each part; it fails the test where a part has more than one result.
func (r *results) outcomes(t *testing.T) []Outcome {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Outcome, len(r.all))
	for i, list := range r.all {
		if len(list) > 1 {
			t.Errorf("part %d has %d results: %v", i, len(list), list)
		}
		if len(list) > 0 {
			out[i] = list[0].Outcome
		}
	}
	return out
}

func (r *results) one(t *testing.T, i int) Result {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all[i]) != 1 {
		t.Fatalf("part %d has %d results", i, len(r.all[i]))
	}
	return r.all[i][0]
}

// inFlight starts Send on a goroutine of its own and returns a channel that is closed when it has returned.
func inFlight(ctx context.Context, b *Bind, batch *Batch) <-chan struct{} {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		b.Send(ctx, batch)
	}()
	return returned
}

func has(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pass lets fake time go by.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}
