package report

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"pukar/campaign"
)

// chunkSize is how many recipients are read at a time, a whole number of outcome blocks.
const chunkSize = 10 * campaign.BlockSize

// chunk is a lot of recipients with everything known of them. It is filled again and again, so that its memory is used for the whole run.
type chunk struct {
	lo, hi      int32 // seq, inclusive
	people      []person
	facts       []campaign.Facts
	counts      []int64 // as the run counts these blocks, by campaign.State
	submissions []submission
	receipts    []receipt
	skips       map[int32]skip
	strides     map[int64]stride
	text        []byte // what span points into
	words       map[string]string

	submissionScratch []*submission
	receiptScratch    []*receipt
	wanted            []int64
}

// person is a row of recipient, with the heads of the lists of what belongs to her: an index plus one, 0 for none.
type person struct {
	contact, msisdn int64
	language        string
	state           int16
	district        int32
	submission      int32
	receipt         int32
}

// span is a piece of chunk.text.
type span struct{ from, to uint32 }

type submission struct {
	next   int32
	part   int16
	parts  int16
	result result
	status int32
	id     span
	at     micros
	stride int64
}

type receipt struct {
	next  int32
	part  int16
	state string // delivered, failed, expired, or "" for an intermediate one
	err   span
	at    micros
}

type skip struct {
	reason, detail string
	at             micros
}

type stride struct {
	opened micros
	route  string
}

// result is submission.result as far as a report tells them apart.
type result uint8

const (
	resultOther result = iota
	resultAccepted
	resultRefused // for good, or for now
	resultNotSent
)

func newChunk() *chunk {
	return &chunk{skips: make(map[int32]skip), strides: make(map[int64]stride), words: make(map[string]string)}
}

const (
	sqlRecipients = `
SELECT seq, contact_id, msisdn, language, coalesce(home_state, 0::int2), coalesce(home_district, 0)
FROM recipient
WHERE run_id = $1 AND seq BETWEEN $2 AND $3`

	sqlOutcomes = `
SELECT block, facts, counts
FROM outcome
WHERE run_id = $1 AND block BETWEEN $2 AND $3
ORDER BY block`

	sqlSubmissions = `
SELECT seq, part, parts, result, status, coalesce(smsc_id, ''), at, stride_id
FROM submission
WHERE run_id = $1 AND seq BETWEEN $2 AND $3 AND at BETWEEN $4 AND $5`

	// A receipt names its message itself when the process that took it still remembered the submission.
	sqlReceipts = `
SELECT seq, coalesce(part, 0::int2), state, err, at
FROM inbox
WHERE run_id = $1 AND seq BETWEEN $2 AND $3 AND kind = 'receipt' AND at >= $4`

	sqlMatched = `
SELECT m.seq, m.part, i.state, i.err, i.at
FROM receipt_match m
JOIN inbox i ON i.chunk = m.chunk AND i.line = m.line AND i.at = m.at
WHERE m.run_id = $1 AND m.seq BETWEEN $2 AND $3`

	sqlSkips = `
SELECT seq, reason, detail, at
FROM skip
WHERE run_id = $1 AND seq BETWEEN $2 AND $3`

	sqlStrides = `
SELECT id, opened_at, route
FROM stride
WHERE id = ANY ($1)`
)

// load reads the recipients lo to hi of a run in two exchanges with PostgreSQL.
func (c *chunk) load(ctx context.Context, tx pgx.Tx, r *run, lo, hi int32) error {
	c.reset(lo, hi)
	first, _ := campaign.BlockOf(lo)
	last, _ := campaign.BlockOf(hi)
	batch := &pgx.Batch{}
	batch.Queue(sqlRecipients, r.ID, lo, hi)
	batch.Queue(sqlOutcomes, r.ID, first, last)
	batch.Queue(sqlSubmissions, r.ID, lo, hi, r.since(), r.until())
	batch.Queue(sqlReceipts, r.ID, lo, hi, r.since())
	batch.Queue(sqlMatched, r.ID, lo, hi)
	batch.Queue(sqlSkips, r.ID, lo, hi)
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	for _, read := range []func(pgx.Rows) error{c.addPeople, c.addOutcomes, c.addSubmissions, c.addReceipts, c.addReceipts, c.addSkips} {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if err := read(rows); err != nil {
			rows.Close()
			return err
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	return c.loadStrides(ctx, tx)
}

func (c *chunk) reset(lo, hi int32) {
	n := int(hi - lo + 1)
	c.lo, c.hi = lo, hi
	c.people = slices.Grow(c.people[:0], n)[:n]
	clear(c.people)
	c.facts = slices.Grow(c.facts[:0], n)[:n]
	clear(c.facts)
	c.counts = slices.Grow(c.counts[:0], len(campaign.States()))[:len(campaign.States())]
	clear(c.counts)
	c.submissions, c.receipts, c.text, c.wanted = c.submissions[:0], c.receipts[:0], c.text[:0], c.wanted[:0]
	clear(c.skips)
	clear(c.strides)
}

// person returns whom a row with this seq belongs to.
func (c *chunk) person(seq int32) (*person, error) {
	if seq < c.lo || seq > c.hi {
		return nil, fmt.Errorf("recipient %d outside of %d to %d", seq, c.lo, c.hi)
	}
	return &c.people[seq-c.lo], nil
}

func (c *chunk) addPeople(rows pgx.Rows) error {
	for rows.Next() {
		v := rows.RawValues()
		p, err := c.person(be32(v[0]))
		if err != nil {
			return err
		}
		p.contact, p.msisdn, p.language = be64(v[1]), be64(v[2]), c.word(v[3])
		p.state, p.district = be16(v[4]), be32(v[5])
	}
	return nil
}

func (c *chunk) addOutcomes(rows pgx.Rows) error {
	var block int32
	var packed []byte
	var counts []int64
	for rows.Next() {
		if err := rows.Scan(&block, &packed, &counts); err != nil {
			return err
		}
		facts, err := campaign.DecodeBlock(packed)
		if err != nil {
			return fmt.Errorf("block %d: %w", block, err)
		}
		if from := int(block*campaign.BlockSize + 1 - c.lo); from < len(c.facts) {
			copy(c.facts[from:], facts)
		}
		for i, n := range counts[:min(len(counts), len(c.counts))] {
			c.counts[i] += n
		}
	}
	return nil
}

func (c *chunk) addSubmissions(rows pgx.Rows) error {
	for rows.Next() {
		v := rows.RawValues()
		p, err := c.person(be32(v[0]))
		if err != nil {
			return err
		}
		c.submissions = append(c.submissions, submission{
			next: p.submission, part: be16(v[1]), parts: be16(v[2]), result: resultOf(v[3]), status: be32(v[4]),
			id: c.keep(v[5]), at: micros(be64(v[6])), stride: be64(v[7]),
		})
		p.submission = int32(len(c.submissions))
		if stride := be64(v[7]); len(c.wanted) == 0 || c.wanted[len(c.wanted)-1] != stride {
			c.wanted = append(c.wanted, stride)
		}
	}
	return nil
}

func (c *chunk) addReceipts(rows pgx.Rows) error {
	for rows.Next() {
		v := rows.RawValues()
		p, err := c.person(be32(v[0]))
		if err != nil {
			return err
		}
		c.receipts = append(c.receipts, receipt{next: p.receipt, part: be16(v[1]), state: c.word(v[2]), err: c.keep(v[3]), at: micros(be64(v[4]))})
		p.receipt = int32(len(c.receipts))
	}
	return nil
}

func (c *chunk) addSkips(rows pgx.Rows) error {
	for rows.Next() {
		v := rows.RawValues()
		// A first reason stands: what came later could not change that nothing was sent.
		if seq := be32(v[0]); c.skips[seq].reason == "" {
			c.skips[seq] = skip{reason: c.word(v[1]), detail: string(v[2]), at: micros(be64(v[3]))}
		}
	}
	return nil
}

// loadStrides reads the strides that the submissions name.
func (c *chunk) loadStrides(ctx context.Context, tx pgx.Tx) error {
	slices.Sort(c.wanted)
	c.wanted = slices.Compact(c.wanted)
	if len(c.wanted) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, sqlStrides, c.wanted)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		v := rows.RawValues()
		c.strides[be64(v[0])] = stride{opened: micros(be64(v[1])), route: c.word(v[2])}
	}
	return rows.Err()
}

// keep copies a value that has to outlive its row.
func (c *chunk) keep(v []byte) span {
	from := len(c.text)
	c.text = append(c.text, v...)
	return span{uint32(from), uint32(len(c.text))}
}

func (c *chunk) bytes(s span) []byte { return c.text[s.from:s.to] }

// word keeps one copy of a value that comes again and again.
func (c *chunk) word(v []byte) string {
	if w, ok := c.words[string(v)]; ok {
		return w
	}
	w := string(v)
	c.words[w] = w
	return w
}

func resultOf(v []byte) result {
	switch string(v) {
	case string(campaign.Accepted):
		return resultAccepted
	case string(campaign.Refused), string(campaign.Transient):
		return resultRefused
	case string(campaign.NotSent):
		return resultNotSent
	}
	return resultOther
}

// The binary forms of PostgreSQL's integers; pgx asks for them for every type that it knows.

func be16(v []byte) int16 { return int16(binary.BigEndian.Uint16(v)) }
func be32(v []byte) int32 { return int32(binary.BigEndian.Uint32(v)) }
func be64(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) }
