package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running server, our child or an adopted orphan.
type process struct {
	pid  int
	done chan struct{} // closed when the process is gone
}

// launchProcess starts cmd with its output appended to the log file.
func launchProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	if info, err := os.Stat(logFile); err == nil && info.Size() > 16<<20 {
		if err := os.Rename(logFile, logFile+".1"); err != nil {
			return nil, err
		}
	}
	out, err := os.OpenFile(logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() { // ends with the process, for which stop waits
		_ = cmd.Wait() // how it ended stands in its log
		close(p.done)
	}()
	return p, nil
}

// adoptPoll is how often an adopted process is looked at: it is nobody's child here, so nothing reports its end.
const adoptPoll = 100 * time.Millisecond

// adoptProcess watches a process that is not our child.
func adoptProcess(pid int) *process {
	p := &process{pid: pid, done: make(chan struct{})}
	go func() { // ends with the process, for which stop waits
		defer close(p.done)
		for tick := time.NewTicker(adoptPoll); alive(pid); <-tick.C {
		}
	}()
	return p
}

// signal sends sig; a process that is already gone is fine.
func (p *process) signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal server process %d: %w", p.pid, err)
	}
	return nil
}

// exists reports whether the kernel knows the process, which may be a dead one that its parent has not reaped.
func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// alive reports whether the process exists and is not dead. The difference matters in containers whose first process
// never reaps orphans.
func alive(pid int) bool {
	if !exists(pid) {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true // no /proc here: the signal's answer stands
	}
	// The state follows the command, which stands in parentheses and may itself contain some.
	_, rest, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return !found || len(rest) == 0 || (rest[0] != 'Z' && rest[0] != 'X')
}

// isOurs reports whether the live process pid runs the named program and belongs to the folder or mentions it in its
// command line. The latter is readable for everybody; /proc/PID/cwd of another account needs a capability that
// containers often take from root.
func isOurs(pid int, program, folder string) bool {
	if pid <= 1 || pid == os.Getpid() || !alive(pid) {
		return false
	}
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil {
		return false
	}
	args := strings.FieldsFunc(string(line), func(r rune) bool { return r == 0 || r == ' ' })
	if len(args) == 0 || strings.TrimSuffix(filepath.Base(args[0]), ":") != program {
		return false
	}
	for _, end := range []string{"\x00", " ", "/"} {
		if strings.Contains(string(line), folder+end) {
			return true
		}
	}
	cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
	return err == nil && cwd == folder
}

// relatives lists the live processes of the named program that work in the folder, as far as /proc lets us see.
func relatives(program, folder string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && isOurs(pid, program, folder) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// readPID reads the process id on the first line of a pid file; 0 where there is none.
func readPID(path string) int {
	said, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(said), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}
