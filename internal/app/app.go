package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/backup"
	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/internal/mark"
	"pukar/internal/metrics"
	"pukar/internal/pgdb"
	"pukar/internal/queue"
	"pukar/internal/throttle"
	"pukar/smpp"
	"pukar/templates"
	"pukar/web"
	"pukar/worker"
)

// Options say what a process is made of.
type Options struct {
	Config  *config.Config
	Log     *slog.Logger
	Version string
	Ready   func(*App) // called once everything runs; may be nil

	// Volatile lets a database without fsync be used. Tests alone set it; no flag, file or variable may lead here.
	Volatile bool
}

// App is a running process.
type App struct {
	Config    *config.Config
	Pool      *pgxpool.Pool
	Key       audience.Key
	Places    *audience.Places
	Schemes   audience.Schemes
	Holidays  *campaign.Holidays
	Campaigns *campaign.Service
	Inbox     *worker.Inbox
	Socket    string // where the interface is served, "" without the role

	log      *slog.Logger
	version  string
	volatile bool // Options.Volatile
	life     lifecycle
	fail     context.CancelCauseFunc
	redisURL string
	redis    redis.UniversalClient
	queue    *queue.Client
	ledger   *campaign.Ledger
	runs     *worker.Runs
	hinter   *worker.Hinter
	sender   *worker.Sender // nil without the role
	moved    chan struct{}  // from the senders to the sweeper
	stops    *worker.Stops
	halts    *worker.Halts
	breaker  *worker.Breaker
	memory   *worker.Memory
	drains   *worker.Drains
	routes   map[string]*worker.Route
	binds    []*smpp.Bind

	metrics  *metrics.Metrics
	registry *prometheus.Registry
	scrape   http.Handler // answers GET /metrics
	private  bool         // PostgreSQL is a server of our own
}

// Run starts a process with the roles of its configuration, serves until ctx ends or a part fails for
// good, and stops it again. Stopping drains the window and takes less than ten seconds.
func Run(ctx context.Context, opt Options) (err error) {
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	a := &App{
		Config: opt.Config, log: opt.Log, version: opt.Version, volatile: opt.Volatile, fail: fail,
		life: lifecycle{log: opt.Log}, stops: worker.NewStops(), halts: worker.NewHalts(), memory: worker.NewMemory(), routes: make(map[string]*worker.Route),
		moved: make(chan struct{}, 1), // one that was not heard yet says it all
	}
	defer func() { err = errors.Join(err, a.life.stop()) }()
	a.countRoutes()
	if err := a.start(failed); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if opt.Ready != nil {
		opt.Ready(a)
	}
	<-failed.Done()
	if ctx.Err() == nil {
		return context.Cause(failed)
	}
	a.log.Info("stopping")
	return nil
}

func (a *App) start(ctx context.Context) error {
	for _, begin := range []func(context.Context) error{
		a.startServers, a.openDatabase, a.openRedis, a.prepare, a.guard, a.startListener, a.startInbox, a.startRoutes, a.startCampaigns,
		a.startSenders, a.startSweeper, a.startScheduler, a.startMetrics, a.startInterface,
	} {
		if err := begin(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startServers starts the private servers that the configuration leaves to us.
func (a *App) startServers(ctx context.Context) error {
	if err := os.MkdirAll(a.Config.Home, 0o755); err != nil {
		return fmt.Errorf("make the home folder: %w", err)
	}
	if err := backup.Unfinished(a.Config.Home); err != nil {
		return err
	}
	wanted := embedded.Options{
		Home: a.Config.Home, Log: a.log.With("component", "servers"), Durable: true,
		Postgres: a.Config.DatabaseURL == "", Redis: a.Config.RedisURL == "",
	}
	if !wanted.Postgres && !wanted.Redis {
		return nil
	}
	servers, err := embedded.Start(ctx, wanted)
	if err != nil {
		return err
	}
	a.life.onStop("servers", 30*time.Second, servers.Stop)
	a.private = wanted.Postgres
	if wanted.Postgres {
		a.Config.DatabaseURL = config.Secret(servers.DatabaseURL)
	}
	if wanted.Redis {
		a.Config.RedisURL = config.Secret(servers.RedisURL)
	}
	return nil
}

func (a *App) openDatabase(ctx context.Context) error {
	pool, err := pgdb.Open(ctx, a.Config.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	a.Pool = pool
	a.life.onStop("database", 5*time.Second, func(context.Context) error { pool.Close(); return nil })
	if err := mark.Primary(ctx, pool); err != nil {
		return err
	}
	return pgdb.Migrate(ctx, pool)
}

func (a *App) openRedis(ctx context.Context) error {
	a.redisURL = a.Config.RedisURL.Reveal()
	redis.SetLogger(redisLog{a.log.With("component", "redis")})
	client, err := queue.Open(a.redisURL)
	if err != nil {
		return err
	}
	a.redis = client
	a.life.onStop("redis", 2*time.Second, func(context.Context) error { return client.Close() })
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis does not answer: check redis_url: %w", err)
	}
	if a.queue, err = queue.NewClient(a.redisURL); err != nil {
		return err
	}
	a.life.onStop("queue", 2*time.Second, func(context.Context) error { return a.queue.Close() })
	return nil
}

// redisLog turns what the Redis client would print by itself into log lines.
type redisLog struct{ log *slog.Logger }

// Printf implements go-redis' logging interface.
func (l redisLog) Printf(_ context.Context, format string, v ...any) {
	l.log.Warn("the Redis client says something", "text", fmt.Sprintf(format, v...))
}

const sqlKeyCheck = `
INSERT INTO instance (key_check)
VALUES ($1)
ON CONFLICT (only_row) DO UPDATE SET only_row = true
RETURNING key_check`

// prepare loads what everything else needs and refuses the key of another installation: under it no stop
// in the list would be found.
func (a *App) prepare(ctx context.Context) error {
	key, err := audience.LoadKey(a.Config.KeyFile)
	if err != nil {
		return err
	}
	check := key.Witness()
	var stored []byte
	if err := a.Pool.QueryRow(ctx, sqlKeyCheck, check).Scan(&stored); err != nil {
		return fmt.Errorf("check the key: %w", err)
	}
	if !hmac.Equal(stored, check) {
		return fmt.Errorf("the key in %s is not the one that this database was filled with: restore the installation's own key file (key_file)", a.Config.KeyFile)
	}
	a.Key, a.Places = key, audience.KnownPlaces()
	if a.Schemes, err = audience.LoadSchemes(); err != nil {
		return err
	}
	if err := audience.LoadPlaces(ctx, a.Pool); err != nil {
		return err
	}
	a.ledger = campaign.NewLedger(a.Pool)
	if err := a.ledger.EnsurePartitions(ctx, time.Now()); err != nil {
		a.log.Warn("the daily partitions could not be made; facts go to the default ones until they can", "err", err)
	}
	if err := a.measureDrains(); err != nil {
		return err
	}
	a.runs = &worker.Runs{Ledger: a.ledger, Templates: templates.NewStore(a.Pool), Holidays: a.Holidays, Drains: a.drains}
	a.hinter = &worker.Hinter{Ledger: a.ledger, Runs: a.runs, Queue: a.queue}
	return nil
}

// startInbox starts what takes receipts and messages in, and what settles them.
func (a *App) startInbox(context.Context) error {
	centres := make(map[string]string)
	for _, route := range a.Config.Routes {
		for _, bind := range route.Binds {
			centres[bind.Name] = route.Centre
		}
	}
	a.Inbox = &worker.Inbox{
		Pool: a.Pool, Key: a.Key, Memory: a.memory, Drains: a.drains, Stops: a.stops, Centres: centres, Numbers: a.Config.Inbound,
		Log: a.log.With("component", "inbox"), Metrics: a.metrics,
	}
	inbox := start(a.Inbox.Run, a.fail)
	a.life.onStop("inbox", 10*time.Second, inbox.stop)
	if a.Config.HasRole(config.RoleWorker) {
		settler := &worker.Settler{Ledger: a.ledger, Breaker: a.breaker, Log: a.log.With("component", "settler")}
		running := start(settler.Run, a.fail)
		a.life.onStop("settler", 10*time.Second, running.stop)
	}
	return nil
}

// drainTime bounds the wait for the responses of a full window at the end.
const drainTime = 4 * time.Second

func (a *App) startRoutes(context.Context) error {
	if !a.Config.HasRole(config.RoleSMPP) {
		return nil
	}
	var binds []*smpp.Bind
	for _, c := range a.Config.Routes {
		var own []*smpp.Bind
		for _, b := range c.Binds {
			bind := smpp.NewBind(smpp.BindConfig{
				Name: b.Name, Addr: b.Addr, SystemID: b.SystemID, Password: b.Password.Reveal(), SystemType: b.SystemType, Type: b.Type,
				AddrTON: byte(b.AddrTON), AddrNPI: byte(b.AddrNPI), AddressRange: b.AddressRange, Window: b.Window,
				ResponseTimeout: b.ResponseTimeout, EnquireInterval: b.EnquireInterval,
				PartsPerSecond: ownRate(c, b),
			}, a.Inbox.Deliver, a.log.With("component", "smpp"))
			own = append(own, bind)
		}
		a.routes[c.Name] = worker.NewRoute(c, smpp.NewRoute(c.Name, own...))
		binds = append(binds, own...)
	}
	for _, bind := range binds {
		running := start(bind.Run, a.fail)
		a.life.onStop("bind "+bind.Name(), time.Second, running.stop)
	}
	a.binds = binds
	a.life.onStop("windows", drainTime+time.Second, func(ctx context.Context) error { return drainAll(ctx, binds) })
	return nil
}

// catchUp is how much faster than its rate a bind may write, to make up for slots that it was late for.
const catchUp = 1.02

// ownRate bounds what a bind of this process writes in a second. The shared throttle keeps the rate for
// every process together; this keeps a process that wakes up late from writing all missed slots at once.
func ownRate(route config.Route, bind config.Bind) float64 {
	rate := route.PartsPerSecond
	if bind.PartsPerSecond > 0 && (rate == 0 || bind.PartsPerSecond < rate) {
		rate = bind.PartsPerSecond
	}
	return rate * catchUp
}

// drainAll waits for the responses of all binds at once and unbinds.
func drainAll(ctx context.Context, binds []*smpp.Bind) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	errs := make(chan error, len(binds))
	for _, bind := range binds {
		go func() { errs <- bind.Drain(ctx) }()
	}
	var all []error
	for range binds {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func (a *App) startCampaigns(context.Context) error {
	terms, err := routeTerms(a.Config.Routes)
	if err != nil {
		return err
	}
	var tests []int64
	for _, number := range a.Config.TestNumbers {
		msisdn, err := audience.ParseNumber(number)
		if err != nil {
			return fmt.Errorf("test_numbers: %w", err)
		}
		tests = append(tests, msisdn)
	}
	c := campaign.Config{
		Pool: a.Pool, Key: a.Key, Places: a.Places, Schemes: a.Schemes, Holidays: a.Holidays, Routes: terms, TestNumbers: tests,
		Approval: a.Config.ApprovalRequired(), Hint: a.beginRun, GiveHint: a.beginMessage,
	}
	if a.Config.HasRole(config.RoleSMPP) {
		c.RouteState = a.routeState
	}
	a.Campaigns = campaign.NewService(c)
	if a.volatile {
		a.Campaigns.AllowVolatile()
	}
	return nil
}

// beginRun gets a new run going: at once, where this process sends.
func (a *App) beginRun(ctx context.Context, run int32) error {
	if a.sender != nil {
		return a.sender.Begin(ctx, run)
	}
	return a.hinter.Hint(ctx, run)
}

// beginMessage gets a message going: at once, where this process sends.
func (a *App) beginMessage(ctx context.Context, hint campaign.RunHint) error {
	if a.sender != nil {
		return a.sender.BeginMessage(ctx, hint)
	}
	return a.hinter.GiveHint(ctx, hint)
}

func routeTerms(routes []config.Route) (map[string]campaign.RouteTerms, error) {
	terms := make(map[string]campaign.RouteTerms, len(routes))
	for _, r := range routes {
		price, err := templates.ParseRupees(r.InrPerPart)
		if err != nil {
			return nil, fmt.Errorf("routes.%s.inr_per_part: %w", r.Name, err)
		}
		t := campaign.RouteTerms{
			Name: r.Name, Simulated: r.Simulated, Receipts: r.Receipts, INRPerPart: price, PartsPerSecond: r.PartsPerSecond,
		}
		limited := true
		for _, b := range r.Binds {
			if b.Type == smpp.TypeReceiver {
				continue
			}
			t.Window += b.Window
			t.BindsPerSecond += b.PartsPerSecond
			switch {
			case b.PartsPerSecond == 0:
				limited = false
			case t.SlowestBind == 0 || b.PartsPerSecond < t.SlowestBind:
				t.SlowestBind = b.PartsPerSecond
			}
		}
		if !limited {
			t.BindsPerSecond = 0
		}
		terms[r.Name] = t
	}
	return terms, nil
}

// routeState says why a route of this process cannot send, "" when it can.
func (a *App) routeState(name string) string {
	route := a.routes[name]
	if route == nil {
		return "it is not in this process"
	}
	var why []string
	for _, bind := range route.SMPP.Binds() {
		if bind.Bound() {
			return ""
		}
		why = append(why, whyNotBound(bind.Status()))
	}
	return strings.Join(why, "; ")
}

// whyNotBound says why a bind cannot send, and what to do where it does not come back by itself.
func whyNotBound(status smpp.BindStatus) string {
	text := fmt.Sprintf("bind %s is %s", status.Name, status.State)
	if status.Reason != "" {
		text += ": " + status.Reason
	}
	if status.Refused {
		text += "; correct its system_id and password in the configuration and start again"
	}
	return text
}

// RouteBinds tells how the binds of this process stand, by route.
func (a *App) RouteBinds() map[string][]smpp.BindStatus {
	states := make(map[string][]smpp.BindStatus, len(a.routes))
	for name, route := range a.routes {
		for _, bind := range route.SMPP.Binds() {
			states[name] = append(states[name], bind.Status())
		}
	}
	return states
}

// handlers is how many batches a process works on at once, by queue. A handler mostly waits, for the
// centre and for the disk.
var handlers = map[string]int{queue.Urgent: 8, queue.Normal: 8, queue.Bulk: 8}

func (a *App) startSenders(context.Context) error {
	if !a.Config.HasRole(config.RoleWorker) {
		return nil
	}
	a.sender = &worker.Sender{
		Ledger: a.ledger, Runs: a.runs, Hinter: a.hinter, Throttle: throttle.New(a.redis), Routes: a.routes,
		Memory: a.memory, Stops: a.stops, Halts: a.halts, Breaker: a.breaker, Holder: holderName(), Moved: a.moved, Log: a.log.With("component", "sender"),
		Metrics: a.metrics,
	}
	server, err := queue.NewServer(a.redisURL, handlers, a.sender.Work, a.log.With("component", "queue"))
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	// Draining refuses what has not been written and cuts short the wait for a silent centre, so that the
	// handlers end and record; only then may the database go.
	a.life.onStop("strides", 8*time.Second, func(ctx context.Context) error {
		a.sender.Stop()
		server.Stop()
		drained := make(chan error, 1)
		go func() { drained <- drainAll(ctx, a.binds) }()
		server.Shutdown()
		return errors.Join(<-drained, a.sender.Wait(ctx))
	})
	return nil
}

func holderName() string {
	host, _ := os.Hostname()
	unique := make([]byte, 4)
	_, _ = rand.Read(unique)
	return fmt.Sprintf("%s:%d:%s", host, os.Getpid(), hex.EncodeToString(unique))
}

func (a *App) startSweeper(context.Context) error {
	if !a.Config.HasRole(config.RoleScheduler) {
		return nil
	}
	slowest := smpp.DefaultResponseTimeout
	for _, r := range a.Config.Routes {
		for _, b := range r.Binds {
			slowest = max(slowest, b.ResponseTimeout)
		}
	}
	sweeper := &worker.Sweeper{
		Pool: a.Pool, Ledger: a.ledger, Hinter: a.hinter, ResponseTimeout: slowest, Moved: a.moved, Log: a.log.With("component", "sweeper"),
		Metrics: a.metrics,
	}
	running := start(sweeper.Run, a.fail)
	a.life.onStop("sweeper", 5*time.Second, running.stop)
	return nil
}

func (a *App) startInterface(context.Context) error {
	if !a.Config.HasRole(config.RoleAPI) {
		return nil
	}
	socket, err := web.Listen(a.Config.Socket)
	if err != nil {
		return err
	}
	server := web.New(web.Config{
		Version: a.version, Log: a.log.With("component", "web"), Pool: a.Pool, Key: a.Key, Places: a.Places, Schemes: a.Schemes,
		Routes: a.Config.Routes, Inbound: a.Config.Inbound, RouteBinds: a.RouteBinds, Campaigns: a.Campaigns,
		Receive: func(ctx context.Context, r web.Received) (bool, error) {
			return a.Inbox.Receive(ctx, worker.Received(r))
		},
		StopAdded: func(key int64) { a.stops.Add(key, ""); a.metrics.Stopped("person") },
		Scrape:    a.scrape, Metrics: a.metrics,
		Backup: &backup.Source{
			Pool: a.Pool, Address: a.Config.DatabaseURL.Reveal(), Home: a.Config.Home, KeyFile: a.Config.KeyFile,
			Config: a.Config.File, Program: a.version,
		},
	})
	running := start(func(ctx context.Context) error { return server.Run(ctx, socket) }, a.fail)
	a.life.onStop("interface", 5*time.Second, running.stop)
	a.Socket = filepath.Clean(a.Config.Socket)
	return nil
}
