package campaign

import (
	"encoding/binary"
	"fmt"
)

// State is what became of a recipient. Every recipient of a run is in exactly one at any time.
type State uint8

// The states of a recipient, in the order in which outcome.counts holds them.
const (
	Pending    State = iota // untouched, in flight, or waiting to be tried again
	Suppressed              // said stop after the run was frozen
	Skipped                 // cancelled, out of its window, or could not be rendered
	Unknown                 // it cannot be known whether it left; not sent again
	Rejected                // the message centre refused a part for good
	Sent                    // accepted by the message centre, awaiting its receipt
	Delivered               // every part reached the handset
	Failed                  // a receipt said that a part will never arrive
	Expired                 // a receipt said that a part's validity ran out
	NoReceipt               // accepted, but no receipt came within receipt_wait
	stateCount
)

var stateNames = [stateCount]string{
	"pending", "suppressed", "skipped", "unknown", "rejected", "sent", "delivered", "failed", "expired", "no_receipt",
}

// String is the state's name in the report, the API and the command line.
func (s State) String() string {
	if s < stateCount {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// States lists every state in the order of outcome.counts.
func States() []State {
	all := make([]State, stateCount)
	for i := range all {
		all[i] = State(i)
	}
	return all
}

// Flags are facts about a whole recipient rather than about one part.
type Flags uint8

// The flags of a recipient.
const (
	FlagSuppressed Flags = 1 << iota // a stop came after the freeze
	FlagSkipped                      // skip holds the reason
	FlagWaited                       // receipt_wait has passed
)

// PartSet is a set of part numbers 1 to 16.
type PartSet uint16

// Part is the set that holds one part, counted from 1.
func Part(n int) PartSet { return 1 << (n - 1) }

func allParts(n uint8) PartSet { return PartSet(1<<n - 1) }

// Facts is everything known of a recipient, as sets that only ever grow. Merging is OR, so the
// order in which responses and receipts arrive, and how often, cannot change where it ends.
type Facts struct {
	Parts     uint8 // parts of the message; 0 until its first stride is recorded
	Flags     Flags
	Accepted  PartSet
	Refused   PartSet
	Delivered PartSet
	Failed    PartSet
	Expired   PartSet
	Unknown   PartSet
}

// Merge adds what another observation says.
func (f *Facts) Merge(more Facts) {
	f.Parts = max(f.Parts, more.Parts)
	f.Flags |= more.Flags
	f.Accepted |= more.Accepted
	f.Refused |= more.Refused
	f.Delivered |= more.Delivered
	f.Failed |= more.Failed
	f.Expired |= more.Expired
	f.Unknown |= more.Unknown
}

// State derives the recipient's state. A delivered part outweighs an earlier failure or expiry of the
// same part, because centres send such receipts in either order; one part refused, failed or expired
// decides for the whole message, because the handset cannot join the rest.
func (f Facts) State() State {
	all := allParts(f.Parts)
	if f.Parts > 0 && f.Delivered&all == all {
		return Delivered
	}
	known := f.Accepted | f.Delivered | f.Failed | f.Expired
	switch {
	case f.Refused&^(f.Accepted|f.Delivered) != 0:
		return Rejected
	case f.Failed&^f.Delivered != 0:
		return Failed
	case f.Expired&^f.Delivered != 0:
		return Expired
	case f.Parts > 0 && known&all == all && f.Flags&FlagWaited != 0:
		return NoReceipt
	case f.Parts > 0 && known&all == all:
		return Sent
	case f.Unknown&^known != 0:
		return Unknown
	case f.Flags&FlagSuppressed != 0:
		return Suppressed
	case f.Flags&FlagSkipped != 0:
		return Skipped
	}
	return Pending
}

// BlockSize is the number of recipients whose facts share a row of outcome.
const BlockSize = 1000

const factsSize = 16

// BlockOf is the block that holds a recipient, and its place there.
func BlockOf(seq int32) (block int32, index int) {
	return (seq - 1) / BlockSize, int((seq - 1) % BlockSize)
}

// DecodeBlock unpacks the facts of a row of outcome: recipient block*BlockSize+1 is the first.
func DecodeBlock(packed []byte) ([]Facts, error) {
	if len(packed)%factsSize != 0 || len(packed) > BlockSize*factsSize {
		return nil, fmt.Errorf("outcome block of %d bytes is not a whole number of recipients", len(packed))
	}
	facts := make([]Facts, len(packed)/factsSize)
	for i := range facts {
		facts[i] = decodeFacts(packed[i*factsSize:])
	}
	return facts, nil
}

func decodeFacts(b []byte) Facts {
	_ = b[factsSize-1]
	le := binary.LittleEndian
	return Facts{
		Parts: b[0], Flags: Flags(b[1]),
		Accepted: PartSet(le.Uint16(b[2:])), Refused: PartSet(le.Uint16(b[4:])),
		Delivered: PartSet(le.Uint16(b[6:])), Failed: PartSet(le.Uint16(b[8:])),
		Expired: PartSet(le.Uint16(b[10:])), Unknown: PartSet(le.Uint16(b[12:])),
	}
}

func (f Facts) encode(b []byte) {
	_ = b[factsSize-1]
	le := binary.LittleEndian
	b[0], b[1] = f.Parts, byte(f.Flags)
	le.PutUint16(b[2:], uint16(f.Accepted))
	le.PutUint16(b[4:], uint16(f.Refused))
	le.PutUint16(b[6:], uint16(f.Delivered))
	le.PutUint16(b[8:], uint16(f.Failed))
	le.PutUint16(b[10:], uint16(f.Expired))
	le.PutUint16(b[12:], uint16(f.Unknown))
}

// EncodeBlock packs facts as outcome holds them.
func EncodeBlock(facts []Facts) []byte {
	packed := make([]byte, len(facts)*factsSize)
	for i, f := range facts {
		f.encode(packed[i*factsSize:])
	}
	return packed
}
