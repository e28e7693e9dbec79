package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/web/api"
)

// keyLife is how long a request that is sent again is known.
const keyLife = 30 * 24 * time.Hour

func (s *Server) registerInbound() {
	handle(s, huma.Operation{
		OperationID: "inbound", Method: http.MethodPost, Path: "/v1/inbound", Tags: []string{"inbound"},
		Summary: "Hand over a message or missed call that a gateway received for one of our numbers",
		Description: "A missed call, or a message that is as a whole a stop word in any of the known languages, puts the caller on the list of stops; " +
			"a message to a number or header that is not in the configuration counts as well, for every purpose, a missed call does not. " +
			"a start word takes her off it. The answer comes after that is committed. With an id, the same request again changes nothing.",
	}, quick, s.takeInbound)
}

// Received is a message or a missed call that a gateway posted. A missed call came to one of our numbers.
type Received struct {
	Kind string // sms | missed_call
	From string // the person's number
	To   string // our number as the configuration has it; of a message to another as the gateway wrote it
	Text string
	ID   string // the gateway's identifier of it, may be empty
}

func (s *Server) takeInbound(ctx context.Context, in *answer[api.InboundRequest]) (api.InboundResult, error) {
	ask := in.Body
	ask.To, ask.Text = plain(ask.To), plain(ask.Text)
	to, err := s.inboundNumber(ask)
	if err != nil {
		return api.InboundResult{}, err
	}
	if _, err := audience.ParseNumber(ask.From); err != nil {
		return api.InboundResult{}, fmt.Errorf("from: %w", err)
	}
	if s.cfg.Receive == nil {
		return api.InboundResult{}, api.NewProblem(http.StatusServiceUnavailable, api.CodeUnavailable, "this process takes in no messages: it lacks the role smpp")
	}
	key := to + " " + strings.ReplaceAll(ask.ID, nul, `\0`)
	var out api.InboundResult
	if ask.ID != "" {
		known, err := s.knownAnswer(ctx, "inbound", key, &out)
		if err != nil || known {
			out.Repeated = known
			return out, err
		}
	}
	stopped, err := s.cfg.Receive(ctx, Received{Kind: ask.Kind, From: ask.From, To: to, Text: ask.Text, ID: ask.ID})
	if err != nil {
		return api.InboundResult{}, err
	}
	out = api.InboundResult{Stored: true, Effect: audience.KeywordNone.String()}
	switch {
	case stopped:
		out.Effect = audience.KeywordStop.String()
	case ask.Kind == "sms":
		out.Effect = audience.MatchKeyword(ask.Text).String()
	}
	if ask.ID != "" {
		err = s.keepAnswer(ctx, "inbound", key, out, time.Now())
	}
	return out, err
}

// nul is the one character that PostgreSQL keeps in no text.
const nul = "\x00"

// plain is a text without the NULs with which some gateways end it, behind which no stop word would be found.
func plain(text string) string { return strings.ReplaceAll(text, nul, "") }

// inboundNumber finds the one of our numbers that it came to, however that is written. A message may come to any other:
// she who answers a message says stop to us, whatever name it went out under. A missed call may not: other numbers are
// called for other reasons.
func (s *Server) inboundNumber(in api.InboundRequest) (string, error) {
	digits := onlyDigits(in.To)
	for _, number := range s.cfg.Inbound {
		if digits != "" && onlyDigits(number.Number) == digits {
			return number.Number, nil
		}
	}
	if in.Kind == "sms" {
		return strings.TrimSpace(in.To), nil
	}
	return "", &invalid{fmt.Sprintf("to: %q is none of our numbers: add it to the configuration as `inbound: [{number: %q}]`", in.To, digits)}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

const sqlKnownAnswer = `
SELECT answer
FROM request_key
WHERE kind = $1
  AND key = $2`

// knownAnswer reads what was answered to the request with the caller's key, and says whether there was one.
func (s *Server) knownAnswer(ctx context.Context, kind, key string, answer any) (bool, error) {
	var body []byte
	err := s.cfg.Pool.QueryRow(ctx, sqlKnownAnswer, kind, key).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the answer of %s %q: %w", kind, key, err)
	}
	return true, json.Unmarshal(body, answer)
}

const sqlKeepAnswer = `
INSERT INTO request_key (kind, key, at, answer)
VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, key) DO NOTHING`

const sqlForgetKeys = `
DELETE FROM request_key
WHERE ctid = ANY(ARRAY(SELECT ctid FROM request_key WHERE at < $1 LIMIT 100))`

// keepAnswer keeps an answer under the caller's key, after what it tells of was committed. A crash in between lets the
// same request through once more, right after the first: that changes nothing either. What the key guards against is one
// that comes again days later, when the person has decided otherwise meanwhile.
func (s *Server) keepAnswer(ctx context.Context, kind, key string, answer any, now time.Time) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("keep the answer of %s %q: %w", kind, key, err)
	}
	if _, err := s.cfg.Pool.Exec(ctx, sqlKeepAnswer, kind, key, now, body); err != nil {
		return fmt.Errorf("keep the answer of %s %q: %w", kind, key, err)
	}
	if _, err := s.cfg.Pool.Exec(ctx, sqlForgetKeys, now.Add(-keyLife)); err != nil {
		return fmt.Errorf("forget old keys: %w", err)
	}
	return nil
}

// statements are the package's SQL, for the test that prepares each on the migrated schema.
var statements = []string{sqlKnownAnswer, sqlKeepAnswer, sqlForgetKeys}
