package app

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/smpp/smsc"
	"pukar/templates"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(envChild); spec != "" {
		os.Exit(runChild(spec))
	}
	// The tests mostly wait, for delays that they ask of the centre.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	testenv.Main(m)
}

// within is how long anything may take that ought to happen by itself.
const within = 60 * time.Second

const introTemplate = `
name: onorc-intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: en
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} के आपके राशन कार्ड पर अब जहाँ आप काम करते हैं वहीं राशन मिलेगा। मदद: 1800-891-2995 पर पूछें।"}
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#} of {#alphanumeric#}, your ration card works where you work. Help: call 1800-891-2995 today."}
`

const introCampaign = `
name: %s
purpose: ration portability
audience: {all: true}
steps:
  - sms: {template: onorc-intro, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
priority: bulk
`

// bench is a process with a message centre of its own.
type bench struct {
	t      testing.TB
	centre *smsc.Centre
	record *record // what the centre got
	log    *record // what the centre says
	config config.Config
	app    *App
	stop   func()

	volatile bool // Options.Volatile, as the servers of the tests ask for
}

// newBench starts a message centre; run starts the process.
func newBench(t testing.TB, options smsc.Options, adjust func(*config.Config)) *bench {
	t.Helper()
	b := &bench{t: t, record: &record{}, log: &record{}, volatile: true}
	options.Record = b.record
	b.centre = smsc.New(options, slog.New(slog.NewTextHandler(b.log, nil)))
	if err := b.centre.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.centre.Close()
		if t.Failed() {
			t.Logf("the centre said:\n%s", b.log)
		}
	})
	b.config = testConfig(childSpec{
		Home: t.TempDir(), Database: testenv.DatabaseURL(t), Redis: testenv.RedisURL(t), Addr: b.centre.Addr(), Window: 100,
	})
	if adjust != nil {
		adjust(&b.config)
	}
	return b
}

// testConfig is a configuration with one route to a simulated centre.
func testConfig(s childSpec) config.Config {
	binds := make([]config.Bind, max(1, s.Binds))
	for i := range binds {
		binds[i] = config.Bind{
			Name: fmt.Sprintf("main-%d", i+1), Addr: s.Addr, SystemID: cmp.Or(s.SystemID, "pukar"), Password: "secret", Type: config.Transceiver,
			Window: s.Window, PartsPerSecond: s.BindRate, ResponseTimeout: 5 * time.Second, EnquireInterval: 30 * time.Second,
		}
		if len(binds) > 1 {
			binds[i].SystemID += fmt.Sprintf("-%d", i+1)
		}
	}
	return config.Config{
		Home: s.Home, KeyFile: filepath.Join(s.Home, "key"), Socket: filepath.Join(s.Home, "pukar.sock"),
		DatabaseURL: config.Secret(s.Database), RedisURL: config.Secret(s.Redis),
		Roles: config.AllRoles(),
		Routes: []config.Route{{
			Name: "main", InrPerPart: "0.1450", Receipts: true, Simulated: true, Centre: "centre", PartsPerSecond: s.Rate,
			SourceTON: 5, DestTON: 1, DestNPI: 1, DLT: config.DLT{Tags: config.Tags{EntityID: 0x1400, TemplateID: 0x1401, Chain: 0x1402}},
			Binds: binds,
		}},
		TestNumbers: []string{"919800000001"},
	}
}

// run starts the process and returns when it serves.
func (b *bench) run() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *App, 1), make(chan error, 1)
	go func() {
		own := b.config
		ended <- Run(ctx, Options{Config: &own, Volatile: b.volatile, Log: testenv.Logger(b.t), Ready: func(a *App) { ready <- a }})
	}()
	select {
	case b.app = <-ready:
	case err := <-ended:
		cancel()
		b.t.Fatalf("the process ended before it was ready: %v", err)
	case <-time.After(within):
		cancel()
		b.t.Fatal("the process is not ready")
	}
	var once sync.Once
	b.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				b.t.Errorf("stopping: %v", err)
			}
		})
	}
	b.t.Cleanup(b.stop)
}

// people imports n contacts; person i has number 919800100000+i.
func (b *bench) people(n int) {
	b.t.Helper()
	var csv strings.Builder
	csv.WriteString("msisdn,name,language,home_district,consent_sms\n")
	districts := []string{"BR/Patna", "UP/Varanasi", "JH/Ranchi"}
	for i := range n {
		language := "en"
		if i%2 == 0 {
			language = "hi"
		}
		fmt.Fprintf(&csv, "%d,%s,%s,%s,yes\n", firstNumber+int64(i), nameOf(i), language, districts[i%len(districts)])
	}
	b.importPeople(n, csv.String(), audience.ImportOptions{})
}

// importPeople imports a list of n people who are all new.
func (b *bench) importPeople(n int, csv string, options audience.ImportOptions) {
	b.t.Helper()
	options.Source, options.Actor = "test", "test"
	result, err := audience.Import(b.t.Context(), b.app.Pool, b.app.Key, strings.NewReader(csv), options)
	if err != nil {
		b.t.Fatal(err)
	}
	if result.Inserted != int64(n) {
		b.t.Fatalf("imported %d of %d people: %+v", result.Inserted, n, result)
	}
}

const firstNumber = 919800100000

func nameOf(i int) string { return "Asha" + strings.Repeat("a", i%5) }

// launch launches the usual campaign, which goes to everybody at any hour.
func (b *bench) launch(name string) *campaign.Status {
	b.t.Helper()
	return b.launchFile(introTemplate, fmt.Sprintf(introCampaign, name))
}

// launchFile stores a template and a campaign, and launches that.
func (b *bench) launchFile(template, source string) *campaign.Status {
	b.t.Helper()
	created := b.create(template, source)
	status, err := b.app.Campaigns.Launch(b.t.Context(), created.Name, campaign.LaunchOptions{Actor: "test"})
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}

// create stores a template and a campaign.
func (b *bench) create(template, source string) *campaign.Campaign {
	b.t.Helper()
	ctx := b.t.Context()
	if _, _, err := templates.NewStore(b.app.Pool).Add(ctx, []byte(template), "test"); err != nil {
		b.t.Fatal(err)
	}
	created, err := b.app.Campaigns.Create(ctx, []byte(source), "test")
	if err != nil {
		b.t.Fatal(err)
	}
	return created
}

func (b *bench) status(name string) *campaign.Status {
	b.t.Helper()
	status, err := b.app.Campaigns.Status(context.WithoutCancel(b.t.Context()), name)
	if err != nil {
		b.t.Fatal(err)
	}
	if status.Totals.Sum() != status.Recipients {
		b.t.Fatalf("totals %+v do not add up to %d recipients", status.Totals, status.Recipients)
	}
	return status
}

// until waits for a campaign's status to be as wanted.
func (b *bench) until(name, what string, ok func(*campaign.Status) bool) *campaign.Status {
	b.t.Helper()
	var last *campaign.Status
	testenv.Eventually(b.t, within, what, func() bool {
		last = b.status(name)
		return ok(last)
	})
	return last
}

func (b *bench) done(name string) *campaign.Status {
	b.t.Helper()
	return b.until(name, "the run to be done", func(s *campaign.Status) bool { return s.State == string(campaign.RunDone) })
}

// submitted waits until the centre has got n parts.
func (b *bench) submitted(n int64) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("%d parts to be submitted", n), func() bool { return b.centre.Stats().Submits >= n })
}

// eventually waits for what is to happen by itself.
func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	testenv.Eventually(b.t, within, what, ok)
}

// count asks the database for a number.
func (b *bench) count(sql string, args ...any) (n int64) {
	b.t.Helper()
	if err := b.app.Pool.QueryRow(b.t.Context(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// exec changes the database behind the program's back, mostly to make time pass.
func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.app.Pool.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}
