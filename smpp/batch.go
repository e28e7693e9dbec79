package smpp

import (
	"errors"
	"fmt"
	"time"

	"pukar/smpp/pdu"
)

// Why a part was not sent, or why its outcome is not known: Result.Err is one of these, or wraps one, or is the cause of the
// caller's context.
var (
	// ErrNotBound says that the bind had no session, or one that cannot submit, when the part was handed over.
	ErrNotBound = errors.New("not bound")
	// ErrDraining says that the bind is being stopped and takes no new parts.
	ErrDraining = errors.New("bind is draining")
	// ErrSendBy says that Batch.SendBy passed before the part's turn came.
	ErrSendBy = errors.New("send-by time passed")
	// ErrNotAllowed says that Batch.Allow answered no.
	ErrNotAllowed = errors.New("not allowed")
	// ErrNoResponse says that no response came within the response timeout.
	ErrNoResponse = errors.New("no response in time")
	// ErrLine says that the connection broke.
	ErrLine = errors.New("connection lost")
	// ErrPeerUnbound says that the centre ended the session with an unbind.
	ErrPeerUnbound = errors.New("centre unbound")
	// ErrPeerSilent says that the centre left an enquire_link without an answer.
	ErrPeerSilent = errors.New("centre silent")
	// ErrCannotEncode says that a field of the part is longer than SMPP allows; the limit is in the wrapped error.
	ErrCannotEncode = errors.New("part cannot be encoded")
)

// Part is one submit_sm.
type Part struct {
	Message pdu.SubmitSM
	// NotBefore is the time slot that a throttle gave the part; zero means now.
	NotBefore time.Time
}

// Batch is a list of parts that go to one bind in their order. The batch and its parts must not change until Done was called for
// each of them.
type Batch struct {
	Parts []Part
	// SendBy is checked immediately before each part is encoded for writing; later, the part is NotSent. Zero means no limit. Keep the
	// monotonic reading of time.Now in it, so that a step of the wall clock does not matter.
	SendBy time.Time
	// Allow is asked on the writer's goroutine immediately before part i is encoded; false makes it NotSent. It must not block.
	// Nil means yes.
	Allow func(i int) bool
	// Done is called exactly once for each part, from a goroutine of the session or, for what is given up, that of Send; so for
	// different parts it may run at the same time. It must not block: while it does, window slots stay taken and results
	// wait, though acknowledgements and receipts go on.
	Done func(i int, r Result)
	// Late is called when a response comes after Done reported Unknown for its part, while the session lives and remembers it: a
	// minute or two, and some thousand parts. What it captures stays in memory for as long. May be nil.
	Late func(i int, r Result)
}

// Outcome is what became of a part.
type Outcome uint8

// The outcomes.
const (
	// Accepted is a response with status zero.
	Accepted Outcome = iota + 1
	// Refused is a response of class permanent or configuration, or a part that cannot be encoded.
	Refused
	// Throttled is a response of class throttled: not an attempt.
	Throttled
	// Transient is a response of class transient.
	Transient
	// NotSent is a part of which no byte was handed to the connection.
	NotSent
	// Unknown is a part of which bytes may have left and for which no response came.
	Unknown
)

var outcomeNames = [...]string{"", "accepted", "refused", "throttled", "transient", "not_sent", "unknown"}

// String is the outcome's name as the ledger spells it.
func (o Outcome) String() string {
	if o > 0 && int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Result is the outcome of one part.
type Result struct {
	Outcome   Outcome
	Status    pdu.Status // of the response; zero where there was none; 0x01 for a part that cannot be encoded
	MessageID string     // the centre's id of an accepted part, as it was sent
	At        time.Time  // when the response came, or the part was given up
	// Took is the time from the write to the response; zero where there was none.
	Took time.Duration
	Err  error // why, for NotSent, Unknown and a part that cannot be encoded
}

// respond is the result that a response means.
func respond(status pdu.Status, messageID string, at time.Time) Result {
	r := Result{Status: status, At: at}
	switch Classify(status) {
	case ClassSuccess:
		r.Outcome, r.MessageID = Accepted, messageID
	case ClassThrottled:
		r.Outcome = Throttled
	case ClassTransient:
		r.Outcome = Transient
	default:
		r.Outcome = Refused
	}
	return r
}
