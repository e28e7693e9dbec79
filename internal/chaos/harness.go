package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/pgdb"
	"pukar/smpp/smsc"
	"pukar/templates"
)

// Options say what is run.
type Options struct {
	People  int           // how many are written to; at least 500
	Moments int           // how often something happens
	Seed    uint64        // decides what and when
	Within  time.Duration // the run is given up after this long; 0 is two hours
	Only    []string      // moments to choose from, by the beginning of their names; empty is all
	Out     io.Writer     // gets a line for each moment
	Folder  string        // where the temporary folder is made; "" is the system's
	Keep    bool          // leave the folder with the logs
}

const (
	bindWindow      = 50
	bindsPerProcess = 2
	responseTimeout = 5 * time.Second
	responseDelay   = 100 * time.Millisecond
	leastRate       = 200 // parts a second
)

// harness is one run.
type harness struct {
	Options
	random    *rand.Rand
	folder    string
	rate      int // parts a second
	groups    []group
	truth     *truth
	servers   *servers
	line      *line
	wire      *wire
	centre    *smsc.Centre
	pool      *pgxpool.Pool
	key       audience.Key
	campaigns *campaign.Service
	crew      []*process // schedulers first
	ends      []func() error
	begun     time.Time
	patience  time.Duration // for the run to get as far as it should have got before a moment

	bound     int64 // parts that may be unknown by now, but for those that the centre left unanswered
	tooMany   int64 // how many were found unknown beyond the bound
	cancelled map[string]bool
	restored  int
}

func (o *Options) check() error {
	o.Within = cmp.Or(o.Within, 2*time.Hour)
	if o.People < 500 || o.People > 10_000_000 || o.Moments < 1 {
		return fmt.Errorf("%w: people from 500 to 10000000, at least one moment", errUsage)
	}
	return nil
}

func newHarness(o Options) *harness {
	h := &harness{
		Options: o, random: rand.New(rand.NewPCG(o.Seed, 0x70756b6172)), groups: groups(o.People),
		cancelled: make(map[string]bool), patience: 5 * undisturbed,
	}
	h.truth = newTruth(o.People, func(i int) bool { return h.groupOf(i).onUnknown == "resend" })
	return h
}

// undisturbed is how long the run goes on by itself after a moment, on the average.
const undisturbed = 4 * time.Second

// setPace chooses the rate at which the run lasts as long as the moments that are planned.
func (h *harness) setPace(planned []moment) {
	var all time.Duration
	for _, m := range planned {
		all += m.cost + undisturbed
	}
	h.rate = max(leastRate, int(float64(h.People)*partsPerPerson/all.Seconds()))
}

func (h *harness) groupOf(i int) *group {
	for g := range h.groups {
		if i < h.groups[g].to {
			return &h.groups[g]
		}
	}
	return &h.groups[len(h.groups)-1]
}

// perDeath is how many parts a process may leave unknown when it dies: DESIGN 4.4.
func (h *harness) perDeath() int64 {
	const leastAhead = 16
	return int64(max(leastAhead, min(2*bindsPerProcess*bindWindow, h.rate/2)))
}

func (h *harness) onEnd(end func() error) { h.ends = append(h.ends, end) }

// tearDown ends everything, the last first.
func (h *harness) tearDown() error {
	var errs []error
	for i := len(h.ends) - 1; i >= 0; i-- {
		errs = append(errs, h.ends[i]())
	}
	return errors.Join(errs...)
}

// setUp starts servers, centre and processes, and brings the people in.
func (h *harness) setUp(ctx context.Context) error {
	for _, step := range []func(context.Context) error{h.makeFolder, h.startServers, h.startCentre, h.fill, h.makeCrew} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *harness) makeFolder(context.Context) (err error) {
	if h.folder, err = os.MkdirTemp(h.Folder, "pukar-chaos-"); err != nil {
		return err
	}
	if h.Keep {
		h.onEnd(func() error { _, err := fmt.Fprintln(h.Out, "kept", h.folder); return err })
		return os.Chmod(h.folder, 0o755)
	}
	end, err := post(h.folder)
	if err != nil {
		return err
	}
	h.onEnd(end)
	return os.Chmod(h.folder, 0o755) //nolint:gosec // the servers' account passes through it
}

func (h *harness) startServers(ctx context.Context) (err error) {
	h.servers, err = startServers(ctx, h.folder)
	if h.servers != nil {
		h.onEnd(func() error { return h.servers.stop(context.Background()) })
	}
	if err != nil {
		return err
	}
	if h.line, err = newLine(filepath.Join(h.folder, "line"), filepath.Join(h.servers.postgresHome(), "servers", "sock")); err != nil {
		return err
	}
	h.onEnd(h.line.close)
	if h.pool, err = pgdb.Open(ctx, h.servers.postgres.DatabaseURL); err != nil {
		return err
	}
	h.onEnd(func() error { h.pool.Close(); return nil })
	return pgdb.Migrate(ctx, h.pool)
}

// usual is how the centre behaves while nothing else is asked of it.
func usual() smsc.Behaviour {
	return smsc.Behaviour{ReceiptDelay: 300 * time.Millisecond, ReceiptDelayJitter: time.Second, FailRatio: 0.03, ExpireRatio: 0.02}
}

func (h *harness) startCentre(context.Context) (err error) {
	if h.wire, err = newWire(); err != nil {
		return err
	}
	h.centre = smsc.New(smsc.Options{
		Listener: h.wire, Seed: h.Seed, ResponseDelay: responseDelay, Record: h.truth, DuplicateLimit: -1, InjectTimeout: time.Hour,
		RedeliverAfter: 20 * time.Second, RetryAfter: time.Second,
	}, slog.New(slog.DiscardHandler))
	if err := h.centre.Behave(usual()); err != nil {
		return err
	}
	h.onEnd(h.centre.Close)
	return h.centre.Start()
}

// fill brings people, template and campaigns in.
func (h *harness) fill(ctx context.Context) (err error) {
	if h.key, err = audience.LoadKey(filepath.Join(h.folder, "key")); err != nil {
		return err
	}
	if err := audience.LoadPlaces(ctx, h.pool); err != nil {
		return err
	}
	schemes, err := audience.LoadSchemes()
	if err != nil {
		return err
	}
	h.campaigns = campaign.NewService(campaign.Config{
		Pool: h.pool, Key: h.key, Places: audience.KnownPlaces(), Schemes: schemes,
		Routes: map[string]campaign.RouteTerms{"main": {
			Name: "main", Simulated: true, Receipts: true, PartsPerSecond: float64(h.rate), Window: bindsPerProcess * bindWindow,
		}},
		Hint: func(context.Context, int32) error { return nil }, // the leader's sweep gives them
	})
	if err := h.importPeople(ctx); err != nil {
		return err
	}
	if _, _, err := templates.NewStore(h.pool).Add(ctx, []byte(template), "chaos"); err != nil {
		return err
	}
	for _, g := range h.groups {
		source := fmt.Sprintf(campaignFile, g.campaign, g.district, g.priority, g.onUnknown)
		if _, err := h.campaigns.Create(ctx, []byte(source), "chaos"); err != nil {
			return err
		}
	}
	return nil
}

const settings = `
home: %[1]s
key_file: %[2]s
database_url: "postgres:///pukar?host=%[3]s&port=5432&user=pukar"
redis_url: "%[4]s"
roles: [%[5]s]
routes:
  - name: main
    simulated: true
    centre: centre
    parts_per_second: %[6]d
    header: HELPLN
    binds:
%[7]s`

// makeCrew gives each process its home and starts two schedulers and three workers.
func (h *harness) makeCrew(ctx context.Context) error {
	for n := range 2 {
		if err := h.hire(fmt.Sprintf("scheduler %d", n+1), "api, scheduler"); err != nil {
			return err
		}
	}
	for n := range 4 {
		if err := h.hire(fmt.Sprintf("worker %d", n+1), "worker, smpp"); err != nil {
			return err
		}
	}
	for _, p := range h.crew[:5] {
		if err := p.start(); err != nil {
			return err
		}
	}
	return h.awaitCrew(ctx)
}

func (h *harness) hire(name, roles string) error {
	home := filepath.Join(h.folder, strings.ReplaceAll(name, " ", "-"))
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	var binds strings.Builder
	for range bindsPerProcess {
		fmt.Fprintf(&binds, "      - {addr: %q, system_id: pukar, password: secret, window: %d, response_timeout: %s}\n",
			h.centre.Addr(), bindWindow, responseTimeout)
	}
	text := fmt.Sprintf(settings, home, filepath.Join(h.folder, "key"), h.line.folder, h.servers.redis.RedisURL, roles, h.rate, &binds)
	if err := os.WriteFile(filepath.Join(home, "pukar.yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	p := &process{name: name, home: home, complain: h.truth.report}
	h.crew = append(h.crew, p)
	h.onEnd(func() error { p.kill(); return nil })
	return nil
}

func (h *harness) schedulers() []*process { return h.crew[:2] }
func (h *harness) workers() []*process    { return h.crew[2:] }

// awaitCrew waits until everybody who should run does.
func (h *harness) awaitCrew(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("waited a minute"))
	defer cancel()
	for _, p := range h.crew {
		if p.running() {
			if err := p.awaitReady(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// some picks one of the processes that run, or nil.
func (h *harness) some(from []*process) *process {
	var up []*process
	for _, p := range from {
		if p.running() {
			up = append(up, p)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[h.random.IntN(len(up))]
}

// between is a time from a to b.
func (h *harness) between(a, b time.Duration) time.Duration {
	return a + time.Duration(h.random.Int64N(int64(b-a)+1))
}
