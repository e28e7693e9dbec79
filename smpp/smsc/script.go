package smsc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"pukar/smpp/pdu"
)

// Step is one thing that a scripted peer does; the functions below make them, and a test may write its own.
type Step func(ctx context.Context, p *Peer) error

// Peer is the connection of a script that runs, and the unit that it expected last.
type Peer struct {
	Conn   net.Conn
	Header pdu.Header // of the last unit that was expected
	Body   []byte     // valid until the next one is read

	r   *bufio.Reader
	buf []byte
}

// Script plays the centre's end of one connection by the letter, for tests of what no working centre does. It returns when all
// steps are done, or at the first that fails, and closes the connection either way. Cancelling ctx ends it.
func Script(ctx context.Context, conn net.Conn, steps ...Step) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	p := &Peer{Conn: conn, r: bufio.NewReader(conn)}
	for i, step := range steps {
		if err := step(ctx, p); err != nil {
			return fmt.Errorf("script step %d: %w", i+1, errors.Join(err, context.Cause(ctx)))
		}
	}
	return nil
}

// Expect reads the next unit, which must be of the given command. An enquire_link that comes instead is answered and passed over.
func Expect(id pdu.ID) Step {
	return func(_ context.Context, p *Peer) error {
		for {
			var err error
			if p.Header, p.Body, p.buf, err = pdu.ReadPDU(p.r, p.buf); err != nil {
				return fmt.Errorf("expect %s: %w", id, err)
			}
			if p.Header.ID == id {
				return nil
			}
			if p.Header.ID != pdu.EnquireLinkID {
				return fmt.Errorf("expect %s: got %s with sequence %d", id, p.Header.ID, p.Header.Sequence)
			}
			if _, err := p.Conn.Write(pdu.AppendHeaderOnly(nil, pdu.EnquireLinkRespID, pdu.StatusOK, p.Header.Sequence)); err != nil {
				return fmt.Errorf("answer enquire_link: %w", err)
			}
		}
	}
}

// ExpectBind reads a bind of any of the three kinds and answers it with the given status.
func ExpectBind(status pdu.Status) Step {
	return func(_ context.Context, p *Peer) error {
		var err error
		if p.Header, p.Body, p.buf, err = pdu.ReadPDU(p.r, p.buf); err != nil {
			return fmt.Errorf("expect a bind: %w", err)
		}
		switch p.Header.ID {
		case pdu.BindTransceiverID, pdu.BindTransmitterID, pdu.BindReceiverID:
		default:
			return fmt.Errorf("expect a bind: got %s", p.Header.ID)
		}
		resp := pdu.BindResp{SystemID: "script"}
		_, err = p.Conn.Write(resp.Append(nil, pdu.ResponseID(p.Header.ID), status, p.Header.Sequence))
		return err
	}
}

// RespondSubmit answers the submit_sm that was expected last.
func RespondSubmit(status pdu.Status, messageID string) Step {
	return func(_ context.Context, p *Peer) error {
		resp := pdu.SubmitSMResp{MessageID: messageID}
		_, err := p.Conn.Write(resp.Append(nil, status, p.Header.Sequence))
		return err
	}
}

// Respond answers the unit that was expected last with a header only.
func Respond(status pdu.Status) Step {
	return func(_ context.Context, p *Peer) error {
		_, err := p.Conn.Write(pdu.AppendHeaderOnly(nil, pdu.ResponseID(p.Header.ID), status, p.Header.Sequence))
		return err
	}
}

// Send writes octets as they are, each slice with a write of its own, so that a unit can be split where a test wants it.
func Send(pieces ...[]byte) Step {
	return func(_ context.Context, p *Peer) error {
		for _, b := range pieces {
			if _, err := p.Conn.Write(b); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		}
		return nil
	}
}

// Deliver writes a deliver_sm.
func Deliver(m pdu.DeliverSM, sequence uint32) Step {
	return func(_ context.Context, p *Peer) error {
		b, err := m.Append(nil, sequence)
		if err != nil {
			return err
		}
		_, err = p.Conn.Write(b)
		return err
	}
}

// Wait lets time pass.
func Wait(d time.Duration) Step {
	return func(ctx context.Context, _ *Peer) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WaitFor holds the script until the channel is closed or gives a value.
func WaitFor(signal <-chan struct{}) Step {
	return func(ctx context.Context, _ *Peer) error {
		select {
		case <-signal:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Drop closes the connection without a word.
func Drop() Step {
	return func(_ context.Context, p *Peer) error { return p.Conn.Close() }
}

// ExpectClose reads until the client closes the connection; whatever it sends before is thrown away.
func ExpectClose() Step {
	return func(_ context.Context, p *Peer) error {
		_, err := io.Copy(io.Discard, p.r)
		return err
	}
}
