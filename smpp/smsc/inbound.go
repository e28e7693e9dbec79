package smsc

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf16"

	"pukar/smpp/pdu"
)

// ErrNoReceiver is returned by Inject while no receiver or transceiver is bound, ErrUnsendable for a message that does not fit one
// part or has an impossible address.
var (
	ErrNoReceiver = errors.New("no receiver or transceiver is bound to the centre")
	ErrUnsendable = errors.New("message cannot be sent")
)

// inbound is a message from a handset on its way to a client.
type inbound struct {
	from, to string
	coding   byte
	text     []byte
	stop     bool          // the text is one of Options.StopTexts
	done     chan struct{} // closed when it is acknowledged or discarded; nil where nobody waits
	refused  pdu.Status    // why it was discarded
}

// Inject sends a message from a handset, as deliver_sm, to some receiver-capable bind, and waits until it is acknowledged with
// status zero, at most Options.InjectTimeout; after that the centre goes on trying by itself. The text is sent in the
// default alphabet where it has only letters that ASCII and GSM 03.38 write alike, else in UCS-2, and must fit one part:
// 160 of those letters, or 70 UTF-16 units.
func (c *Centre) Inject(from, to, text string) error {
	coding, octets, err := encodeText(text)
	if err != nil {
		return fmt.Errorf("inject a message: %w", err)
	}
	if from == "" || to == "" || len(from) > pdu.MaxAddress || len(to) > pdu.MaxAddress {
		return fmt.Errorf("%w: from has %d and to has %d characters, want 1 to %d", ErrUnsendable, len(from), len(to), pdu.MaxAddress)
	}
	m := &inbound{from: from, to: to, coding: coding, text: octets, done: make(chan struct{})}
	if err := c.queueInbound(m); err != nil {
		return fmt.Errorf("inject a message: %w", err)
	}
	wait := time.NewTimer(c.opts.InjectTimeout)
	defer wait.Stop()
	select {
	case <-m.done:
	case <-wait.C:
		return fmt.Errorf("inject a message: not acknowledged within %v", c.opts.InjectTimeout)
	case <-c.closed:
		return fmt.Errorf("inject a message: %w", net.ErrClosed)
	}
	if m.refused != pdu.StatusOK {
		return fmt.Errorf("inject a message: answered %s", pdu.StatusName(m.refused))
	}
	return nil
}

func (c *Centre) queueInbound(m *inbound) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.nextReceiver()
	if a == nil {
		return ErrNoReceiver
	}
	d := delivery{due: c.since(), inbound: c.register(m)}
	a.ready.push(&d)
	a.wake()
	return nil
}

// register keeps a handset's message until it is acknowledged. Centre.mu is held.
func (c *Centre) register(m *inbound) uint32 {
	for _, text := range c.opts.StopTexts {
		if _, octets, err := encodeText(text); err == nil && strings.EqualFold(string(octets), string(m.text)) {
			m.stop = true
		}
	}
	c.lastInbound++
	c.inbound[c.lastInbound] = m
	return c.lastInbound
}

// nextReceiver takes turns among the accounts that have a receiver bound. Centre.mu is held.
func (c *Centre) nextReceiver() *account {
	for range c.order {
		c.turn = (c.turn + 1) % len(c.order)
		if a := c.order[c.turn]; a.receives() {
			return a
		}
	}
	return nil
}

func (m *inbound) append(dst []byte, sequence uint32) ([]byte, error) {
	unit := pdu.DeliverSM{
		SourceTON: pdu.TONInternational, SourceNPI: pdu.NPIISDN, Source: m.from,
		DestTON: pdu.TONUnknown, DestNPI: pdu.NPIISDN, Destination: m.to,
		DataCoding: m.coding, ShortMessage: m.text,
	}
	return unit.Append(dst, sequence)
}

// encodeText chooses between the default alphabet and UCS-2. Of the default alphabet it uses only what ASCII writes with the
// same octet, so that a client that takes data_coding 0 for ASCII or for GSM 03.38 reads the same.
func encodeText(text string) (coding byte, octets []byte, err error) {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		b := text[i]
		plain = b == '\n' || b == '\r' || b >= ' ' && b < 0x7F && !strings.ContainsRune("$@[\\]^_`{|}~", rune(b))
	}
	if plain {
		if len(text) > 160 {
			return 0, nil, fmt.Errorf("%w: %d characters are more than the 160 of one part", ErrUnsendable, len(text))
		}
		return pdu.DataCodingDefault, []byte(text), nil
	}
	units := utf16.Encode([]rune(text))
	if len(units) > 70 {
		return 0, nil, fmt.Errorf("%w: %d UTF-16 units are more than the 70 of one part", ErrUnsendable, len(units))
	}
	octets = make([]byte, 0, 2*len(units))
	for _, u := range units {
		octets = append(octets, byte(u>>8), byte(u))
	}
	return pdu.DataCodingUCS2, octets, nil
}
