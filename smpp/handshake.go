package smpp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"pukar/smpp/pdu"
)

// bindSequence numbers the bind request, the first unit of every session.
const bindSequence = 1

// connect dials and binds. What the peer sent behind its response stays in the reader of the session.
func (b *Bind) connect(ctx context.Context) (*session, error) {
	dial, cancel := context.WithTimeout(ctx, b.cfg.DialTimeout)
	defer cancel()
	conn, err := b.cfg.DialFunc(dial, b.cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", b.cfg.Addr, err)
	}
	// Neither side's silence nor a stop may leave the handshake waiting.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	in, err := b.handshake(conn)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return newSession(b, conn, in, bindSequence), nil
}

func (b *Bind) handshake(conn net.Conn) (*bufio.Reader, error) {
	command := bindCommands[b.cfg.Type]
	request := b.cfg.request()
	out, err := request.Append(nil, command, bindSequence)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(b.cfg.ResponseTimeout)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	if _, err := conn.Write(out); err != nil {
		return nil, fmt.Errorf("write %s: %w", commandName(command), err)
	}
	in := bufio.NewReaderSize(conn, readBuffer)
	var buf []byte
	for {
		var h pdu.Header
		if h, _, buf, err = pdu.ReadPDU(in, buf); err != nil {
			return nil, fmt.Errorf("read answer to %s: %w", commandName(command), err)
		}
		// Anything else, such as an outbind, comes too early to mean something. The sequence number is not looked at: only one
		// request is out, and there are centres that do not repeat it.
		if h.ID != pdu.ResponseID(command) && h.ID != pdu.GenericNackID {
			continue
		}
		if h.Status != pdu.StatusOK || h.ID == pdu.GenericNackID {
			return nil, &StatusError{Command: command, Status: h.Status}
		}
		if err := conn.SetDeadline(time.Time{}); err != nil {
			return nil, fmt.Errorf("clear deadline: %w", err)
		}
		return in, nil
	}
}
