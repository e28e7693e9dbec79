package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// envChild makes this test binary a process of its own, so that it can be killed like one.
const envChild = "PUKAR_TEST_CHILD"

// childSpec is what a child needs to know.
type childSpec struct {
	Home, Database, Redis, Addr string
	SystemID                    string // "" for the usual one
	Window                      int
	Rate, BindRate              float64 // of the route and of each bind
	Binds                       int     // of the route; 0 for one
	Handlers                    int     // batches of one queue that it works at together; 0 for the usual number
}

const childReady = "ready"

func runChild(spec string) int {
	var s childSpec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if s.Handlers > 0 {
		for name := range handlers {
			handlers[name] = s.Handlers
		}
	}
	c := testConfig(s)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	err := Run(ctx, Options{Config: &c, Volatile: true, Log: log, Ready: func(*App) { fmt.Println(childReady) }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// childSpec is for another process beside the bench's own, on the same servers and with the same key.
func (b *bench) childSpec() childSpec {
	b.t.Helper()
	s := childSpec{
		Home: b.t.TempDir(), Database: b.config.DatabaseURL.Reveal(), Redis: b.config.RedisURL.Reveal(),
		Addr: b.centre.Addr(), Window: b.config.Routes[0].Binds[0].Window,
	}
	copyKey(b.t, b.config.KeyFile, s.Home)
	return s
}

// child is a process of ours.
type child struct {
	t   testing.TB
	cmd *exec.Cmd
}

// startChild starts a process and returns when it serves.
func startChild(t testing.TB, s childSpec) *child {
	t.Helper()
	spec, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envChild+"="+string(spec))
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("process %d said:\n%s", cmd.Process.Pid, log.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != childReady {
		t.Fatalf("the process is not ready: %q %v\n%s", line, err, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return c
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// kill ends the process as a power cut would.
func (c *child) kill() {
	c.t.Helper()
	c.signal(syscall.SIGKILL)
	_ = c.cmd.Wait()
}

// terminate asks the process to stop and waits until it has, without complaint.
func (c *child) terminate() {
	c.t.Helper()
	c.signal(syscall.SIGTERM)
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the process complained when it was stopped: %v", err)
	}
}

// copyKey gives another home the installation's key.
func copyKey(t testing.TB, from, home string) {
	t.Helper()
	key, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
}
