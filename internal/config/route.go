package config

import (
	"fmt"
	"time"
)

// Route is a way out: binds to one message centre with their rate, price and sender.
type Route struct {
	// Name is what campaigns call it.
	Name string `key:"name"`
	// Binds are its connections.
	Binds []Bind `key:"binds"`
	// PartsPerSecond limits all binds together, in message parts a second; 0 is no limit.
	PartsPerSecond float64 `key:"parts_per_second"`
	// InrPerPart is the price of one part in rupees, a decimal such as 0.1450; "0" by default.
	InrPerPart string `key:"inr_per_part"`
	// Receipts says whether the centre sends delivery receipts; without them a message ends as sent. True by default.
	Receipts bool `key:"receipts"`
	// Simulated marks a route to a simulator, the only kind that invented people may be sent to.
	Simulated bool `key:"simulated"`
	// Header is the sender's address where the template names none: six letters in India.
	Header string `key:"header"`
	// SourceTON and SourceNPI type the sender's address (SMPP 3.4, 5.2.5 and 5.2.6); 5, alphanumeric, and 0.
	SourceTON int `key:"source_ton"`
	SourceNPI int `key:"source_npi"`
	// DestTON and DestNPI type the recipient's number; 1, international, and 1, E.164.
	DestTON int `key:"dest_ton"`
	DestNPI int `key:"dest_npi"`
	// DLT are the registrations that Indian operators ask for with every message.
	DLT DLT `key:"dlt"`
	// Centre is the identity of the message centre, in whose name space message ids are unique. By default it is made
	// from the first bind's address and system id; set it where several routes reach one centre, and keep it when an
	// address changes.
	Centre string `key:"centre"`
	// ErrorCodes says for error codes of this operator's receipts, or of its refusals above 0x180, what they mean:
	// configuration (all messages fail: a burst pauses the run), permanent (this number) or transient. It goes over
	// the meanings that are known, since operators' numbers conflict.
	ErrorCodes map[string]string `key:"error_codes"`
	// Validity says how the end of a message's window is given to the centre (SMPP 3.4, 7.1.1): relative to the submission
	// (the default), absolute in Indian time for centres that only take that, or none.
	Validity string `key:"validity"`
}

// The forms of a route's validity.
const (
	ValidityRelative = "relative"
	ValidityAbsolute = "absolute"
	ValidityNone     = "none"
)

// What an error code can mean.
const (
	ErrorConfiguration = "configuration"
	ErrorPermanent     = "permanent"
	ErrorTransient     = "transient"
)

// DLT are the ids of the Indian registration of senders and templates, and the tags they travel under.
type DLT struct {
	// EntityID is the 19-digit id of the principal entity, the organisation in whose name messages go out.
	EntityID string `key:"entity_id"`
	// TelemarketerID is the 19-digit id of the telemarketer that submits, if any.
	TelemarketerID string `key:"telemarketer_id"`
	// Chain lists the 19-digit ids of the telemarketers between entity and operator, in order.
	Chain []string `key:"chain"`
	// Tags number the optional parameters. Operators differ, hence they can be set.
	Tags Tags `key:"tags"`
}

// Tags are the numbers of the SMPP optional parameters (vendor range, 0x1400 to 0x3FFF) that carry DLT ids.
type Tags struct {
	EntityID   int `key:"entity_id"`   // 0x1400 by default
	TemplateID int `key:"template_id"` // 0x1401 by default
	Chain      int `key:"chain"`       // 0x1402 by default
}

// Bind is one SMPP connection.
type Bind struct {
	// Name identifies it in status and logs; by default the route's name with a number, as in main-1.
	Name string `key:"name"`
	// Addr is host:port of the message centre.
	Addr string `key:"addr"`
	// SystemID, Password and SystemType are what the operator gave; at most 15, 8 and 12 octets.
	SystemID   string `key:"system_id"`
	Password   Secret `key:"password,file"`
	SystemType string `key:"system_type"`
	// Type is transceiver (the default), transmitter or receiver.
	Type string `key:"type"`
	// Window is how many submits may await their response at once; 10.
	Window int `key:"window"`
	// PartsPerSecond limits this bind alone; 0 is no limit.
	PartsPerSecond float64 `key:"parts_per_second"`
	// ResponseTimeout is how long a response is awaited; 10 s.
	ResponseTimeout time.Duration `key:"response_timeout"`
	// EnquireInterval is how long the line may be silent before the centre is asked whether it lives; 30 s.
	EnquireInterval time.Duration `key:"enquire_interval"`
	// AddrTON, AddrNPI and AddressRange say at the bind which numbers' messages we take; 0, 0 and empty by default.
	AddrTON      int    `key:"addr_ton"`
	AddrNPI      int    `key:"addr_npi"`
	AddressRange string `key:"address_range"`
}

// The types of a bind.
const (
	Transceiver = "transceiver"
	Transmitter = "transmitter"
	Receiver    = "receiver"
)

func (r *Route) setDefaults() {
	r.InrPerPart = "0"
	r.Receipts = true
	r.Validity = ValidityRelative
	r.SourceTON, r.SourceNPI = 5, 0
	r.DestTON, r.DestNPI = 1, 1
}

func (t *Tags) setDefaults() { t.EntityID, t.TemplateID, t.Chain = 0x1400, 0x1401, 0x1402 }

func (b *Bind) setDefaults() {
	b.Type = Transceiver
	b.Window = 10
	b.ResponseTimeout = 10 * time.Second
	b.EnquireInterval = 30 * time.Second
}

func (r *Route) complete() {
	for i := range r.Binds {
		if r.Binds[i].Name == "" {
			r.Binds[i].Name = fmt.Sprintf("%s-%d", r.Name, i+1)
		}
	}
	if r.Centre == "" && len(r.Binds) > 0 {
		r.Centre = r.Binds[0].SystemID + "@" + r.Binds[0].Addr
	}
}
