package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/templates"
)

// MessagesCampaign is the campaign that all single messages are runs of. The form of names has no space, so
// that nobody's own campaign is called so.
const MessagesCampaign = "single messages"

// KindMessage is the kind of a run that is one message.
const KindMessage = "message"

// MessageRequest is a message that another system asks for.
type MessageRequest struct {
	Key       string // the caller's own: the same key again is the same message
	Template  string
	Route     string
	To        string            // a mobile number as people write it
	Language  string            // of the template; "" is the person's in the register, else the template's fallback
	Variables map[string]string // by the names of the template's variables; one left out takes the template's default
	Purpose   string            // what the list of stops is asked with
	ValidFor  time.Duration     // how long it may try to leave; 0 is DefaultValidFor
}

// How long a message may try to leave.
const (
	DefaultValidFor = 24 * time.Hour
	LeastValidFor   = time.Minute
	MostValidFor    = 72 * time.Hour
)

// Message is a message as it was taken in. What became of it is in the ledger, under its run.
type Message struct {
	Key       string
	Number    int32 // 1, 2, 3 … with gaps; of messages alone
	Run       int32
	Template  string
	Version   int // of the template
	Language  string
	Route     string
	Purpose   string
	To        int64
	Parts     int
	CostINR   string
	Actor     string
	At        time.Time
	ExpiresAt time.Time // what has not left by then never does
	RunState  RunState
	Why       string // why it is paused or cancelled, or cannot leave now

	// WaitingUntil is when its hours begin, while they keep it; nil otherwise.
	WaitingUntil *time.Time

	// Repeated says that the key was known and nothing was done.
	Repeated bool

	category string
}

// Refusal says that this person may not be written to. Nothing was stored; it is an ErrConflict.
type Refusal struct {
	Reason string // suppressed, no_consent, consent_unknown, under_18 or invented
	text   string
}

// Error tells why, and what could be done.
func (r *Refusal) Error() string { return r.text }

// Unwrap makes it an ErrConflict.
func (r *Refusal) Unwrap() error { return ErrConflict }

// digest is over everything that was asked for, so that a key cannot be used for two things. The keyed hash
// stands for the number, and outlives its erasure.
func (m *MessageRequest) digest(key int64) ([]byte, error) {
	text, err := json.Marshal(struct {
		Template, Route string
		To              int64
		Language        string
		Variables       map[string]string // in order of name
		Purpose         string
		ValidFor        time.Duration
	}{m.Template, m.Route, key, m.Language, m.Variables, m.Purpose, m.ValidFor})
	if err != nil {
		return nil, fmt.Errorf("encode the message: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

const messageColumns = `m.key, r.number, r.id, r.template, r.template_version, p.language, r.route, r.spec ->> 'purpose', p.msisdn,
       m.parts, r.inr_per_part::text, r.actor, m.at, m.expires_at, r.state, r.why, m.category`

const sqlMessage = `
SELECT m.digest, ` + messageColumns + `
FROM message m
JOIN run r ON r.id = m.run_id
JOIN recipient p ON p.run_id = r.id AND p.seq = 1
WHERE m.key = $1`

// message reads a message and the digest of what was asked for; ErrNotFound when nobody used the key.
func (s *Service) message(ctx context.Context, key string) (m *Message, digest []byte, err error) {
	m = &Message{}
	var price string
	err = s.Pool.QueryRow(ctx, sqlMessage, key).Scan(&digest, &m.Key, &m.Number, &m.Run, &m.Template, &m.Version, &m.Language, &m.Route,
		&m.Purpose, &m.To, &m.Parts, &price, &m.Actor, &m.At, &m.ExpiresAt, &m.RunState, &m.Why, &m.category)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, notFound("there is no message with the key %q", key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read message %q: %w", key, err)
	}
	perPart, err := templates.ParseRupees(price)
	if err != nil {
		return nil, nil, fmt.Errorf("read message %q: %w", key, err)
	}
	m.CostINR = perPart.Times(int64(m.Parts)).String()
	return m, digest, nil
}

// Message reads a message by its key, with what keeps it if it is still to leave; ErrNotFound when nobody
// used the key.
func (s *Service) Message(ctx context.Context, key string) (*Message, error) {
	m, _, err := s.message(ctx, key)
	if err != nil {
		return nil, err
	}
	if m.RunState != RunRunning {
		return m, nil
	}
	m.waits(s.Now())
	if err := s.ledger.Durable(ctx); errors.As(err, new(*VolatileError)) {
		m.Why = err.Error()
	} else if err != nil {
		return nil, err
	}
	if s.RouteState != nil && m.Why == "" {
		if why := s.RouteState(m.Route); why != "" {
			m.Why = "route " + m.Route + ": " + why
		}
	}
	return m, nil
}

// waits notes until when the law keeps a message that has not left.
func (m *Message) waits(now time.Time) {
	hours := LegalWindow(m.category)
	if _, open := hours.Open(now); open {
		return
	}
	if next, err := hours.Next(now); err == nil {
		m.WaitingUntil = &next
	}
}
