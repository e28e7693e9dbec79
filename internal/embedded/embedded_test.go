package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"pukar/internal/embedded"
	"pukar/internal/testenv"
)

// helperHome in the environment makes the test binary a program that starts servers on that home and waits to be killed.
const helperHome = "PUKAR_TEST_EMBEDDED_HELPER"

func TestMain(m *testing.M) {
	if home := os.Getenv(helperHome); home != "" {
		if _, err := embedded.Start(context.Background(), embedded.Options{Home: home, Postgres: true, Redis: true, Durable: true}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		select {}
	}
	testenv.Main(m)
}

// newHome makes a home that the servers' account can reach, unlike one below t.TempDir, whose parent is closed.
func newHome(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp("", "pukar-embedded-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	return home
}

func start(t *testing.T, home string) *embedded.Servers {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Options{Home: home, Log: testenv.Logger(t), Postgres: true, Redis: true, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *embedded.Servers) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// query runs one statement on a connection of its own and returns its only value as text.
func query(ctx context.Context, address, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var said string
	err = conn.QueryRow(ctx, sql).Scan(&said)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return said, err
}

func mustQuery(t *testing.T, s *embedded.Servers, sql string) string {
	t.Helper()
	said, err := query(t.Context(), s.DatabaseURL, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return said
}

func pidOf(t *testing.T, home, file string) int {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(home, "servers", file))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(said), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

const (
	postgresPID = "postgres/data/postmaster.pid"
	redisPID    = "redis/redis.pid"
)

// gone also counts a dead process that nobody has reaped, as in a container whose first process does not.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	s := start(t, home)
	mustQuery(t, s, "CREATE TABLE kept (n int)")
	mustQuery(t, s, "INSERT INTO kept VALUES (42)")
	stop(t, s)

	s = start(t, home)
	defer stop(t, s)
	if got := mustQuery(t, s, "SELECT n::text FROM kept"); got != "42" {
		t.Errorf("after a restart the row reads %q, want 42", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := start(t, newHome(t))
	defer stop(t, s)
	want := map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"listen_addresses": "", "server_encoding": "UTF8", "jit": "off", "checkpoint_timeout": "15min", "max_wal_size": "8GB",
		"unix_socket_permissions": "0700", "log_error_verbosity": "terse",
	}
	got := map[string]string{}
	for name := range want {
		got[name] = mustQuery(t, s, "SELECT current_setting('"+name+"')")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := mustQuery(t, s, "SELECT datcollate FROM pg_database WHERE datname = 'pukar'"); got != "C.UTF-8" {
		t.Errorf("the database collates by %s, want C.UTF-8", got)
	}

	opt, err := redis.ParseURL(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	wantRedis := map[string]string{"maxmemory-policy": "noeviction", "save": "", "appendonly": "no", "port": "0"}
	gotRedis := map[string]string{}
	for name := range wantRedis {
		said, err := client.ConfigGet(t.Context(), name).Result()
		if err != nil {
			t.Fatal(err)
		}
		gotRedis[name] = said[name]
	}
	if diff := cmp.Diff(wantRedis, gotRedis); diff != "" {
		t.Error(diff)
	}
}

func TestSocketsAreClosedToOthers(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	s := start(t, home)
	defer stop(t, s)
	for _, folder := range []string{"servers", "servers/sock", "servers/postgres", "servers/redis"} {
		info, err := os.Stat(filepath.Join(home, folder))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want 0700", folder, info.Mode())
		}
	}
}

// startHelper starts servers in another process and returns it once they answer.
func startHelper(t *testing.T, home string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), helperHome+"="+home)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		t.Fatalf("helper says %q, %v", line, err)
	}
	return cmd
}

// kill ends the helper as a power cut would.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
}

func TestAdoptsOrphans(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	kill(t, startHelper(t, home))
	postgres, redis := pidOf(t, home, postgresPID), pidOf(t, home, redisPID)
	if gone(postgres) || gone(redis) {
		t.Fatal("the servers did not outlive the program")
	}

	s := start(t, home)
	if got := pidOf(t, home, postgresPID); got != postgres {
		t.Errorf("PostgreSQL runs as %d, want the orphan %d", got, postgres)
	}
	if got := pidOf(t, home, redisPID); got != redis {
		t.Errorf("Redis runs as %d, want the orphan %d", got, redis)
	}
	mustQuery(t, s, "SELECT 'answers'")
	stop(t, s)
	testenv.Eventually(t, 10*time.Second, "adopted servers end with us", func() bool { return gone(postgres) && gone(redis) })
}

func TestStopOrphans(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	helper := startHelper(t, home)
	var held *embedded.HeldError
	if err := embedded.StopOrphans(t.Context(), home); !errors.As(err, &held) {
		t.Errorf("with the holder alive got %v, want a HeldError", err)
	}
	kill(t, helper)
	postgres, redis := pidOf(t, home, postgresPID), pidOf(t, home, redisPID)
	if err := embedded.StopOrphans(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, 10*time.Second, "orphans end", func() bool { return gone(postgres) && gone(redis) })
}

func TestRecoversFromCrash(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	helper := startHelper(t, home)
	postgres := pidOf(t, home, postgresPID)
	kill(t, helper)
	if err := syscall.Kill(postgres, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s := start(t, home)
	defer stop(t, s)
	mustQuery(t, s, "SELECT 'answers'")
}

func TestStalePIDFileOfStranger(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	stop(t, start(t, home))

	// A stranger of the same account: PostgreSQL itself would take it for a running server and refuse.
	stranger := exec.CommandContext(t.Context(), "sleep", "600")
	info, err := os.Stat(filepath.Join(home, "servers/postgres/data"))
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	stranger.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		stranger.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer kill(t, stranger)
	file := filepath.Join(home, "servers", postgresPID)
	text := fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n", stranger.Process.Pid, filepath.Join(home, "servers/postgres/data"), filepath.Join(home, "servers/sock"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}

	s := start(t, home)
	defer stop(t, s)
	mustQuery(t, s, "SELECT 'answers'")
	if gone(stranger.Process.Pid) {
		t.Error("the stranger was harmed")
	}
}

func TestSecondHolderIsRefused(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	helper := startHelper(t, home)
	defer func() {
		kill(t, helper)
		if err := embedded.StopOrphans(context.Background(), home); err != nil {
			t.Error(err)
		}
	}()
	_, err := embedded.Start(t.Context(), embedded.Options{Home: home, Postgres: true})
	var held *embedded.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	if held.PID != helper.Process.Pid || held.Home != home {
		t.Errorf("says that %d holds %s, want %d and %s", held.PID, held.Home, helper.Process.Pid, home)
	}
	if !strings.Contains(err.Error(), "PUKAR_HOME") {
		t.Errorf("%q does not say what to do", err)
	}
}

func TestLongHome(t *testing.T) {
	t.Parallel()
	parent := newHome(t)
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(parent, strings.Repeat("long/", 25))
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, home)
	mustQuery(t, s, "SELECT 'answers'")
	opt, err := redis.ParseURL(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if _, err := os.Stat(filepath.Dir(opt.Addr)); !os.IsNotExist(err) {
		t.Errorf("the short socket folder outlives the servers: %v", err)
	}
}

// TestClosedParent has root start servers below a folder that their account cannot enter, as /root is; for any other
// account the servers run as itself and the data stays inside.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	parent := newHome(t) // mode 0700
	home := filepath.Join(parent, "home")
	s := start(t, home)
	mustQuery(t, s, "CREATE TABLE kept (n int)")
	stop(t, s)
	away, err := embedded.Location(home)
	if os.Geteuid() == 0 {
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(away)
	} else if !os.IsNotExist(err) && err == nil {
		t.Errorf("data was placed in %s without need", away)
	}
	s = start(t, home)
	defer stop(t, s)
	mustQuery(t, s, "SELECT count(*)::text FROM kept")
}

func TestKilledServersComeBack(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	s := start(t, home)
	defer stop(t, s)
	opt, err := redis.ParseURL(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	mustQuery(t, s, "CREATE TABLE kept AS SELECT 7 AS n")
	for _, file := range []string{postgresPID, redisPID} {
		if err := syscall.Kill(pidOf(t, home, file), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Eventually(t, time.Minute, "PostgreSQL is back with its rows", func() bool {
		said, err := query(t.Context(), s.DatabaseURL, "SELECT n::text FROM kept")
		return err == nil && said == "7"
	})
	testenv.Eventually(t, time.Minute, "Redis is back", func() bool { return client.Ping(t.Context()).Err() == nil })
}

func TestCancelledStartLetsGo(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Start(ctx, embedded.Options{Home: home, Postgres: true, Redis: true}); err == nil {
		t.Fatal("started although the context was over")
	}
	stop(t, start(t, home))
}

// TestStartCancelledAtAnyMoment cuts a start short in its stages: making the cluster, starting, answering.
func TestStartCancelledAtAnyMoment(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	for _, after := range []time.Duration{5, 50, 150, 400, 900, 1300, 2000} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		s, err := embedded.Start(ctx, embedded.Options{Home: home, Log: testenv.Logger(t), Postgres: true, Redis: true, Durable: true})
		cancel()
		if err == nil {
			stop(t, s)
		} else if !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			t.Errorf("after %s ms: %v", after, err)
		}
	}
	s := start(t, home)
	defer stop(t, s)
	mustQuery(t, s, "SELECT 'answers'")
}

func TestOneServerAlone(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	s, err := embedded.Start(t.Context(), embedded.Options{Home: home, Redis: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.RedisURL == "" || s.DatabaseURL != "" {
		t.Errorf("asked for Redis and got the addresses %q and %q", s.RedisURL, s.DatabaseURL)
	}
	stop(t, s)
	var none *embedded.Servers
	stop(t, none)
}

func TestCtrlCDoesNotReachServers(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	s := start(t, home)
	defer stop(t, s)
	for _, file := range []string{postgresPID, redisPID} {
		group, err := syscall.Getpgid(pidOf(t, home, file))
		if err != nil {
			t.Fatal(err)
		}
		if group == syscall.Getpgrp() {
			t.Errorf("%s shares our process group", file)
		}
	}
}
