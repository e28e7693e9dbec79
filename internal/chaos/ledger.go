package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"pukar/campaign"
)

// account is what the ledger says of one run, at one moment.
type account struct {
	id                   int32
	campaign             string
	state                campaign.RunState
	resend               bool
	recipients, excluded int64
	exclusions           int64
	persons              []int32 // by seq - 1
	stored               []campaign.Facts
	totals               map[campaign.State]int64 // as counted beside the facts

	// Only of a full look.
	facts     []campaign.Facts // recounted from submissions, skips and receipts
	transient []bool           // refused for now at least once
	open      []campaign.PartSet
}

const (
	sqlRuns = `
SELECT r.id, c.name, r.state, r.on_unknown = 'resend', r.recipients, r.excluded,
       (SELECT count(*) FROM exclusion e WHERE e.run_id = r.id)
FROM run r
JOIN campaign c ON c.id = r.campaign_id
ORDER BY r.id`

	sqlPersons = `SELECT seq, msisdn - $2 FROM recipient WHERE run_id = $1 ORDER BY seq`

	sqlOutcome = `SELECT facts, counts FROM outcome WHERE run_id = $1 ORDER BY block`

	sqlSubmissions = `
SELECT seq, part, parts, result
FROM submission
WHERE run_id = $1`

	sqlSkips = `SELECT seq, reason FROM skip WHERE run_id = $1`

	sqlReceipts = `
SELECT i.seq, i.part, i.state
FROM inbox i
JOIN inbox_chunk c ON c.id = i.chunk
WHERE i.run_id = $1 AND i.kind = 'receipt' AND c.settled_at IS NOT NULL
UNION ALL
SELECT m.seq, m.part, i.state
FROM receipt_match m
JOIN inbox i ON i.chunk = m.chunk AND i.line = m.line AND i.at = m.at
WHERE m.run_id = $1`

	sqlOpenStrides = `
SELECT lo, part_counts, coalesce(seqs, '{}'), coalesce(seq_parts, '{}')
FROM stride
WHERE run_id = $1 AND closed_at IS NULL`
)

// readLedger reads every run in one snapshot; full says whether facts are recounted from what they were made of.
func (h *harness) readLedger(ctx context.Context, full bool) (list []*account, err error) {
	err = h.try(ctx, func() error {
		list = nil
		return pgx.BeginTxFunc(ctx, h.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, sqlRuns)
			if err != nil {
				return err
			}
			list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*account, error) {
				a := &account{totals: make(map[campaign.State]int64)}
				return a, row.Scan(&a.id, &a.campaign, &a.state, &a.resend, &a.recipients, &a.excluded, &a.exclusions)
			})
			if err != nil {
				return err
			}
			for _, a := range list {
				if err := h.readRun(ctx, tx, a, full); err != nil {
					return fmt.Errorf("run %d: %w", a.id, err)
				}
			}
			return nil
		})
	})
	return list, err
}

func (h *harness) readRun(ctx context.Context, tx pgx.Tx, a *account, full bool) error {
	if err := a.readOutcome(ctx, tx); err != nil || !full {
		return err
	}
	for _, read := range []func(context.Context, pgx.Tx) error{a.readPersons, a.readStrides, a.readSubmissions, a.readSkips, a.readReceipts} {
		if err := read(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (a *account) readOutcome(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlOutcome, a.id)
	if err != nil {
		return err
	}
	var packed []byte
	var counts []int64
	_, err = pgx.ForEachRow(rows, []any{&packed, &counts}, func() error {
		facts, err := campaign.DecodeBlock(packed)
		if err != nil {
			return err
		}
		a.stored = append(a.stored, facts...)
		for i, n := range counts {
			a.totals[campaign.States()[i]] += n
		}
		return nil
	})
	return err
}

func (a *account) readPersons(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlPersons, a.id, int64(firstNumber))
	if err != nil {
		return err
	}
	var seq int32
	var person int64
	_, err = pgx.ForEachRow(rows, []any{&seq, &person}, func() error {
		a.persons = append(a.persons, int32(person))
		if int(seq) != len(a.persons) {
			return fmt.Errorf("recipient %d comes at place %d", seq, len(a.persons))
		}
		return nil
	})
	a.facts = make([]campaign.Facts, len(a.persons))
	a.transient = make([]bool, len(a.persons))
	a.open = make([]campaign.PartSet, len(a.persons))
	return err
}

func (a *account) readStrides(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlOpenStrides, a.id)
	if err != nil {
		return err
	}
	var lo int32
	var counts []byte
	var seqs, parts []int32
	_, err = pgx.ForEachRow(rows, []any{&lo, &counts, &seqs, &parts}, func() error {
		for i, seq := range seqs {
			a.open[seq-1] |= campaign.Part(int(parts[i]))
		}
		for i, n := range counts {
			for part := 1; part <= int(n) && len(seqs) == 0; part++ {
				a.open[int(lo)-1+i] |= campaign.Part(part)
			}
		}
		return nil
	})
	return err
}

func (a *account) readSubmissions(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlSubmissions, a.id)
	if err != nil {
		return err
	}
	var seq int32
	var part, parts int16
	var result string
	_, err = pgx.ForEachRow(rows, []any{&seq, &part, &parts, &result}, func() error {
		f, set := campaign.Facts{Parts: uint8(parts)}, campaign.Part(int(part))
		switch campaign.Result(result) {
		case campaign.Accepted:
			f.Accepted = set
		case campaign.Refused:
			f.Refused = set
		case campaign.InDoubt:
			f.Unknown = set
		case campaign.Transient:
			a.transient[seq-1] = true
		}
		a.facts[seq-1].Merge(f)
		return nil
	})
	return err
}

func (a *account) readSkips(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlSkips, a.id)
	if err != nil {
		return err
	}
	var seq int32
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&seq, &reason}, func() error {
		flag := campaign.FlagSkipped
		if reason == "suppressed" {
			flag = campaign.FlagSuppressed
		}
		a.facts[seq-1].Flags |= flag
		return nil
	})
	return err
}

func (a *account) readReceipts(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, sqlReceipts, a.id)
	if err != nil {
		return err
	}
	var seq int32
	var part int16
	var state string
	_, err = pgx.ForEachRow(rows, []any{&seq, &part, &state}, func() error {
		f, set := &a.facts[seq-1], campaign.Part(int(part))
		switch state {
		case "delivered":
			f.Delivered |= set
		case "failed":
			f.Failed |= set
		case "expired":
			f.Expired |= set
		}
		return nil
	})
	return err
}

// sum is what a run's people come to, all states together.
func (a *account) sum() (n int64) {
	for _, count := range a.totals {
		n += count
	}
	return n
}

// describe lists the states that somebody is in.
func describe(totals map[campaign.State]int64) string {
	var words []string
	for _, state := range campaign.States() {
		if totals[state] > 0 {
			words = append(words, fmt.Sprintf("%s %d", state, totals[state]))
		}
	}
	return strings.Join(words, " ")
}
