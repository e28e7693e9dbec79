package doctor

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// patient is an installation on real servers, to be broken.
type patient struct {
	t      *testing.T
	db     *pgxpool.Pool
	config config.Config
	now    time.Time
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	home := t.TempDir()
	p := &patient{t: t, db: testenv.DB(t), now: time.Now()}
	p.config = config.Config{
		Home: home, KeyFile: filepath.Join(home, "key"), Socket: filepath.Join(home, "pukar.sock"), Roles: config.AllRoles(),
		DatabaseURL: config.Secret(testenv.DatabaseURL(t)), RedisURL: config.Secret(testenv.RedisURL(t)),
		Routes: []config.Route{{Name: "main", Receipts: true, Binds: []config.Bind{{Name: "main-1", Addr: "127.0.0.1:1", Type: "transceiver", Window: 10}}}},
	}
	key, err := audience.LoadKey(p.config.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	p.exec("INSERT INTO instance (key_check) VALUES ($1)", key.Witness())
	if err := campaign.NewLedger(p.db).EnsurePartitions(t.Context(), p.now); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *patient) exec(sql string, args ...any) {
	p.t.Helper()
	if _, err := p.db.Exec(p.t.Context(), sql, args...); err != nil {
		p.t.Fatalf("%s: %v", sql, err)
	}
}

func (p *patient) examine() Report {
	own := p.config
	return Examine(p.t.Context(), Options{
		Load: func() (*config.Config, error) { return &own, nil }, Version: "test", now: func() time.Time { return p.now },
	})
}

// finds expects a check to come out so.
func (p *patient) finds(subject, name string, want State, says string) {
	p.t.Helper()
	for _, c := range p.examine().Checks {
		if c.Subject == subject && c.Name == name {
			if c.State != want || !strings.Contains(c.Finding+" "+c.Mend, says) {
				p.t.Errorf("%+v, want %s with %q", c, want, says)
			}
			return
		}
	}
	p.t.Errorf("no check %s %s", subject, name)
}

func TestWhatIsBrokenIsFound(t *testing.T) {
	t.Parallel()
	const sqlRun = `
WITH c AS (INSERT INTO campaign (name, source, state, actor) VALUES ('weekly', '', 'launched', 'test') RETURNING id)
INSERT INTO run (campaign_id, number, kind, state, spec, template, template_version, route, priority, on_unknown, receipts,
                 receipt_wait, inr_per_part, recipients, excluded, snapshot_hash, actor, frozen_at, started_at)
SELECT id, 1, 'campaign', 'running', '{}', 'intro', 1, 'main', 'bulk', 'hold', true, '1 hour', 0, 50, 0, '', 'test', now(), now()
FROM c`
	const sqlStride = `
INSERT INTO stride (run_id, batch, kind, lo, hi, part_counts, parts, fence, route, bind, centre, opened_at, send_by, closed_at)
SELECT id, 0, 'first', 1, 50, '', 50, 1, 'main', 'main-1', 'centre', now() - interval '20 minutes', now(), %s
FROM run`
	for _, tt := range []struct {
		name          string
		breaks        func(*patient)
		subject, find string
		was, want     State
		says          string
	}{
		{"key of another", func(p *patient) { p.exec("UPDATE instance SET key_check = '1'") }, "key", "fits", OK, Problem, "own key"},
		{"key open to others", func(p *patient) { _ = os.Chmod(p.config.KeyFile, 0o644) }, "key", "file", OK, Problem, "chmod 600"},
		{"home open to others", func(p *patient) { _ = os.Chmod(p.config.Home, 0o777) }, "home", "mode", OK, Problem, "chmod go-w"},
		{"migration missing", func(p *patient) {
			p.exec("DELETE FROM goose_db_version WHERE version_id = 6")
		}, "database", "migrations", OK, Problem, "0006_restore"},
		{"migration too many", func(p *patient) {
			p.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
		}, "database", "migrations", OK, Problem, "9999"},
		{"no partition for tomorrow", func(p *patient) { p.now = p.now.AddDate(0, 0, 20) }, "ledger", "partitions", OK, Warning, "submission of"},
		{"something in a default partition", func(p *patient) {
			p.exec("INSERT INTO inbox (chunk, line, kind, centre, bind, raw, at) VALUES (1, 1, 'sms', '', '', '', now() + interval '1 year')")
		}, "ledger", "default_partitions", OK, Warning, "inbox"},
		{"orphans", func(p *patient) {
			p.exec(`INSERT INTO parked (chunk, line, at, centre, bind, smsc_id, msisdn, state, next_try, expires_at, orphan)
SELECT 1, n, now(), '', '', '', 0, '', now(), now(), true FROM generate_series(1, 150) n`)
		}, "ledger", "parked", OK, Warning, "150"},
		{"stride left open", func(p *patient) {
			p.exec(sqlRun)
			p.exec(strings.Replace(sqlStride, "%s", "NULL", 1))
		}, "ledger", "strides", OK, Warning, "1 strides"},
		{"receipts not settled", func(p *patient) {
			p.exec("INSERT INTO inbox_chunk (at) VALUES (now() - interval '10 minutes')")
		}, "ledger", "settling", OK, Problem, "worker"},
		{"restored", func(p *patient) {
			p.exec("INSERT INTO restoration (noticed_at, found) VALUES (now(), 'another cluster')")
		}, "ledger", "restoration", OK, Problem, "another cluster"},
		{"everything stopped", func(p *patient) {
			p.exec("INSERT INTO stop_all (reason, actor, at) VALUES ('wrong text', 'asha', now())")
		}, "ledger", "stop_all", OK, Warning, "asha stopped everything: wrong text"},
		{"schedule failed", func(p *patient) {
			p.exec(sqlRun)
			p.exec(`INSERT INTO firing (campaign_id, due_at, last_due_at, times, state, reason, actor, decided_at)
SELECT id, now(), now(), 1, 'failed', 'the template is gone', 'test', now() FROM campaign WHERE name = 'weekly'`)
		}, "ledger", "schedules", OK, Problem, "the template is gone"},
		{"no receipts", func(p *patient) {
			p.exec(sqlRun)
			p.exec(strings.Replace(sqlStride, "%s", "now()", 1))
			p.exec("INSERT INTO submission (stride_id, run_id, seq, part, parts, bind, result, status, at) SELECT s.id, run_id, 1, 1, 1, bind, 'accepted', 0, now() FROM stride s")
		}, "routes", "receipts main", OK, Problem, "not one receipt"},
		{"window too small for the rate", func(p *patient) {
			p.config.Routes[0].PartsPerSecond, p.config.Routes[0].Binds[0].Window = 100, 1
		}, "routes", "rate main", OK, Warning, "never reached"},
		{"socket left behind", func(p *patient) {
			l, err := net.Listen("unix", p.config.Socket)
			if err != nil {
				p.t.Fatal(err)
			}
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			_ = l.Close()
		}, "server", "answers", Warning, Problem, "left behind"},
		{"files left behind", func(p *patient) {
			_ = os.Mkdir(filepath.Join(p.config.Home, ".s123"), 0o700)
			p.now = p.now.Add(time.Hour)
		}, "leftovers", "files", OK, Warning, ".s123"},
		{"others' keys in Redis", func(p *patient) {
			c, err := (&installation{config: &p.config}).openRedis(p.t.Context())
			if err != nil {
				p.t.Fatal(err)
			}
			defer c.Close()
			if err := c.Set(p.t.Context(), "session:1", "x", time.Hour).Err(); err != nil {
				p.t.Fatal(err)
			}
		}, "redis", "keys", OK, Warning, "1 of 1"},
		{"PostgreSQL away", func(p *patient) {
			p.config.DatabaseURL = config.Secret("postgres:///pukar?host=" + p.t.TempDir())
		}, "database", "answers", OK, Problem, "does not answer"},
		{"Redis away", func(p *patient) { p.config.RedisURL = "redis://127.0.0.1:1" }, "redis", "answers", OK, Problem, "does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.finds(tt.subject, tt.find, tt.was, "")
			tt.breaks(p)
			p.finds(tt.subject, tt.find, tt.want, tt.says)
		})
	}
}

// The servers of the tests run without fsync, which no installation may.
func TestVolatileDatabaseIsFound(t *testing.T) {
	t.Parallel()
	newPatient(t).finds("database", "durability", Problem, "fsync")
}

// A machine on which nothing works is told so within seconds, without a check that is not well lacking its mend.
func TestNothingWorks(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := &patient{t: t, now: time.Now(), config: config.Config{
		Home: "/dev/null", KeyFile: "/dev/null/key", Socket: "/dev/null/pukar.sock",
		DatabaseURL: config.Secret("postgres://" + silent.Addr().String() + "/pukar"), RedisURL: config.Secret("redis://" + silent.Addr().String()),
	}}
	began := time.Now()
	own := p.config
	report := Examine(t.Context(), Options{Load: func() (*config.Config, error) { return &own, nil }, Version: "test", Limit: time.Second})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if report.OK || report.Problems < 4 {
		t.Errorf("only %d problems", report.Problems)
	}
	for _, c := range report.Checks {
		if c.Subject == "" || c.Name == "" || c.Finding == "" || strings.Contains(c.Finding, "\n") || (c.Mend == "") != (c.State == OK || c.State == Unknown) {
			t.Errorf("%+v", c)
		}
	}
}
