package auditlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrInvalidEvent is returned for an event that cannot be recorded: no actor or action, or a before or after that is not JSON.
var ErrInvalidEvent = errors.New("invalid audit event")

// Event is a change to be recorded.
type Event struct {
	Actor   string // who: the operating system's user, a signed-in user, or "pukar" for the program itself
	Action  string // what, as noun.verb: campaign.launch, audience.import
	Subject string // the name or key of what was changed
	Before  any    // marshalled to JSON; nil when there was nothing
	After   any    // marshalled to JSON; nil when nothing is left
}

// Entry is a recorded event. Its JSON is a line of an export.
type Entry struct {
	ID       int64           `json:"id"`
	At       Time            `json:"at"`
	Actor    string          `json:"actor"`
	Action   string          `json:"action"`
	Subject  string          `json:"subject"`
	Before   json.RawMessage `json:"before,omitempty"` // canonical; absent when there was nothing
	After    json.RawMessage `json:"after,omitempty"`
	Previous Hash            `json:"previous"`
	Hash     Hash            `json:"hash"`
}

// Hash is a SHA-256 sum, written as lower-case hex.
type Hash [sha256.Size]byte

// String returns the hash in lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes what String returns.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("hash of %d digits, want %d", len(text), hex.EncodedLen(len(h)))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// timeFormat is RFC 3339 with the six digits of fraction that PostgreSQL keeps.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// Time is a time in UTC to the microsecond, written the same way in an export and under the hash.
type Time struct{ time.Time }

// String returns the time in UTC with six digits of fraction.
func (t Time) String() string { return t.UTC().Format(timeFormat) }

// MarshalText writes what String returns.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes and nothing else.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(timeFormat, string(text))
	t.Time = parsed
	return err
}

// MarshalJSON writes what String returns, in quotes; without it the embedded time's own would be used.
func (t Time) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, t.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes and nothing else.
func (t *Time) UnmarshalJSON(b []byte) error {
	text, err := strconv.Unquote(string(b))
	if err != nil {
		return fmt.Errorf("time %.40q: %w", b, err)
	}
	return t.UnmarshalText([]byte(text))
}

// sum computes what the entry's hash must be.
func (e *Entry) sum() Hash {
	b := make([]byte, 0, 512)
	b = append(b, '[', '"')
	b = hex.AppendEncode(b, e.Previous[:])
	b = append(b, '"', ',')
	b = strconv.AppendInt(b, e.ID, 10)
	for _, text := range []string{e.At.String(), e.Actor, e.Action, e.Subject} {
		b = append(b, ',')
		b = append(b, quote(text)...)
	}
	for _, value := range []json.RawMessage{e.Before, e.After} {
		b = append(b, ',')
		if value == nil {
			b = append(b, "null"...)
		} else {
			b = append(b, value...)
		}
	}
	b = append(b, ']')
	return sha256.Sum256(b)
}

// quote writes a JSON string without the escapes that encoding/json adds for HTML.
func quote(text string) []byte {
	b, err := encode(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return b
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// canonical rewrites JSON with the keys of objects in byte order, without spaces, numbers as they stand. nil stays nil.
func canonical(source []byte) (json.RawMessage, error) {
	if source == nil {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	return encode(v)
}
