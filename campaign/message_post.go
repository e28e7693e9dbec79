package campaign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/internal/auditlog"
)

// PostMessage takes a message in and answers once it is committed: from then on it leaves, or its status says
// why not. The same key with the same content answers the same again and does nothing, however often and at
// once it is posted; with other content it is ErrConflict. A *Refusal, ErrInvalid or ErrConflict means that
// nothing was stored, any other error that it may have been: post it again with its key.
func (s *Service) PostMessage(ctx context.Context, ask MessageRequest, actor string) (*Message, error) {
	msisdn, err := ask.checkForm()
	if err != nil {
		return nil, err
	}
	if m, err := s.known(ctx, &ask, msisdn); err == nil || !errors.Is(err, ErrNotFound) {
		return m, err
	}
	d, err := s.draft(ctx, &ask, msisdn, actor)
	if err != nil {
		return nil, err
	}
	d.hinted = d.WaitingUntil == nil
	err = s.writer.write(ctx, d)
	if errors.Is(err, errKnownKey) {
		return s.known(ctx, &ask, msisdn)
	}
	if err != nil {
		return nil, err
	}
	if d.hinted && s.GiveHint != nil {
		_ = s.GiveHint(ctx, RunHint{Run: d.Run, Hint: Hint{Batch: 0, No: 1}}) // the sweeper gives it otherwise
	}
	return &d.Message, nil
}

// known answers the message that was taken in under the key, ErrNotFound where there is none.
func (s *Service) known(ctx context.Context, ask *MessageRequest, msisdn int64) (*Message, error) {
	m, digest, err := s.message(ctx, ask.Key)
	if err != nil {
		return nil, err
	}
	same, err := ask.digest(s.Key.Number(msisdn))
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(digest, same) {
		return nil, conflict("the key %q was used at %s for a message with other content: give this one a key of its own", ask.Key, m.At.In(India).Format(time.RFC3339))
	}
	m.Repeated = true
	m.waits(m.At) // as it was answered first
	return m, nil
}

// errKnownKey says that somebody else took the message in meanwhile.
var errKnownKey = errors.New("the key is known")

// messageWriter commits what is posted at one time together: the chain of audit events lets one transaction
// through at a time, and each would wait for the disk on its own.
type messageWriter struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	waiting []*posted
	busy    bool
}

// posted is a draft on its way into the database.
type posted struct {
	draft *draft
	done  chan error // receives once
}

const (
	writeTogether = 50
	writeTime     = 20 * time.Second
)

// write returns once the draft is committed, with its run and number filled in. When ctx ends before, it may
// still be committed.
func (w *messageWriter) write(ctx context.Context, d *draft) error {
	p := &posted{draft: d, done: make(chan error, 1)}
	w.mu.Lock()
	w.waiting = append(w.waiting, p)
	if !w.busy {
		w.busy = true
		go w.run() // ends when nothing waits, which its callers wait for
	}
	w.mu.Unlock()
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run writes group after group until nothing waits.
func (w *messageWriter) run() {
	for {
		w.mu.Lock()
		n := min(len(w.waiting), writeTogether)
		group := slices.Clone(w.waiting[:n])
		w.waiting = slices.Delete(w.waiting, 0, n)
		w.busy = n > 0
		w.mu.Unlock()
		if n == 0 {
			return
		}
		w.writeGroup(group)
	}
}

func (w *messageWriter) writeGroup(group []*posted) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	// One order everywhere: two processes that write the same keys do not wait for each other in a ring.
	slices.SortStableFunc(group, func(a, b *posted) int { return strings.Compare(a.draft.Key, b.draft.Key) })
	known := make(map[string]bool)
	err := untilNoDeadlock(func() error {
		clear(known)
		return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error { return writeMessages(ctx, tx, group, known) })
	})
	for i, p := range group {
		switch {
		case err != nil:
			p.done <- err
		case known[p.draft.Key] || i > 0 && group[i-1].draft.Key == p.draft.Key:
			p.done <- errKnownKey
		default:
			p.done <- nil
		}
	}
}

const (
	// A key that another transaction is writing is waited for.
	sqlTakeKey = `
INSERT INTO message (key, digest, run_id, category, parts, expires_at, at)
VALUES ($1, $2, nextval(pg_get_serial_sequence('run', 'id'))::int4, $3, $4, $5, $6)
ON CONFLICT (key) DO NOTHING
RETURNING run_id, nextval('message_number')::int4`

	// The run with its one recipient, batch and outcome, and with its first hint where that is given at once.
	sqlInsertMessage = `
WITH kept AS (
    INSERT INTO run (id, campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown,
                     receipts, receipt_wait, inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at)
    OVERRIDING SYSTEM VALUE
    SELECT $1, id, $2, 'message', 'running', $3, $4, $5, $6, 'urgent', 'hold', $7, $8, $9::numeric, 1, 0, $10, $11, $12, $12
    FROM campaign
    WHERE name = '` + MessagesCampaign + `'
), written AS (
    INSERT INTO recipient (run_id, seq, contact_id, msisdn, msisdn_key, language, vars, home_state, home_district)
    VALUES ($1, 1, $13, $14, $15, $16, $17, $18, $19)
), made AS (
    INSERT INTO batch (run_id, no, lo, hi, sent_upto, hint_no, hinted_at)
    VALUES ($1, 0, 1, 1, 0, CASE WHEN $20::bool THEN 1 ELSE 0 END, CASE WHEN $20::bool THEN now() END)
)
INSERT INTO outcome (run_id, block, facts, counts)
VALUES ($1, 0, decode(repeat('00', 16), 'hex'), ARRAY[1, 0, 0, 0, 0, 0, 0, 0, 0, 0])`
)

// writeMessages writes those of a group, in order of key, whose keys are free, and notes the others as known.
func writeMessages(ctx context.Context, tx pgx.Tx, group []*posted, known map[string]bool) error {
	var keys, runs pgx.Batch
	var fresh []*draft
	for i, p := range group {
		if i > 0 && group[i-1].draft.Key == p.draft.Key {
			continue
		}
		d := p.draft
		keys.Queue(sqlTakeKey, d.Key, d.digest, d.category, d.Parts, d.ExpiresAt, d.At).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&d.Run, &d.Number)
			if errors.Is(err, pgx.ErrNoRows) {
				known[d.Key] = true
				return nil
			}
			fresh = append(fresh, d)
			return err
		})
	}
	if err := tx.SendBatch(ctx, &keys).Close(); err != nil {
		return fmt.Errorf("take the keys of messages: %w", err)
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, d := range fresh {
		spec, err := json.Marshal(d.spec)
		if err != nil {
			return fmt.Errorf("encode message %q: %w", d.Key, err)
		}
		runs.Queue(sqlInsertMessage, d.Run, d.Number, spec, d.Template, d.Version, d.Route, d.terms.Receipts, d.spec.ReceiptWait,
			priceOf(d.terms.INRPerPart), d.hash(), d.Actor, d.At, d.person.id, d.To, d.key, d.Language, d.vars, d.person.state, d.person.district, d.hinted)
	}
	if err := tx.SendBatch(ctx, &runs).Close(); err != nil {
		return fmt.Errorf("write messages: %w", err)
	}
	if err := refuseAfterRestore(ctx, tx); err != nil {
		return err
	}
	for _, d := range fresh {
		if err := auditlog.Append(ctx, tx, auditlog.Event{
			Actor: d.Actor, Action: "message.send", Subject: d.Key,
			After: map[string]any{
				"message": d.Number, "to": audience.Mask(d.To), "template": d.Template, "template_version": d.Version,
				"language": d.Language, "route": d.Route, "purpose": d.Purpose, "parts": d.Parts,
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// hash is what HashRun computes over the message's one recipient.
func (d *draft) hash() []byte {
	block := sha256.Sum256(fmt.Appendf(nil, "1:%d:%s", d.key, d.Language))
	whole := sha256.Sum256(block[:])
	return whole[:]
}
