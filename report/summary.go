package report

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
)

// RunSummary is a run in numbers. They are counted from the same rows as its delivery report and agree with it.
type RunSummary struct {
	AsOf         time.Time        `json:"as_of"`
	Campaign     string           `json:"campaign"`
	Run          int              `json:"run"`
	RetryOf      int              `json:"retry_of,omitempty"` // the run some of whose people this one tries again
	RunState     string           `json:"run_state"`
	Targeted     int64            `json:"targeted"` // recipients and excluded
	Recipients   int64            `json:"recipients"`
	Totals       map[string]int64 `json:"totals"`   // recipients by outcome, every outcome named
	Excluded     map[string]int64 `json:"excluded"` // by reason
	ByLanguage   []Group          `json:"by_language"`
	ByHomeState  []Group          `json:"by_home_state"`
	Errors       []ErrorCount     `json:"errors"` // most frequent first
	Parts        int64            `json:"parts"`  // billed
	CostINR      string           `json:"cost_inr"`
	Times        Times            `json:"times"`
	SnapshotHash string           `json:"snapshot_hash"`
	Whole        *Whole           `json:"with_retries,omitempty"` // where the run is or has a retry
}

// Whole is what became of the people of a first run over that run and all its retries, each by her newest attempt.
type Whole struct {
	Run     int              `json:"run"`     // number of the first run
	Retries int              `json:"retries"` // runs beside it
	People  int64            `json:"people"`
	Reached int64            `json:"reached"` // delivered, or on a route without receipts sent
	Totals  map[string]int64 `json:"totals"`  // by outcome, every outcome named
}

// Group is the recipients who have something in common.
type Group struct {
	Name       string           `json:"name"` // "" is unknown
	Recipients int64            `json:"recipients"`
	Totals     map[string]int64 `json:"totals"` // by outcome, those above 0
}

// ErrorCount is how many recipients one cause has kept from their message.
type ErrorCount struct {
	Kind       string `json:"kind"` // rejected, failed, expired, suppressed or skipped
	Code       string `json:"code"` // status of the refusal, error code of the receipt, or reason of the skip
	Recipients int64  `json:"recipients"`
}

// Times are the run's moments, absent where there was none, and how long delivery took from the centre's acceptance to its receipt.
type Times struct {
	FrozenAt       time.Time  `json:"frozen_at"`
	FirstSubmitted *time.Time `json:"first_submitted_at,omitempty"`
	LastAccepted   *time.Time `json:"last_accepted_at,omitempty"`
	LastFinal      *time.Time `json:"last_final_at,omitempty"`
	DeliveryP50    float64    `json:"delivery_seconds_p50"` // within 5 %
	DeliveryP90    float64    `json:"delivery_seconds_p90"`
	DeliveryP99    float64    `json:"delivery_seconds_p99"`
}

// Summary counts a run; number 0 is the campaign's newest. Errors are those of Delivery, ErrInconsistent with a valid summary.
func Summary(ctx context.Context, pool *pgxpool.Pool, campaignName string, number int) (RunSummary, error) {
	tx, err := begin(ctx, pool)
	if err != nil {
		return RunSummary{}, fmt.Errorf("summarize %s: %w", campaignName, err)
	}
	defer func() { _ = rollback(ctx, tx) }() // it only read
	r, err := readRun(ctx, tx, campaignName, number)
	if err != nil {
		return RunSummary{}, fmt.Errorf("summarize: %w", err)
	}
	s, err := summarize(ctx, tx, r)
	if err != nil {
		return s, fmt.Errorf("summarize %s, run %d: %w", campaignName, r.Number, err)
	}
	return s, nil
}

func summarize(ctx context.Context, tx pgx.Tx, r *run) (RunSummary, error) {
	count, counts := newTally(), newCounters(r)
	err := scan(ctx, tx, r, func(c *chunk) error {
		for i, n := range c.counts {
			count.run[i] += n
		}
		return c.each(func(rec *record) error {
			count.rows[rec.outcome]++
			count.charged += int64(rec.charged)
			counts.add(rec)
			return nil
		})
	})
	if err != nil {
		return RunSummary{}, err
	}
	left, err := readExcluded(ctx, tx, r)
	if err != nil {
		return RunSummary{}, err
	}
	s := RunSummary{
		AsOf:         r.AsOf.In(india),
		Campaign:     r.Campaign,
		Run:          int(r.Number),
		RetryOf:      int(r.RetryOf),
		RunState:     r.State,
		Targeted:     int64(r.Recipients),
		Recipients:   int64(r.Recipients),
		Totals:       count.totals(),
		Excluded:     left,
		ByLanguage:   counts.groups(counts.languages),
		ByHomeState:  counts.groups(counts.homes),
		Errors:       counts.sortedErrors(),
		Parts:        count.charged,
		CostINR:      string(appendINR(nil, count.charged*r.MicroINR)),
		Times:        counts.times(),
		SnapshotHash: hex.EncodeToString(r.SnapshotHash),
	}
	for _, n := range left {
		s.Targeted += n
	}
	if s.Whole, err = readWhole(ctx, tx, r); err != nil {
		return RunSummary{}, err
	}
	return s, count.check()
}

// readWhole counts over a run and its retries; nil where there are none.
func readWhole(ctx context.Context, tx pgx.Tx, r *run) (*Whole, error) {
	tree, err := campaign.ReadTree(ctx, tx, r.Root)
	if err != nil || tree.Retries == 0 {
		return nil, err
	}
	totals := tree.Totals()
	whole := &Whole{Run: int(cmp.Or(r.RetryOf, r.Number)), Retries: tree.Retries, People: tree.People(), Reached: totals.Delivered, Totals: totals.Named()}
	if !r.Receipts {
		whole.Reached += totals.Sent
	}
	return whole, nil
}

// maxErrors bounds the kinds of errors that are told apart: their codes come from outside.
const maxErrors = 1000

// counters gather a summary.
type counters struct {
	run              *run
	languages, homes map[string][]int64 // recipients by campaign.State
	errors           map[errorKey]int64
	submitted        micros
	accepted, final  micros
	delivery         histogram
	code             []byte
}

type errorKey struct {
	kind campaign.State
	code string
}

func newCounters(r *run) *counters {
	return &counters{run: r, languages: make(map[string][]int64), homes: make(map[string][]int64), errors: make(map[errorKey]int64)}
}

func (c *counters) add(rec *record) {
	increment(c.languages, rec.person.language, rec.outcome)
	increment(c.homes, c.run.states[rec.person.state], rec.outcome)
	if rec.submitted != 0 && (c.submitted == 0 || rec.submitted < c.submitted) {
		c.submitted = rec.submitted
	}
	c.accepted, c.final = max(c.accepted, rec.accepted), max(c.final, rec.final)
	c.code = c.code[:0]
	switch rec.outcome {
	case campaign.Rejected:
		c.code = appendStatus(c.code, rec.status)
	case campaign.Failed, campaign.Expired:
		c.code = append(c.code, rec.err...)
	case campaign.Suppressed, campaign.Skipped:
		c.code = append(c.code, rec.skip.reason...)
	case campaign.Delivered:
		if rec.accepted != 0 && rec.final != 0 {
			c.delivery.add(rec.final - rec.accepted)
		}
		return
	default:
		return
	}
	// Written so that a code that is known needs no memory.
	if n, ok := c.errors[errorKey{rec.outcome, string(c.code)}]; ok {
		c.errors[errorKey{rec.outcome, string(c.code)}] = n + 1
		return
	}
	if len(c.errors) >= maxErrors {
		c.code = append(c.code[:0], "other"...)
	}
	c.errors[errorKey{rec.outcome, string(c.code)}]++
}

func increment(groups map[string][]int64, name string, state campaign.State) {
	counts, ok := groups[name]
	if !ok {
		counts = make([]int64, len(campaign.States()))
		groups[name] = counts
	}
	counts[state]++
}

// groups lists groups, the largest first.
func (c *counters) groups(from map[string][]int64) []Group {
	list := make([]Group, 0, len(from))
	for name, counts := range from {
		g := Group{Name: name, Totals: make(map[string]int64)}
		for i, n := range counts {
			if n > 0 {
				g.Recipients += n
				g.Totals[campaign.State(i).String()] = n
			}
		}
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Recipients, a.Recipients), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (c *counters) sortedErrors() []ErrorCount {
	list := make([]ErrorCount, 0, len(c.errors))
	for key := range maps.Keys(c.errors) {
		list = append(list, ErrorCount{Kind: key.kind.String(), Code: key.code, Recipients: c.errors[key]})
	}
	slices.SortFunc(list, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Recipients, a.Recipients), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code))
	})
	return list
}

func (c *counters) times() Times {
	return Times{
		FrozenAt:       c.run.FrozenAt.In(india),
		FirstSubmitted: c.submitted.time(),
		LastAccepted:   c.accepted.time(),
		LastFinal:      c.final.time(),
		DeliveryP50:    c.delivery.quantile(0.50),
		DeliveryP90:    c.delivery.quantile(0.90),
		DeliveryP99:    c.delivery.quantile(0.99),
	}
}
