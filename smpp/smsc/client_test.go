package smsc

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pukar/smpp/pdu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unit is what a client got.
type unit struct {
	pdu.Header
	body []byte
	at   time.Time
}

// client is a plain SMPP client: everything that comes is put into units, which are closed at the end of the connection.
type client struct {
	t        testing.TB
	conn     net.Conn
	units    chan unit
	sequence uint32
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Helper()
	c := &client{t: t, conn: conn, units: make(chan unit, 10_000)}
	go func() {
		defer close(c.units)
		r := bufio.NewReader(conn)
		for {
			h, body, _, err := pdu.ReadPDU(r, nil)
			if err != nil {
				return
			}
			c.units <- unit{h, bytes.Clone(body), time.Now()}
		}
	}()
	return c
}

// open makes a centre in memory; it is closed at the end of the test, or before.
func open(t testing.TB, opts Options) (*Centre, *Pipe) {
	t.Helper()
	pipe := NewPipe()
	opts.Listener = pipe
	// Clients of these tests do not answer; where enquire_link matters it is set.
	opts.EnquireInterval = cmp.Or(opts.EnquireInterval, -1)
	c := New(opts, slog.New(slog.DiscardHandler))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, pipe
}

func dial(t testing.TB, pipe *Pipe) *client {
	t.Helper()
	conn, err := pipe.Dial(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

// bound dials and binds a transceiver.
func bound(t testing.TB, pipe *Pipe, systemID string) *client {
	t.Helper()
	c := dial(t, pipe)
	if status := c.bind(pdu.BindTransceiverID, systemID, ""); status != pdu.StatusOK {
		t.Fatalf("bind of %s: %s", systemID, pdu.StatusName(status))
	}
	return c
}

func (c *client) close() {
	c.conn.Close()
	for range c.units {
	}
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Errorf("client writes: %v", err)
	}
}

func (c *client) bind(id pdu.ID, systemID, password string) pdu.Status {
	c.t.Helper()
	c.sequence++
	b := pdu.Bind{SystemID: systemID, Password: password, InterfaceVersion: pdu.InterfaceVersion34}
	out, err := b.Append(nil, id, c.sequence)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(out)
	return c.expect(pdu.ResponseID(id)).Status
}

func message(to, text string) pdu.SubmitSM {
	return pdu.SubmitSM{
		SourceTON: pdu.TONAlphanumeric, Source: "HELPLN", DestTON: pdu.TONInternational, DestNPI: pdu.NPIISDN, Destination: to,
		RegisteredDelivery: pdu.RegisteredBoth, ShortMessage: []byte(text),
	}
}

func (c *client) submit(m pdu.SubmitSM) uint32 {
	c.t.Helper()
	c.sequence++
	b, err := m.Append(nil, c.sequence)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(b)
	return c.sequence
}

// next is the next unit that comes within two minutes; ok is false at the end of the connection.
func (c *client) next() (u unit, ok bool) {
	c.t.Helper()
	timer := time.NewTimer(2 * time.Minute)
	defer timer.Stop()
	select {
	case u, ok = <-c.units:
		return u, ok
	case <-timer.C:
		c.t.Error("nothing came for two minutes")
		return u, false
	}
}

func (c *client) expect(id pdu.ID) unit {
	c.t.Helper()
	u, ok := c.next()
	if !ok {
		c.t.Fatalf("want %s, connection ended", id)
	}
	if u.ID != id {
		c.t.Fatalf("want %s, got %s with status %s", id, u.ID, pdu.StatusName(u.Status))
	}
	return u
}

func (c *client) expectEnd() {
	c.t.Helper()
	if u, ok := c.next(); ok {
		c.t.Errorf("want the connection to end, got %s", u.ID)
	}
}

// quiet fails if anything comes within the given time.
func (c *client) quiet(d time.Duration) {
	c.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case u, ok := <-c.units:
		if !ok {
			c.t.Error("want silence, connection ended")
		} else {
			c.t.Errorf("want silence for %v, got %s", d, u.ID)
		}
	case <-timer.C:
	}
}

// accepted submits and returns the message id.
func (c *client) accepted(m pdu.SubmitSM) string {
	c.t.Helper()
	c.submit(m)
	u := c.expect(pdu.SubmitSMRespID)
	if u.Status != pdu.StatusOK {
		c.t.Fatalf("submit answered %s", pdu.StatusName(u.Status))
	}
	var resp pdu.SubmitSMResp
	if err := resp.Decode(u.body); err != nil {
		c.t.Fatal(err)
	}
	return resp.MessageID
}

func (c *client) deliver() (unit, pdu.DeliverSM) {
	c.t.Helper()
	u := c.expect(pdu.DeliverSMID)
	return u, decodeDeliver(c.t, u)
}

func decodeDeliver(t testing.TB, u unit) pdu.DeliverSM {
	t.Helper()
	var m pdu.DeliverSM
	if err := m.Decode(u.body); err != nil {
		t.Fatal(err)
	}
	return m
}

func (c *client) ack(u unit, status pdu.Status) {
	c.t.Helper()
	c.write((&pdu.DeliverSMResp{}).Append(nil, status, u.Sequence))
}
