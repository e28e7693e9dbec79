package report

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
	"pukar/internal/testenv"
)

// frozen is when the ledger of the tests begins: 10:30 in India.
var frozen = time.Date(2026, 12, 1, 5, 0, 0, 0, time.UTC)

// at is a time so many milliseconds after the freeze.
func at(ms int) time.Time { return frozen.Add(time.Duration(ms) * time.Millisecond) }

// ledger gathers the rows of one run and stores them.
type ledger struct {
	recipients, submissions, strides, skips, inbox, matches, exclusions [][]any
	facts                                                               []campaign.Facts
	chunkLine                                                           int32
}

const sourceTemplate = `
name: onorc-intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: []
fallback_language: hi
languages:
  hi: {template_id: "1107172974420810001", text: "राशन कार्ड देश भर में चलता है: 1800-891-2995"}
  en: {template_id: "1107172974420810002", text: "Your ration card works everywhere: 1800-891-2995"}
`

// recipient adds one and returns her seq.
func (l *ledger) recipient(contact, msisdn int64, language string, state, district any, facts campaign.Facts) int32 {
	seq := int32(len(l.recipients) + 1)
	l.recipients = append(l.recipients, []any{1, seq, contact, msisdn, msisdn * 7, language, []string{}, state, district})
	l.facts = append(l.facts, facts)
	return seq
}

// stride adds one that was opened then and returns its id.
func (l *ledger) stride(opened time.Time) int64 {
	id := int64(len(l.strides) + 1)
	l.strides = append(l.strides, []any{id, 1, 0, "first", 1, 1, []byte{}, 1, 1, "main", "main-1", "centre", opened, opened.Add(time.Second), opened.Add(time.Second)})
	return id
}

func (l *ledger) submission(stride int64, seq int32, part, parts int, result string, status int, id any, when time.Time) {
	var key any
	if id != nil {
		key = int64(seq)
	}
	l.submissions = append(l.submissions, []any{stride, 1, seq, part, parts, "main-1", result, status, key, id, when})
}

// receipt adds one that names its message, or one that was matched later.
func (l *ledger) receipt(seq int32, part int, state, err string, when time.Time, matched bool) {
	l.chunkLine++
	row := []any{1, l.chunkLine, "receipt", "centre", "main-1", "id", 919800000000, state, err, []byte("raw"), when, 1, seq, part}
	if matched {
		row[11], row[12], row[13] = nil, nil, nil
		l.matches = append(l.matches, []any{1, l.chunkLine, when, 1, seq, part, "exact"})
	}
	l.inbox = append(l.inbox, row)
}

func (l *ledger) skip(seq int32, reason, detail string, when time.Time) {
	l.skips = append(l.skips, []any{1, seq, reason, detail, when})
}

func (l *ledger) exclude(contact, msisdn int64, reason string) {
	l.exclusions = append(l.exclusions, []any{1, contact, msisdn, "hi", 10, nil, reason})
}

// store writes everything into a fresh database.
func (l *ledger) store(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, ctx := testenv.DB(t), t.Context()
	hash := sha256.Sum256([]byte("snapshot"))
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO place_state (code, abbreviation, name_en) VALUES (10, 'BR', 'Bihar'), (20, 'JH', 'Jharkhand')`, nil},
		// The first day has partitions of its own; what comes later lies in the default ones.
		{`CREATE TABLE submission_first PARTITION OF submission FOR VALUES FROM ('2026-12-01') TO ('2026-12-02')`, nil},
		{`CREATE TABLE inbox_first PARTITION OF inbox FOR VALUES FROM ('2026-12-01') TO ('2026-12-02')`, nil},
		{`INSERT INTO place_district (code, state, name_en) VALUES (188, 10, 'Patna'), (340, 20, 'Ranchi, rural')`, nil},
		{`INSERT INTO template (name, version, source, actor) VALUES ('onorc-intro', 1, $1, 'test')`, []any{sourceTemplate}},
		{`INSERT INTO campaign (name, source, state, actor) VALUES ('onorc-bihar', '', 'launched', 'test'), ('draft', '', 'draft', 'test')`, nil},
		{`INSERT INTO run (campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown, receipts, receipt_wait,
		                   inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at)
		  VALUES ((SELECT id FROM campaign WHERE name = 'onorc-bihar'), 1, 'campaign', 'running', '{}', 'onorc-intro', 1, 'main', 'bulk', 'hold', true, '72 hours', 0.145, $1, $2, $3, 'test', $4, $4)`,
			[]any{len(l.recipients), len(l.exclusions), hash[:], frozen}},
	} {
		if _, err := pool.Exec(ctx, statement.sql, statement.args...); err != nil {
			t.Fatalf("%s: %v", statement.sql, err)
		}
	}
	var newest time.Time
	for _, s := range l.submissions {
		if when := s[10].(time.Time); when.After(newest) {
			newest = when
		}
	}
	var outcomes [][]any
	for block := 0; block*campaign.BlockSize < len(l.facts); block++ {
		facts := l.facts[block*campaign.BlockSize : min((block+1)*campaign.BlockSize, len(l.facts))]
		counts := make([]int32, len(campaign.States()))
		for _, f := range facts {
			counts[f.State()]++
		}
		outcomes = append(outcomes, []any{1, block, campaign.EncodeBlock(facts), counts, newest})
	}
	for table, rows := range map[string]struct {
		columns []string
		rows    [][]any
	}{
		"recipient":     {[]string{"run_id", "seq", "contact_id", "msisdn", "msisdn_key", "language", "vars", "home_state", "home_district"}, l.recipients},
		"stride":        {[]string{"id", "run_id", "batch", "kind", "lo", "hi", "part_counts", "parts", "fence", "route", "bind", "centre", "opened_at", "send_by", "closed_at"}, l.strides},
		"submission":    {[]string{"stride_id", "run_id", "seq", "part", "parts", "bind", "result", "status", "smsc_key", "smsc_id", "at"}, l.submissions},
		"skip":          {[]string{"run_id", "seq", "reason", "detail", "at"}, l.skips},
		"inbox":         {[]string{"chunk", "line", "kind", "centre", "bind", "smsc_id", "msisdn", "state", "err", "raw", "at", "run_id", "seq", "part"}, l.inbox},
		"receipt_match": {[]string{"chunk", "line", "at", "run_id", "seq", "part", "how"}, l.matches},
		"exclusion":     {[]string{"run_id", "contact_id", "msisdn", "language", "home_state", "home_district", "reason"}, l.exclusions},
		"outcome":       {[]string{"run_id", "block", "facts", "counts", "last_result"}, outcomes},
	} {
		if _, err := pool.CopyFrom(ctx, pgx.Identifier{table}, rows.columns, pgx.CopyFromRows(rows.rows)); err != nil {
			t.Fatalf("copy into %s: %v", table, err)
		}
	}
	return pool
}

// delivered adds recipients who got their message of so many parts.
func (l *ledger) delivered(n, parts int) {
	var stride int64
	for i := range n {
		ms := i / 10
		if i%250 == 0 {
			stride = l.stride(at(ms))
		}
		all := campaign.PartSet(1<<parts - 1)
		seq := l.recipient(int64(i+1), 919800000000+int64(i), "hi", 10, 188, campaign.Facts{Parts: uint8(parts), Accepted: all, Delivered: all})
		for part := 1; part <= parts; part++ {
			l.submission(stride, seq, part, parts, "accepted", 0, "5f3a"+time.Duration(i*10+part).String(), at(ms+20))
			l.receipt(seq, part, "delivered", "000", at(ms+3000), false)
		}
	}
}
