package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/web/api"
	"pukar/web/client"
)

// well is a database with which nothing is wrong.
func well() cluster {
	return cluster{
		Version: 150004, Encoding: "UTF8", Collation: "C.UTF-8", Fsync: "on", Commit: "on", PageWrites: "on", Checksums: "on", WAL: "replica",
		Connections: 100, Reserved: 3, MayCreate: true, OwnsAll: true, ReadsControl: true, pool: 24,
	}
}

func with(change func(*cluster)) []Check {
	c := well()
	change(&c)
	return judgeCluster(c, false)
}

// Everything that can be wrong comes out as what it is, with a mend; all that is well stays without one.
func TestJudgements(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	noServer := fmt.Errorf("%w at /x", client.ErrNoServer)
	home := folder{path: "/home", isDir: true, mode: 0o755, owner: 7, us: 7, system: unix.EXT4_SUPER_MAGIC}
	as := func(change func(*folder)) []Check { f := home; change(&f); return judgeHome(f) }
	route := func(window int, rate float64) config.Route {
		return config.Route{Name: "main", PartsPerSecond: rate, Binds: []config.Bind{{Name: "main-1", Addr: "centre:2775", Type: "transceiver", Window: window}}}
	}
	bind := func(state, reason string) []Check {
		return judgeBinds(route(1, 1), api.Route{Binds: []api.Bind{{Name: "main-1", State: state, Reason: reason}}})
	}
	one := func(c Check) []Check { return []Check{c} }
	for _, tt := range []struct {
		name   string
		checks []Check
		check  string // which of them
		want   State
		says   string // in finding or mend
	}{
		{"configuration with problems", judgeConfiguration(nil, &config.InvalidError{Problems: []config.Problem{{Where: "pukar.yaml:3", Key: "roles", Text: "unknown"}}}), "parses", Problem, "correct roles in pukar.yaml:3"},
		{"no route", judgeConfiguration(&config.Config{}, nil), "parses", Warning, "pukar init"},
		{"no home", as(func(f *folder) { f.err = fs.ErrNotExist }), "exists", Warning, "pukar serve"},
		{"home is a file", as(func(f *folder) { f.isDir = false }), "exists", Problem, "PUKAR_HOME"},
		{"home open to others", as(func(f *folder) { f.mode = 0o777 }), "mode", Problem, "chmod go-w"},
		{"home of another", as(func(f *folder) { f.owner = 4_000_008 }), "mode", Warning, "user 4000008"},
		{"home on tmpfs", as(func(f *folder) { f.system = unix.TMPFS_MAGIC }), "file_system", Problem, "tmpfs"},
		{"home on NFS", as(func(f *folder) { f.system = unix.NFS_SUPER_MAGIC }), "file_system", Problem, "NFS"},
		{"home in a container", as(func(f *folder) { f.system = unix.OVERLAYFS_SUPER_MAGIC }), "file_system", Warning, "volume"},
		{"home", as(func(*folder) {}), "file_system", OK, ""},
		{"key lost", judgeKey("/k", fs.ErrNotExist, nil, []byte("1"), true), "file", Problem, "restore"},
		{"key not made", judgeKey("/k", fs.ErrNotExist, nil, nil, true), "file", Warning, "pukar serve"},
		{"key open", judgeKey("/k", errors.New("others may read it"), nil, nil, true), "file", Problem, "chmod 600"},
		{"key of another", judgeKey("/k", nil, []byte("1"), []byte("2"), true), "fits", Problem, "own key"},
		{"key that fits", judgeKey("/k", nil, []byte("1"), []byte("1"), true), "fits", OK, ""},
		{"key without a database", judgeKey("/k", nil, []byte("1"), nil, false), "fits", Unknown, ""},
		{"programs missing", one(judgePrograms("redis", "Redis", embedded.Private{Missing: embedded.ErrNotInstalled})), "redis", Problem, "install"},
		{"server of another version", judgeServer(answering{version: "1"}, "2", begin), "version", Warning, "1"},
		{"server killed", judgeServer(answering{err: noServer, file: true, mayServe: true}, "2", begin), "answers", Problem, "pukar serve"},
		{"server hangs", judgeServer(answering{err: noServer, holder: 5, mayServe: true}, "2", begin), "answers", Problem, "process 5"},
		{"server without the interface", judgeServer(answering{err: noServer, holder: 5}, "2", begin), "answers", OK, ""},
		{"server not to be called", judgeServer(answering{err: noServer, file: true, denied: true}, "2", begin), "answers", Problem, "group pukar"},
		{"no server", judgeServer(answering{err: noServer}, "2", begin), "answers", Warning, "pukar serve"},
		{"database too old", with(func(c *cluster) { c.Version = 130000 }), "answers", Problem, "14"},
		{"database standby", with(func(c *cluster) { c.Standby = true }), "primary", Problem, "primary"},
		{"migrations missing", with(func(c *cluster) { c.Missing = []string{"0006_restore"} }), "migrations", Problem, "0006_restore"},
		{"migrations of a newer program", with(func(c *cluster) { c.Newer = []int64{99} }), "migrations", Problem, "99"},
		{"encoding", with(func(c *cluster) { c.Encoding = "LATIN1" }), "encoding", Problem, "LATIN1"},
		{"locale", with(func(c *cluster) { c.Collation = "de_DE.ISO8859-1" }), "encoding", Warning, "C.UTF-8"},
		{"fsync off", with(func(c *cluster) { c.Fsync = "off" }), "durability", Problem, "fsync"},
		{"synchronous_commit and full_page_writes off", with(func(c *cluster) { c.Commit, c.PageWrites = "off", "off" }), "durability", Problem, "synchronous_commit and full_page_writes"},
		{"checksums off", with(func(c *cluster) { c.Checksums = "off" }), "checksums", Warning, "pg_checksums"},
		{"wal_level minimal", with(func(c *cluster) { c.WAL = "minimal" }), "wal_level", Warning, "replica"},
		{"connections for none", with(func(c *cluster) { c.OthersConnect = 80 }), "connections", Problem, "max_connections"},
		{"connections for one", with(func(c *cluster) { c.Connections = 40 }), "connections", Warning, "max_connections"},
		{"rights", with(func(c *cluster) { c.OwnsAll = false }), "rights", Problem, "owner"},
		{"a good database", with(func(*cluster) {}), "rights", OK, ""},
		{"eviction", judgeStore(store{version: "7.0.1", policy: "allkeys-lru"}), "eviction", Problem, "noeviction"},
		{"memory nearly full", judgeStore(store{version: "7.0.1", policy: "noeviction", used: 95 << 20, most: 100 << 20}), "eviction", Problem, "maxmemory"},
		{"others' keys", judgeStore(store{version: "7.0.1", policy: "noeviction", looked: 9, foreign: 2}), "keys", Warning, "2 of 9"},
		{"slow Redis", judgeStore(store{version: "7.0.1", policy: "noeviction", latency: 20 * time.Millisecond}), "latency", Warning, "20ms"},
		{"very slow Redis", judgeStore(store{version: "7.0.1", policy: "noeviction", latency: time.Second}), "latency", Problem, "1s"},
		{"old Redis", judgeStore(store{version: "5.0.14", policy: "noeviction"}), "answers", Problem, "6"},
		{"clock a little off", one(judgeClock("redis", "Redis'", -2*time.Second, time.Millisecond)), "redis", Warning, "behind"},
		{"clock far off", one(judgeClock("redis", "Redis'", 6*time.Second, time.Millisecond)), "redis", Problem, "ahead of"},
		{"clock across a slow line", one(judgeClock("redis", "Redis'", 1500*time.Millisecond, 2*time.Second)), "redis", OK, ""},
		{"clock that nothing keeps", one(judgeSynchronised(kernelClock{unsynced: true})), "synchronised", Warning, "chrony"},
		{"clock that is kept", one(judgeSynchronised(kernelClock{})), "synchronised", OK, ""},
		{"disk full", judgeRoom("home", room{free: 1 << 20, size: 1 << 40}), "home", Problem, "free some"},
		{"disk filling", judgeRoom("home", room{free: 4 << 30, size: 5 << 30}), "home", Warning, "million messages"},
		{"inodes gone", judgeRoom("home", room{free: 1 << 40, size: 1 << 40, freeInodes: 10, allInodes: 1e6}), "home_inodes", Problem, "files"},
		{"disk", judgeRoom("home", room{free: 1 << 40, size: 1 << 40}), "home", OK, ""},
		{"window too small", one(judgeRates(route(1, 100), 0)), "rate main", Warning, "window of 6"},
		{"window too small by measurement", one(judgeRates(route(10, 100), 200*time.Millisecond)), "rate main", Warning, "window of 24"},
		{"window large enough by measurement", one(judgeRates(route(1, 100), 5*time.Millisecond)), "rate main", OK, ""},
		{"nothing can send", one(judgeRates(config.Route{Name: "main", Binds: []config.Bind{{Type: "receiver", Window: 1}}}, 0)), "rate main", Problem, "transceiver"},
		{"bind refused", bind("waiting", "bind refused with status 0x0E"), "bind main-1", Problem, "system_id"},
		{"bind unreachable", bind("waiting", "dial: connection refused"), "bind main-1", Problem, "centre:2775"},
		{"bind elsewhere", bind("closed", "this process does not run it"), "bind main-1", OK, ""},
		{"no receipts", one(judgeReceipts("receipts main", 500, false, true)), "receipts main", Problem, "receipts: false"},
		{"no receiver", one(judgeReceipts("receipts main", 0, false, false)), "receipts main", Problem, "transceiver"},
		{"receipts", one(judgeReceipts("receipts main", 500, true, true)), "receipts main", OK, ""},
		{"no partition", judgeBooks(books{Unpartitioned: []string{"inbox of 2026-03-02"}, serverRuns: true, Sweeps: true}), "partitions", Problem, "inbox of"},
		{"default partition", judgeBooks(books{InDefault: []string{"inbox"}}), "default_partitions", Warning, "inbox"},
		{"parked", judgeBooks(books{Parked: 5000}), "parked", Warning, "system_id"},
		{"orphans", judgeBooks(books{Orphans: 5000}), "parked", Warning, "given up"},
		{"stride left open", judgeBooks(books{OldStrides: 3}), "strides", Warning, "3 strides"},
		{"stride left open though one sweeps", judgeBooks(books{OldStrides: 3, Sweeps: true}), "strides", Problem, "log"},
		{"nobody settles", judgeBooks(books{Unsettled: 300}), "settling", Problem, "worker"},
		{"nobody sweeps", judgeBooks(books{serverRuns: true}), "sweeping", Problem, "scheduler"},
		{"restored", judgeBooks(books{Restoration: "another cluster"}), "restoration", Problem, "resume-all --after-restore"},
		{"stopped", judgeBooks(books{StopReason: "wrong text", StopBy: "asha"}), "stop_all", Warning, "resume-all"},
		{"schedule failed", judgeBooks(books{Failed: []string{"weekly at 10:00: no route"}}), "schedules", Problem, "weekly"},
		{"no schema", judgeBooks(books{Refused: errors.New("no table")}), "books", Problem, "pukar migrate"},
		{"files left", judgeRemains(remains{files: []string{"/home/.s1"}}), "files", Warning, "rm -r /home/.s1"},
		{"servers left", judgeRemains(remains{postgres: embedded.Private{PID: 5}}), "processes", Warning, "pukar serve"},
		{"servers in use", judgeRemains(remains{postgres: embedded.Private{PID: 5}, holder: 4}), "processes", OK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range tt.checks {
				if (c.Mend != "") != (c.State == Warning || c.State == Problem) {
					t.Errorf("%+v: what is not well has a mend, and nothing else", c)
				}
			}
			for _, c := range tt.checks {
				if c.Name == tt.check {
					if c.State != tt.want || !strings.Contains(c.Finding+" "+c.Mend, tt.says) {
						t.Errorf("%+v, want %s with %q", c, tt.want, tt.says)
					}
					return
				}
			}
			t.Errorf("no check %s in %+v", tt.check, tt.checks)
		})
	}
}

func TestResponseTimesNeedEnoughResponses(t *testing.T) {
	t.Parallel()
	got := responseTimes("pukar_submit_seconds_sum{route=\"main\"} 4\npukar_submit_seconds_count{route=\"main\"} 100\n" +
		"pukar_submit_seconds_sum{route=\"new\"} 4\npukar_submit_seconds_count{route=\"new\"} 2\n")
	if len(got) != 1 || got["main"] != 40*time.Millisecond {
		t.Errorf("response times %v, want 40ms for main alone", got)
	}
}
