package smsc

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"pukar/smpp/pdu"
)

// The forms of message ids, for Options.IDForm: first the form in the response, then the one in the receipt where it differs.
const (
	IDDecimal    = "decimal"
	IDHex        = "hex"
	IDHexDecimal = "hex-decimal"
	IDDecimalHex = "decimal-hex"
	IDPaddedHex  = "padded-hex" // 16 upper-case digits with leading zeros in the response; lower case without them in the receipt
	IDUUID       = "uuid"
)

// The forms of receipts, for Options.ReceiptForm.
const (
	ReceiptText = "text" // the text of SMPP 3.4, appendix B
	ReceiptTLV  = "tlv"  // receipted_message_id, message_state and network_error_code, with an empty short_message
	ReceiptBoth = "both"
)

// Options says how a centre behaves. The zero value is a well-behaved centre on a free port of 127.0.0.1 that takes any
// credentials and delivers every message at once. Ratios go from 0 to 1.
type Options struct {
	// Addr is the TCP address to listen at; default "127.0.0.1:0", a free port.
	Addr string
	// Listener, if set, is used instead of Addr; Pipe is one without a network.
	Listener net.Listener
	// SystemID is the centre's own name in bind responses; default "pukar-smsc".
	SystemID string
	// Credentials are passwords by system id; nil takes anyone. An unknown system id is answered 0x0F, a wrong password 0x0E.
	Credentials map[string]string
	// BindStatus, if not zero, refuses every bind with this status.
	BindStatus pdu.Status
	// MaxBinds is the most connections that a system id may have bound at once; the next is answered 0x05. 0: no limit.
	MaxBinds int
	// EnquireInterval is after how long a silence the centre sends enquire_link; after three such intervals it drops the
	// line. Default 30 s, negative never.
	EnquireInterval time.Duration

	// IDForm is one of the ID constants; default IDDecimal.
	IDForm string
	// FirstID is the number behind the first message id; default from the clock, so that a restarted centre goes on with
	// ids that it did not use.
	FirstID uint64

	// ReceiptDelay is the time from a submit to its receipt, to which up to ReceiptDelayJitter is added.
	ReceiptDelay, ReceiptDelayJitter time.Duration
	// ReceiptForm is one of the Receipt constants; default ReceiptBoth.
	ReceiptForm string
	// DeliverRatio, FailRatio and ExpireRatio share out the messages that were accepted. DeliverRatio zero is what the other two
	// leave; otherwise what the three leave never gets a receipt. A message whose validity_period ends before its
	// receipt's delay expires in any case.
	DeliverRatio, FailRatio, ExpireRatio float64
	// FailCode is the error code of what fails, such as one of the DLT checks; default one of those that networks use.
	FailCode uint16
	// Seed varies which messages meet which fate.
	Seed uint64
	// ReceiptBeforeResponse sends the receipt at once and the response 20 ms later, or after ResponseDelay if that is longer.
	ReceiptBeforeResponse bool
	// DuplicateReceipts sends every receipt twice.
	DuplicateReceipts bool
	// ReceiptWindow is the most deliver_sm that one connection has unacknowledged at once; default 500.
	ReceiptWindow int
	// RedeliverAfter is how long a deliver_sm may be unacknowledged before it is sent again; default 60 s.
	RedeliverAfter time.Duration
	// RetryAfter is how long a deliver_sm that was answered with an error rests before it is sent again; default 5 s. The
	// answers 0x65 and 0x66 are final.
	RetryAfter time.Duration
	// CollidingSequence gives deliver_sm the sequence numbers of submits that are still unanswered, as a centre may: the
	// two ends number independently. Responses are held back 20 ms, so that some are. Otherwise the centre counts
	// from 0x40000000, where no client gets to.
	CollidingSequence bool

	// ThrottleAbove is the most parts a second taken from one system id, with a tenth of a second's worth of grace; what comes
	// above it is answered 0x58. 0: no limit.
	ThrottleAbove float64
	// ThrottleRatio of the submits, whichever they are, are answered 0x58.
	ThrottleRatio float64
	// RefuseRatio of the messages are refused with RefuseStatus; default status 0x0B.
	RefuseRatio  float64
	RefuseStatus pdu.Status
	// SilentRatio of the messages are accepted, get their receipt, but never an answer to the submit.
	SilentRatio float64
	// ResponseDelay holds every submit_sm_resp back.
	ResponseDelay time.Duration
	// Window is the most submits that one connection may have unanswered at once; what comes above it is answered 0x58. It
	// matters mostly with a ResponseDelay. 0: no limit.
	Window int
	// DropBeforeResponse cuts the line at the n-th submit that the centre gets, accepted but not answered;
	// DropAfterResponse right after its answer. DropRepeat does so at every n-th, not only once.
	DropBeforeResponse, DropAfterResponse int
	DropRepeat                            bool
	// RequireDLT refuses a submit that lacks the optional parameters 0x1400 (entity) or 0x1401 (template), with DLTStatus;
	// default status 0xC3.
	RequireDLT bool
	DLTStatus  pdu.Status

	// StopRatio of the handsets answer a delivered message with one of StopTexts (default "STOP"), StopDelay after its
	// delivery. The answer goes to ReplyTo; default is the address that the message came from, although a real header
	// of letters takes no replies.
	StopRatio float64
	StopTexts []string
	StopDelay time.Duration
	ReplyTo   string
	// InjectTimeout bounds the wait of Inject for the acknowledgement; default 30 s.
	InjectTimeout time.Duration

	// Record, if set, gets a CSV line per submit under a header line, flushed every second, on Flush and on Close.
	Record io.Writer
	// DuplicateLimit is how many different messages are remembered to count duplicates, at 11 to 22 octets each; default 64
	// million. Beyond it Stats.DuplicatesPartial is true. Negative: none are remembered.
	DuplicateLimit int
}

// heldBack is how long a response waits where something must certainly come before it.
const heldBack = 20 * time.Millisecond

func (o Options) withDefaults() Options {
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	o.SystemID = cmp.Or(o.SystemID, "pukar-smsc")
	o.EnquireInterval = cmp.Or(o.EnquireInterval, 30*time.Second)
	o.IDForm = cmp.Or(o.IDForm, IDDecimal)
	// Milliseconds times a thousand: ids do not repeat across restarts below a million messages a second.
	o.FirstID = cmp.Or(o.FirstID, uint64(time.Now().UnixMilli())*1000)
	o.ReceiptForm = cmp.Or(o.ReceiptForm, ReceiptBoth)
	o.DeliverRatio = cmp.Or(o.DeliverRatio, 1-o.FailRatio-o.ExpireRatio)
	o.ReceiptWindow = cmp.Or(o.ReceiptWindow, 500)
	o.RedeliverAfter = cmp.Or(o.RedeliverAfter, time.Minute)
	o.RetryAfter = cmp.Or(o.RetryAfter, 5*time.Second)
	o.RefuseStatus = cmp.Or(o.RefuseStatus, pdu.StatusInvalidDestination)
	o.DLTStatus = cmp.Or(o.DLTStatus, pdu.StatusMissingOptional)
	o.InjectTimeout = cmp.Or(o.InjectTimeout, 30*time.Second)
	o.DuplicateLimit = cmp.Or(o.DuplicateLimit, 64_000_000)
	if len(o.StopTexts) == 0 {
		o.StopTexts = []string{"STOP"}
	}
	if o.ReceiptBeforeResponse || o.CollidingSequence {
		o.ResponseDelay = max(o.ResponseDelay, heldBack)
	}
	return o
}

// validate reports everything that is wrong at once.
func (o *Options) validate() error {
	var all []error
	for _, r := range []struct {
		name  string
		value float64
	}{
		{"deliver ratio", o.DeliverRatio}, {"fail ratio", o.FailRatio}, {"expire ratio", o.ExpireRatio},
		{"throttle ratio", o.ThrottleRatio}, {"refuse ratio", o.RefuseRatio}, {"silent ratio", o.SilentRatio}, {"stop ratio", o.StopRatio},
	} {
		if !(r.value >= 0 && r.value <= 1) {
			all = append(all, fmt.Errorf("%s %v is not between 0 and 1", r.name, r.value))
		}
	}
	// The sum of three decimal fractions may miss 1 by a rounding error.
	if sum := o.DeliverRatio + o.FailRatio + o.ExpireRatio; sum > 1+1e-9 {
		all = append(all, fmt.Errorf("deliver, fail and expire ratio add up to %v, more than 1", sum))
	}
	if _, ok := idForms[o.IDForm]; !ok {
		all = append(all, fmt.Errorf("unknown id form %q: known are decimal, hex, hex-decimal, decimal-hex, padded-hex, uuid", o.IDForm))
	}
	switch o.ReceiptForm {
	case ReceiptText, ReceiptTLV, ReceiptBoth:
	default:
		all = append(all, fmt.Errorf("unknown receipt form %q: known are text, tlv, both", o.ReceiptForm))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"receipt delay", o.ReceiptDelay}, {"receipt delay jitter", o.ReceiptDelayJitter}, {"response delay", o.ResponseDelay},
		{"redeliver after", o.RedeliverAfter}, {"retry after", o.RetryAfter}, {"stop delay", o.StopDelay},
	} {
		if d.value < 0 {
			all = append(all, fmt.Errorf("%s %v is negative", d.name, d.value))
		}
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"max binds", o.MaxBinds}, {"receipt window", o.ReceiptWindow}, {"window", o.Window},
		{"drop before response", o.DropBeforeResponse}, {"drop after response", o.DropAfterResponse},
	} {
		if n.value < 0 {
			all = append(all, fmt.Errorf("%s %d is negative", n.name, n.value))
		}
	}
	if !(o.ThrottleAbove >= 0) {
		all = append(all, fmt.Errorf("throttle above %v is negative", o.ThrottleAbove))
	}
	for _, text := range o.StopTexts {
		if _, _, err := encodeText(text); err != nil {
			all = append(all, fmt.Errorf("stop text %q: %w", text, err))
		}
	}
	return errors.Join(all...)
}
