package app

import (
	"syscall"
	"testing"
	"time"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/queue"
	"pukar/internal/testenv"
	"pukar/smpp/smsc"
	"pukar/templates"
	"pukar/worker"
)

// crash is a run that children work on while the test watches the ledger and the centre.
type crash struct {
	*bench
	spec childSpec
}

const crashWindow = 50

// newCrash freezes a run of n people; its children keep to 1,500 parts a second, so that there is a middle
// to be killed in.
func newCrash(t *testing.T, n int, options smsc.Options) *crash {
	t.Helper()
	b := newBench(t, options, nil)
	c := &crash{bench: b, spec: childSpec{
		Home: b.config.Home, Database: b.config.DatabaseURL.Reveal(), Redis: b.config.RedisURL.Reveal(),
		Addr: b.centre.Addr(), Window: crashWindow, Rate: 1500,
	}}
	key, err := audience.LoadKey(b.config.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := testenv.DB(t)
	hints, err := queue.NewClient(c.spec.Redis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hints.Close() })
	terms, err := routeTerms(b.config.Routes)
	if err != nil {
		t.Fatal(err)
	}
	if err := audience.LoadPlaces(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	ledger := campaign.NewLedger(pool)
	hinter := &worker.Hinter{Ledger: ledger, Runs: &worker.Runs{Ledger: ledger, Templates: templates.NewStore(pool)}, Queue: hints}
	schemes, err := audience.LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	b.app = &App{Pool: pool, Key: key, Campaigns: campaign.NewService(campaign.Config{
		Pool: pool, Key: key, Places: audience.KnownPlaces(), Schemes: schemes, Routes: terms, Hint: hinter.Hint,
	})}
	b.people(n)
	return c
}

// checkNobodyLostOrDoubled holds the ledger to the centre's own record once the run is over.
func (c *crash) checkNobodyLostOrDoubled(name string, deaths int) {
	c.t.Helper()
	status := c.until(name, "the run to be over", func(s *campaign.Status) bool { return s.State == string(campaign.RunDone) })
	totals := status.Totals
	if totals.Delivered+totals.Unknown != status.Recipients {
		c.t.Errorf("totals %+v: everybody was to be delivered or unknown", totals)
	}
	// DESIGN's bound: two windows per process that died, in parts, which is at least as many as people.
	if bound := int64(deaths * max(2*crashWindow, 16)); totals.Unknown > bound {
		c.t.Errorf("%d are unknown; %d deaths may leave %d", totals.Unknown, deaths, bound)
	}
	stats := c.centre.Stats()
	if stats.Duplicates != 0 {
		c.t.Errorf("the centre got %d parts twice", stats.Duplicates)
	}
	if stats.Messages < totals.Delivered || stats.Messages > totals.Delivered+totals.Unknown {
		c.t.Errorf("the centre counts %d messages; the ledger says %d delivered and %d unknown", stats.Messages, totals.Delivered, totals.Unknown)
	}
	reached := c.accepted()
	missing := int64(0)
	for i := range int(status.Recipients) {
		if len(reached[numberOf(i)]) == 0 {
			missing++
		}
	}
	if missing > totals.Unknown {
		c.t.Errorf("%d people were never submitted, but only %d are unknown", missing, totals.Unknown)
	}
}

func TestKilledInMidRun(t *testing.T) {
	t.Parallel()
	c := newCrash(t, 4000, smsc.Options{ResponseDelay: 10 * time.Millisecond})
	first := startChild(t, c.spec)
	c.launch("killed")
	c.submitted(1500)
	first.kill()
	second := startChild(t, c.spec)
	c.submitted(3500)
	second.kill()
	third := startChild(t, c.spec)
	c.checkNobodyLostOrDoubled("killed", 2)
	third.terminate()
}

func TestStoppedPastItsLease(t *testing.T) {
	t.Parallel()
	c := newCrash(t, 4000, smsc.Options{ResponseDelay: 10 * time.Millisecond})
	sleeper := startChild(t, c.spec)
	c.launch("asleep")
	c.submitted(1000)
	sleeper.signal(syscall.SIGSTOP)
	other := c.childSpec()
	other.Window, other.Rate = c.spec.Window, c.spec.Rate
	awake := startChild(t, other)
	c.until("asleep", "the other process to finish", func(s *campaign.Status) bool { return s.Totals.Pending == 0 })
	sleeper.signal(syscall.SIGCONT)
	c.checkNobodyLostOrDoubled("asleep", 1)
	sleeper.terminate()
	awake.terminate()
}
