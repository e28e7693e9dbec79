package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pukar/campaign"
)

// ErrViolated says that the ledger broke a promise.
var ErrViolated = errors.New("the ledger broke its promise")

// Run runs a campaign through its moments and writes a line for each. It gives ErrViolated when record and ledger did not
// agree at some time, another error when it could not go on, and in both cases has said why.
func Run(ctx context.Context, o Options) error { return run(ctx, o, 0) }

// run keeps what moments take within the budget, where there is one.
func run(ctx context.Context, o Options, budget time.Duration) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Within, fmt.Errorf("not done within %s", o.Within))
	defer cancel()
	h := newHarness(o)
	h.begun = time.Now()
	planned, err := h.plan(budget)
	if err != nil {
		return err
	}
	h.setPace(planned)
	if budget > 0 {
		h.patience = undisturbed
	}
	defer func() {
		if err == nil {
			err = h.summary()
		}
		err = errors.Join(err, h.tearDown())
	}()
	h.tell("chaos: seed %d, %d people, %d moments, %d parts a second", o.Seed, o.People, len(planned), h.rate)
	if err := h.setUp(ctx); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	return h.play(ctx, planned)
}

func (h *harness) tell(format string, args ...any) { _, _ = fmt.Fprintf(h.Out, format+"\n", args...) }

// play launches the campaigns and lets things happen until they are over.
func (h *harness) play(ctx context.Context, planned []moment) error {
	for _, g := range h.groups[:2] {
		if err := h.launch(ctx, g.campaign); err != nil {
			return err
		}
	}
	total := float64(h.groups[1].to) * partsPerPerson
	for n, m := range planned {
		if err := h.await(ctx, int64(total*0.95*float64(n)/float64(len(planned)))); err != nil {
			return err
		}
		if err := pause(ctx, h.between(0, 300*time.Millisecond)); err != nil {
			return err
		}
		begun := time.Now()
		what, err := m.act(h, ctx)
		if err != nil {
			return fmt.Errorf("moment %d, %s: %w", n+1, m.name, err)
		}
		if err := h.judge(ctx, n+1, begun, m.name+": "+what); err != nil {
			return err
		}
	}
	return h.finish(ctx)
}

// fullEvery is how often a large run is recounted; a small one always is.
const (
	fullEvery = 10
	smallRun  = 50_000
)

// judge checks after a moment and writes its line.
func (h *harness) judge(ctx context.Context, n int, begun time.Time, what string) error {
	before := len(h.truth.found())
	v, err := h.check(ctx, h.People <= smallRun || n%fullEvery == 0, false)
	if err != nil {
		return fmt.Errorf("check after moment %d: %w", n, err)
	}
	h.checkHealth()
	found := h.truth.found()[before:]
	h.tell("%4d  %s  %-62s  accepted %d, pending %d, unknown %d (%d parts of at most %d)  %s", n, begun.Format(time.TimeOnly), what,
		v.accepted, v.totals[campaign.Pending], v.totals[campaign.Unknown], v.unknown, h.bound+h.centre.Stats().Silent, judgement(found))
	for _, f := range found {
		h.tell("      %s", f)
	}
	return nil
}

func judgement(found []string) string {
	if len(found) == 0 {
		return "ok"
	}
	return fmt.Sprintf("VIOLATED (%d)", len(found))
}

func (h *harness) checkHealth() {
	for _, p := range h.crew {
		if text := p.confused(); text != "" {
			h.truth.report("%s: %s", p.name, text)
		}
	}
}

// await waits until the centre has accepted so many parts, or until the run is held up for longer than a moment is
// usually followed by.
func (h *harness) await(ctx context.Context, parts int64) error {
	for begun := time.Now(); time.Since(begun) < h.patience; {
		if h.truth.count() >= parts {
			return nil
		}
		if err := h.centre.Flush(); err != nil {
			return err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

const (
	// What waits for its next try would keep the harness waiting too.
	sqlHasten = `UPDATE redo SET not_before = now() WHERE not_before > now() + interval '2 seconds'`

	// The receipts of what was acknowledged after a backup do not come again: receipt_wait is over for them.
	sqlNoMoreReceipts = `UPDATE outcome SET last_result = last_result - interval '30 days' WHERE counts[6] > 0`
)

// finish lets everybody work until every run is over, and looks a last time.
func (h *harness) finish(ctx context.Context) error {
	if err := startAll(h.crew[:5]); err != nil {
		return err
	}
	begun := time.Now()
	progress, state := time.Now(), ""
	for {
		if err := h.try(ctx, func() error { _, err := h.pool.Exec(ctx, sqlHasten); return err }); err != nil {
			return err
		}
		v, err := h.check(ctx, false, false)
		if err != nil {
			return err
		}
		if v.open == 0 {
			break
		}
		if now := fmt.Sprint(v.accepted, v.open, describe(v.totals)); now != state {
			progress, state = time.Now(), now
		}
		still := time.Since(progress)
		if still > 5*time.Second && h.restored > 0 && v.totals[campaign.Pending] == 0 {
			if err := h.try(ctx, func() error { _, err := h.pool.Exec(ctx, sqlNoMoreReceipts); return err }); err != nil {
				return err
			}
		}
		if still > standstill {
			h.truth.report("nothing moves for %s: %s", standstill, describe(v.totals))
			break
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	if _, err := h.check(ctx, true, true); err != nil {
		return err
	}
	for _, p := range h.crew {
		p.terminate()
	}
	return h.judge(ctx, 0, begun, "the end")
}

// standstill is how long nothing may happen while people are waiting: a lease, a hint that got lost and a sweep.
const standstill = 75 * time.Second

// summary says what it came to.
func (h *harness) summary() error {
	found := h.truth.found()
	stats := h.centre.Stats()
	h.truth.mu.Lock()
	again, lostParts := h.truth.again, h.truth.lostParts
	h.truth.mu.Unlock()
	starts := 0
	for _, p := range h.crew {
		starts += p.starts
	}
	h.tell("chaos: seed %d: %d parts accepted, %d refused, %d throttled, %d cuts of the line; %d accepted again with leave (%d lost with a backup); %d restores, %d starts of processes, %s: %s",
		h.Seed, stats.Accepted, stats.Refused, stats.Throttled, stats.BindsTotal-int64(stats.Binds), again, lostParts, h.restored, starts,
		time.Since(h.begun).Round(time.Second), judgement(found))
	if len(found) == 0 {
		return nil
	}
	for _, f := range found {
		h.tell("  %s", f)
	}
	return fmt.Errorf("%w: %d violations, the first: %s", ErrViolated, len(found), found[0])
}
