package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a process that this command started. What it says goes to a log.
type child struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	done    chan struct{}  // closed when the process has ended
	err     error          // how; set before done is closed
	helpers map[int]uint64 // its own children by pid, with when they started
}

// watchdog ends a process when its own standard input ends without a line, as it does when we are killed. The kernel's
// signal for the death of a parent will not do: it comes once for each thread, and the second ends the server at once.
const watchdog = `read -r line || kill -TERM "$1"`

// startChild starts a program. It gets a process group of its own, so that Ctrl-C does not reach it before we end it in
// order.
func startChild(name, logPath, program string, args ...string) (*child, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Ended by stop, not by a context: it must be able to finish what it does.
	c := &child{name: name, cmd: exec.CommandContext(context.Background(), program, args...), logPath: logPath, done: make(chan struct{})}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Stdout, c.cmd.Stderr = log, log // no pipe, which would break when we are killed
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "PUKAR_") { // or it would go over the configuration
			c.cmd.Env = append(c.cmd.Env, setting)
		}
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	guard := exec.CommandContext(context.Background(), "/bin/sh", "-c", watchdog, "sh", strconv.Itoa(c.pid()))
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	go func() { // ends with the process, for which stop waits
		c.err = c.cmd.Wait()
		if err == nil {
			_, _ = io.WriteString(leash, "it has ended\n")
			_ = guard.Wait()
		}
		close(c.done)
	}()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a watchdog: %w", err), c.stop(time.Minute))
	}
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// await waits until the child says a line with the mark in it, and gives what follows the mark.
func (c *child) await(ctx context.Context, mark string) (string, error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		said, err := os.ReadFile(c.logPath)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(said)) {
			_, rest, found := strings.Cut(line, mark)
			if rest, whole := strings.CutSuffix(rest, "\n"); found && whole {
				return rest, nil
			}
		}
		select {
		case <-ticker.C:
		case <-c.done:
			return "", fmt.Errorf("%s ended before it said %q: %w\n%s", c.name, mark, c.how(), c.lastWords())
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not say %q: %w\n%s", c.name, mark, context.Cause(ctx), c.lastWords())
		}
	}
}

func (c *child) how() error {
	if c.err != nil {
		return c.err
	}
	return errors.New("exit status 0")
}

// lastWords is the end of the child's log.
func (c *child) lastWords() string {
	text, err := os.ReadFile(c.logPath)
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return "the end of its log:\n" + strings.TrimSpace(string(text))
}

// running gives an error when the child has ended by itself.
func (c *child) running() error {
	select {
	case <-c.done:
		return fmt.Errorf("%s ended by itself: %w\n%s", c.name, c.how(), c.lastWords())
	default:
		return nil
	}
}

// adopt notes the child's own children, to end them should it not.
func (c *child) adopt() error {
	stats, err := allStats()
	if err != nil {
		return err
	}
	c.helpers = map[int]uint64{}
	for _, s := range children(stats, c.pid()) {
		c.helpers[s.pid] = s.started
	}
	return nil
}

// helper is the child's own child with the command.
func (c *child) helper(command string) (int, error) {
	for pid := range c.helpers {
		if s, err := readStat(pid); err == nil && s.command == command {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("%s runs no %s", c.name, command)
}

// stop ends the child with SIGTERM, after the grace with SIGKILL, and then whatever it left behind. It gives an error
// when the child did not end well. Stopping nil or twice does nothing.
func (c *child) stop(grace time.Duration) error {
	if c == nil || c.cmd == nil {
		return nil
	}
	defer func() { c.cmd = nil }()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	var err error
	if !c.ended(grace) {
		err = fmt.Errorf("%s did not end within %s of SIGTERM\n%s", c.name, grace, c.lastWords())
		_ = c.adopt() // whoever is there now
		_ = c.cmd.Process.Kill()
		<-c.done
	} else if c.err != nil {
		err = fmt.Errorf("%s: %w\n%s", c.name, c.err, c.lastWords())
	}
	for pid, started := range c.helpers {
		endLeftover(pid, started)
	}
	return err
}

func (c *child) ended(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// endLeftover ends a server that outlived its parent, first by the signal at which PostgreSQL stops at once. A process that
// only got its number later is left alone.
func endLeftover(pid int, started uint64) {
	ours := func() bool {
		s, err := readStat(pid)
		return err == nil && s.started == started && s.state != 'Z'
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for try := 0; ours(); try++ {
		switch try {
		case 0:
			_ = syscall.Kill(pid, syscall.SIGQUIT)
		case 20:
			_ = syscall.Kill(pid, syscall.SIGTERM)
		case 200:
			_ = syscall.Kill(pid, syscall.SIGKILL)
		case 300:
			return
		}
		<-ticker.C
	}
}
