package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/web/api"
	"pukar/web/client"
)

// State is how a check came out.
type State string

// The states of a check.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, and may not for ever
	Problem State = "problem" // it does not work, or something may be lost
	Unknown State = "unknown" // it could not be looked at, because something else is away
)

// Check is one thing that was looked at.
type Check struct {
	// Subject is what it is about: configuration, home, key, servers, server, database, redis, clock, disk, routes, ledger, leftovers.
	Subject string `json:"subject"`
	// Name tells it from the others of its subject, and stays the same between versions.
	Name    string `json:"name"`
	State   State  `json:"state"`
	Finding string `json:"finding"`
	// Mend says what to do; empty where all is well.
	Mend string `json:"mend,omitempty"`
}

func ok(name, format string, args ...any) Check {
	return Check{Name: name, State: OK, Finding: fmt.Sprintf(format, args...)}
}

func warning(name, mend, format string, args ...any) Check {
	return Check{Name: name, State: Warning, Mend: mend, Finding: fmt.Sprintf(format, args...)}
}

func problem(name, mend, format string, args ...any) Check {
	return Check{Name: name, State: Problem, Mend: mend, Finding: fmt.Sprintf(format, args...)}
}

func unknown(name, without string) Check {
	return Check{Name: name, State: Unknown, Finding: "not looked at: " + without + " does not answer"}
}

// Report is everything that was looked at.
type Report struct {
	Version  string  `json:"version"` // of the program that looked
	OK       bool    `json:"ok"`      // no problem was found; there may be warnings
	Problems int     `json:"problems"`
	Warnings int     `json:"warnings"`
	Checks   []Check `json:"checks"`
}

// Options say what to examine.
type Options struct {
	// Load reads the configuration as the server would.
	Load func() (*config.Config, error)
	// Fallback is used for what can be looked at without a configuration, when Load finds it wrong.
	Fallback *config.Config
	// Version is this program's.
	Version string
	// Limit bounds each examination; 5 s when zero.
	Limit time.Duration
	now   func() time.Time
}

// installation is what the examinations look at.
type installation struct {
	config   *config.Config
	version  string
	now      func() time.Time
	postgres embedded.Private // of the private server, where there is to be one
	redisOwn embedded.Private

	database    *pgxpool.Pool // nil where it does not answer
	databaseErr error
	redis       redis.UniversalClient
	redisErr    error
	health      *api.Health
	healthErr   error
	client      *client.Client
}

func (i *installation) privatePostgres() bool { return i.config.DatabaseURL == "" }
func (i *installation) privateRedis() bool    { return i.config.RedisURL == "" }

// examination looks at one subject.
type examination struct {
	subject string
	look    func(context.Context, *installation) []Check
}

var examinations = []examination{
	{"home", examineHome},
	{"key", examineKey},
	{"servers", examinePrograms},
	{"server", examineServer},
	{"database", examineDatabase},
	{"redis", examineRedis},
	{"clock", examineClock},
	{"disk", examineDisk},
	{"routes", examineRoutes},
	{"ledger", examineLedger},
	{"leftovers", examineLeftovers},
}

// Examine looks at everything. It takes a few seconds at most, whatever does not answer.
func Examine(ctx context.Context, opt Options) Report {
	if opt.Limit == 0 {
		opt.Limit = 5 * time.Second
	}
	if opt.now == nil {
		opt.now = time.Now
	}
	checks, cfg := examineConfiguration(opt)
	i := &installation{config: cfg, version: opt.Version, now: opt.now}
	i.reach(ctx, opt.Limit)
	defer i.close()
	found := make([][]Check, len(examinations))
	var looking sync.WaitGroup
	for n, e := range examinations {
		looking.Go(func() { found[n] = e.run(ctx, i, opt.Limit) })
	}
	looking.Wait()
	for _, of := range found {
		checks = append(checks, of...)
	}
	report := Report{Version: opt.Version, Checks: checks}
	for _, c := range checks {
		switch c.State {
		case Problem:
			report.Problems++
		case Warning:
			report.Warnings++
		}
	}
	report.OK = report.Problems == 0
	return report
}

// run bounds an examination, and keeps one that goes wrong from the others.
func (e examination) run(ctx context.Context, i *installation, limit time.Duration) []Check {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Check, 1) // buffered: one that outlasts its time ends by itself, at its next look at the context
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- []Check{problem("examination", "report this with the version", "the examination itself went wrong: %v", p)}
			}
		}()
		done <- e.look(ctx, i)
	}()
	var checks []Check
	select {
	case checks = <-done:
	case <-ctx.Done():
		checks = []Check{problem("examination", "look for what is slow: the disk, the network, the servers", "it took longer than %s", limit)}
	}
	for n := range checks {
		checks[n].Subject = e.subject
		checks[n].Finding = oneLine(checks[n].Finding)
	}
	return checks
}

// oneLine is a text without line breaks, such as an error of several parts has.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// reach connects to what answers: the server's socket, PostgreSQL and Redis, at once.
func (i *installation) reach(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if i.privatePostgres() {
		i.postgres = embedded.InspectPostgres(ctx, i.config.Home)
	}
	if i.privateRedis() {
		i.redisOwn = embedded.InspectRedis(i.config.Home)
	}
	i.client = client.New(i.config.Socket)
	var reaching sync.WaitGroup
	reaching.Go(func() {
		health, err := i.client.Health(ctx)
		i.health, i.healthErr = &health, err
	})
	reaching.Go(func() { i.database, i.databaseErr = i.openDatabase(ctx) })
	reaching.Go(func() { i.redis, i.redisErr = i.openRedis(ctx) })
	reaching.Wait()
}

func (i *installation) close() {
	i.client.Close()
	if i.database != nil {
		i.database.Close()
	}
	if i.redis != nil {
		_ = i.redis.Close()
	}
}

// errNotRunning says that a private server does not run, since nobody runs Pukar.
var errNotRunning = errors.New("the private server does not run")
