package smpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"pukar/smpp/pdu"
)

// The three types of bind, as the configuration spells them.
const (
	TypeTransceiver = "transceiver" // sends and receives
	TypeTransmitter = "transmitter" // sends only
	TypeReceiver    = "receiver"    // receives only
)

// Defaults of BindConfig.
const (
	DefaultWindow          = 10
	DefaultResponseTimeout = 10 * time.Second
	DefaultEnquireInterval = 30 * time.Second
	DefaultDeliveryLimit   = 10_000
)

// MaxWindow bounds BindConfig.Window.
const MaxWindow = 100_000

// BindConfig is one connection to a message centre. Zero fields take the defaults given with them.
type BindConfig struct {
	Name       string // for logs and Status
	Addr       string // host:port
	SystemID   string // at most 15 octets
	Password   string // at most 8 octets; no error, log or %v ever shows it
	SystemType string
	Type       string // transceiver (the default), transmitter or receiver

	AddrTON, AddrNPI byte
	AddressRange     string

	// Window is how many submits may await their response; 10. It is agreed with the operator, not negotiated.
	Window int
	// PartsPerSecond is the bind's own rate, spread evenly; 0 is no limit.
	PartsPerSecond float64
	// ResponseTimeout bounds the wait for each response, that to the bind included; 10 s.
	ResponseTimeout time.Duration
	// EnquireInterval is how long nothing may come from the centre before it is asked whether it lives; 30 s.
	EnquireInterval time.Duration
	// DialTimeout and WriteTimeout bound a connection attempt and one write; 10 s.
	DialTimeout, WriteTimeout time.Duration
	// ReconnectFirst and ReconnectLimit bound the wait before the next attempt, which doubles; 1 s and 60 s.
	ReconnectFirst, ReconnectLimit time.Duration
	// DeliveryLimit is how many deliveries may be unanswered; more are refused with a temporary error; 10,000.
	DeliveryLimit int

	// DialFunc opens the connection; nil dials TCP. Tests give a pipe, and a caller with TLS its own.
	DialFunc func(ctx context.Context, addr string) (net.Conn, error)
}

// String leaves the password out.
func (c BindConfig) String() string {
	return fmt.Sprintf("bind %s: %s %s@%s", c.Name, c.Type, c.SystemID, c.Addr)
}

// GoString leaves the password out.
func (c BindConfig) GoString() string { return c.String() }

func (c BindConfig) withDefaults() BindConfig {
	setDefault(&c.Type, TypeTransceiver)
	setDefault(&c.Name, c.SystemID+"@"+c.Addr)
	setDefault(&c.Window, DefaultWindow)
	setDefault(&c.ResponseTimeout, DefaultResponseTimeout)
	setDefault(&c.EnquireInterval, DefaultEnquireInterval)
	setDefault(&c.DialTimeout, 10*time.Second)
	setDefault(&c.WriteTimeout, 10*time.Second)
	setDefault(&c.ReconnectFirst, time.Second)
	setDefault(&c.ReconnectLimit, time.Minute)
	setDefault(&c.DeliveryLimit, DefaultDeliveryLimit)
	if c.DialFunc == nil {
		c.DialFunc = func(ctx context.Context, addr string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports every problem at once.
func (c BindConfig) validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Addr == "" {
		add("addr is empty")
	}
	if _, ok := bindCommands[c.Type]; !ok {
		add("unknown type %q: known are %s, %s, %s", c.Type, TypeTransceiver, TypeTransmitter, TypeReceiver)
	}
	if c.Window < 1 || c.Window > MaxWindow {
		add("window %d is not between 1 and %d", c.Window, MaxWindow)
	}
	if c.PartsPerSecond < 0 {
		add("parts_per_second %g is negative", c.PartsPerSecond)
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"response_timeout", c.ResponseTimeout},
		{"enquire_interval", c.EnquireInterval},
		{"dial_timeout", c.DialTimeout},
		{"write_timeout", c.WriteTimeout},
		{"reconnect_first", c.ReconnectFirst},
		{"reconnect_limit", c.ReconnectLimit},
	} {
		if d.value < 0 {
			add("%s %s is negative", d.key, d.value)
		}
	}
	if c.DeliveryLimit < 0 {
		add("delivery_limit %d is negative", c.DeliveryLimit)
	}
	request := c.request()
	if _, err := request.Append(nil, pdu.BindTransceiverID, 1); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return fmt.Errorf("bind %s: %w", c.Name, errors.Join(problems...))
	}
	return nil
}

var bindCommands = map[string]pdu.ID{
	TypeTransceiver: pdu.BindTransceiverID,
	TypeTransmitter: pdu.BindTransmitterID,
	TypeReceiver:    pdu.BindReceiverID,
}

func (c BindConfig) request() pdu.Bind {
	return pdu.Bind{
		SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType, InterfaceVersion: pdu.InterfaceVersion34,
		AddrTON: c.AddrTON, AddrNPI: c.AddrNPI, AddressRange: c.AddressRange,
	}
}
