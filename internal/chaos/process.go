package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"pukar/internal/app"
	"pukar/internal/config"
)

// What this program is when one of these is set in its environment.
const (
	envServe = "PUKAR_CHAOS_SERVE" // `pukar serve` with the configuration of that path
	envGuard = "PUKAR_CHAOS_GUARD" // the one who clears away the folder of that path when we are gone
)

// Main is for the beginning of main and TestMain: it plays the part that the environment gives this process, and ends
// it. It returns in the process that nobody gave a part.
func Main() {
	if path := os.Getenv(envServe); path != "" {
		os.Exit(serve(path))
	}
	if folder := os.Getenv(envGuard); folder != "" {
		os.Exit(guard(folder))
	}
}

const readyMark = "ready"

// serve is `pukar serve` in this binary.
func serve(path string) int {
	c, err := config.Load(path, nil, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := app.Run(ctx, app.Options{Config: c, Log: log, Ready: func(*app.App) { fmt.Println(readyMark) }}); err != nil {
		fmt.Fprintln(os.Stderr, "ended:", err)
		return 1
	}
	return 0
}

// process is a `pukar serve` that runs beside others, with a home of its own. When it ends by itself it is started
// again, as systemd would.
type process struct {
	name, home string
	complain   func(format string, args ...any)

	mu      sync.Mutex
	wanted  bool // it should be running
	frozen  bool
	cmd     *exec.Cmd
	ready   chan struct{} // closed when the present one serves
	ended   chan struct{} // closed when the present one has ended
	exit    error         // how
	starts  int
	watcher sync.WaitGroup
}

// restartAfter is the rest between an end and the next start.
const restartAfter = 300 * time.Millisecond

// start has the process run from now on.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		return nil
	}
	p.wanted = true
	if err := p.launch(); err != nil {
		p.wanted = false
		return err
	}
	p.watcher.Go(p.watch)
	return nil
}

// launch starts one. The lock is held.
func (p *process) launch() error {
	p.starts++
	log, err := os.OpenFile(filepath.Join(p.home, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), os.Args[0]) //nolint:gosec // it is this program
	cmd.Env = append(withoutOurs(), envServe+"="+filepath.Join(p.home, "pukar.yaml"))
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	p.cmd, p.ready, p.ended, p.frozen = cmd, ready, ended, false
	go func() { // ends with the process, for which watch waits
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == readyMark {
				close(ready)
			}
		}
		err := cmd.Wait()
		p.mu.Lock()
		p.exit = err
		p.mu.Unlock()
		close(ended)
	}()
	return nil
}

// withoutOurs is the environment without our settings, which would go over the configuration.
func withoutOurs() (list []string) {
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "PUKAR_") {
			list = append(list, setting)
		}
	}
	return list
}

// watch starts the process again whenever it ends though it should run.
func (p *process) watch() {
	for {
		p.mu.Lock()
		ended, ready := p.ended, p.ready
		p.mu.Unlock()
		<-ended
		p.mu.Lock()
		wanted, exit := p.wanted, p.exit
		p.mu.Unlock()
		if !wanted {
			return
		}
		served := false
		select {
		case <-ready:
			served = true
		default: // a server was away when it started
		}
		if why := p.lastWords(); served && !strings.Contains(why, "was restored or failed over") {
			p.complain("%s ended by itself: %v: %s", p.name, exit, why)
		}
		<-time.After(restartAfter)
		p.mu.Lock()
		if !p.wanted {
			p.mu.Unlock()
			return
		}
		err := p.launch()
		p.mu.Unlock()
		if err != nil {
			p.complain("%s cannot be started: %v", p.name, err)
			return
		}
	}
}

// lastWords is the end of what the process said.
func (p *process) lastWords() string {
	text, err := os.ReadFile(filepath.Join(p.home, "log"))
	if err != nil {
		return err.Error()
	}
	text = text[max(0, len(text)-600):]
	return strings.TrimSpace(string(text))
}

// confusions are words that no process says in good health.
var confusions = []string{"DATA RACE", "panic:", "fatal error:"}

// confused gives what a process said that no process should say.
func (p *process) confused() string {
	text, err := os.ReadFile(filepath.Join(p.home, "log"))
	if err != nil {
		return ""
	}
	for _, word := range confusions {
		if at := strings.Index(string(text), word); at >= 0 {
			return string(text[at:min(len(text), at+2000)])
		}
	}
	return ""
}

func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wanted
}

// awaitReady waits until the process serves.
func (p *process) awaitReady(ctx context.Context) error {
	for {
		p.mu.Lock()
		ready, ended := p.ready, p.ended
		p.mu.Unlock()
		select {
		case <-ready:
			select {
			case <-ended: // and has ended since
			default:
				return nil
			}
		case <-ended:
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w: %s", p.name, context.Cause(ctx), p.lastWords())
		}
		if err := pause(ctx, restartAfter); err != nil {
			return fmt.Errorf("%s does not serve: %w: %s", p.name, err, p.lastWords())
		}
	}
}

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch sig {
	case syscall.SIGSTOP:
		p.frozen = true
	case syscall.SIGCONT:
		p.frozen = false
	}
	_ = p.cmd.Process.Signal(sig) // it may have ended
}

// kill ends the process as a power cut would, and leaves it ended.
func (p *process) kill() {
	p.mu.Lock()
	if !p.wanted {
		p.mu.Unlock()
		return
	}
	p.wanted = false
	_ = p.cmd.Process.Kill()
	p.mu.Unlock()
	p.watcher.Wait()
}

// politeEnd is how long a process may take to stop; it promises ten seconds.
const politeEnd = 15 * time.Second

// terminate asks the process to stop and waits until it has.
func (p *process) terminate() {
	p.mu.Lock()
	if !p.wanted {
		p.mu.Unlock()
		return
	}
	p.wanted = false
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	ended := p.ended
	p.mu.Unlock()
	select {
	case <-ended:
		if p.exit != nil {
			p.complain("%s complained when it was stopped: %v: %s", p.name, p.exit, p.lastWords())
		}
	case <-time.After(politeEnd):
		p.complain("%s did not stop within %s", p.name, politeEnd)
		_ = p.cmd.Process.Kill()
	}
	p.watcher.Wait()
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// errUsage marks options that cannot be.
var errUsage = errors.New("usage")
