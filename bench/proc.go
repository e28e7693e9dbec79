package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the kernel's CPU times, USER_HZ: a hundredth of a second on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// procStat is what /proc/PID/stat says of a process; proc(5).
type procStat struct {
	pid, parent int
	command     string
	state       byte
	own         time.Duration // of the process, user and system
	reaped      time.Duration // of its children that have ended and been waited for, and of theirs
	started     uint64        // ticks after the machine's start; tells a process from a later one with its number
}

// parseStat reads a line of /proc/PID/stat. The command stands in parentheses and may itself hold spaces and parentheses.
func parseStat(line []byte) (procStat, error) {
	var s procStat
	from, to := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if from < 0 || to < from {
		return s, fmt.Errorf("process status %q: no command in parentheses", line)
	}
	s.command = string(line[from+1 : to])
	fields := strings.Fields(string(line[to+1:])) // from field 3, the state, on
	if len(fields) < 20 {
		return s, fmt.Errorf("process status %q: %d fields after the command", line, len(fields))
	}
	s.state = fields[0][0]
	var err error
	numeral := func(text string) uint64 {
		n, bad := strconv.ParseUint(text, 10, 64)
		err = errors.Join(err, bad)
		return n
	}
	s.pid = int(numeral(strings.TrimSpace(string(line[:from]))))
	s.parent = int(numeral(fields[4-3]))
	s.own = time.Duration(numeral(fields[14-3])+numeral(fields[15-3])) * tick
	s.reaped = time.Duration(numeral(fields[16-3])+numeral(fields[17-3])) * tick
	s.started = numeral(fields[22-3])
	if err != nil {
		return s, fmt.Errorf("process status %q: %w", line, err)
	}
	return s, nil
}

// readStat looks at one process.
func readStat(pid int) (procStat, error) {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line)
}

// allStats looks at every process of the machine.
func allStats() ([]procStat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var stats []procStat
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil { // it may have ended since
			stats = append(stats, s)
		}
	}
	return stats, nil
}

// children picks the processes whose parent is pid.
func children(stats []procStat, pid int) []procStat {
	var found []procStat
	for _, s := range stats {
		if s.parent == pid {
			found = append(found, s)
		}
	}
	return found
}

// treeCPU is the CPU time of a process and everything below it, those included that have ended. Process 0 is nobody,
// although the kernel calls itself the parent of the first ones.
func treeCPU(stats []procStat, pid int) time.Duration {
	var sum time.Duration
	if pid == 0 {
		return 0
	}
	for _, s := range stats {
		if s.pid == pid {
			sum += s.own + s.reaped
		}
	}
	for _, child := range children(stats, pid) {
		sum += treeCPU(stats, child.pid)
	}
	return sum
}

// parseBusy reads from /proc/stat how long the processors worked, all together: everything but idle and waiting for disks.
func parseBusy(text []byte) (time.Duration, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("machine status %q: not the line of all processors", line)
	}
	var sum uint64
	for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal; guests are in user
		if i == 3 || i == 4 {
			continue
		}
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("machine status %q: %w", line, err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// parseStatus reads a memory line, such as VmHWM, of /proc/PID/status in bytes.
func parseStatus(text []byte, name string) (int64, error) {
	for line := range strings.Lines(string(text)) {
		label, value, found := strings.Cut(line, ":")
		if !found || label != name {
			continue
		}
		amount, isKB := strings.CutSuffix(strings.TrimSpace(value), " kB")
		n, err := strconv.ParseInt(strings.TrimSpace(amount), 10, 64)
		if err != nil || !isKB {
			return 0, fmt.Errorf("process status %s: %q is no number of kB", name, value)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("process status: no line %s", name)
}

// peakMemory is the most that a process had resident since its start or the last forgetPeak.
func peakMemory(pid int) (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	return parseStatus(text, "VmHWM")
}

// forgetPeak resets the mark of peakMemory. Where the kernel does not let us, the mark goes on to rise from phase to phase.
func forgetPeak(pid int) {
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "clear_refs"), []byte("5"), 0)
}
