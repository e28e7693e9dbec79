package embedded

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Private is what can be told of a home's private server without starting or touching anything.
type Private struct {
	Programs string // the folder or program that would be started
	Version  int    // of PostgreSQL's programs: the major version
	Missing  error  // why there are no programs to start; it names the mend
	URL      string // how to reach it; "" while it does not run
	PID      int    // of the server that runs, else 0
	StalePID int    // of a server that ended without tidying up, else 0
	Data     string // its folder
}

// InspectPostgres looks at a home's private PostgreSQL.
func InspectPostgres(ctx context.Context, home string) Private {
	p := &postgres{folder: filepath.Join(Folder(home), "postgres")}
	found := Private{Data: p.data()}
	major, err := dataVersion(p.data())
	if err == nil {
		var programs postgresPrograms
		programs, err = findPostgres(ctx, major)
		found.Programs, found.Version = programs.folder, programs.major
	}
	found.Missing = err
	switch pid := readPID(p.pidFile()); {
	case pid > 0 && isOurs(pid, "postgres", p.data()):
		found.PID, p.sockets = pid, p.socketOfPIDFile()
		found.URL = p.url("pukar")
	case pid > 0:
		found.StalePID = pid
	}
	return found
}

// InspectRedis looks at a home's private Redis.
func InspectRedis(home string) Private {
	r := &redis{folder: filepath.Join(Folder(home), "redis")}
	found := Private{Data: r.folder}
	if found.Programs, found.Missing = findRedis(); found.Missing != nil {
		return found
	}
	if who, err := serviceAccount(); err == nil {
		r.sockets = socketsOf(home, Folder(home), who).path
	}
	pid := readPID(r.pidFile())
	for _, mark := range []string{r.folder, r.sockets} {
		if isOurs(pid, filepath.Base(found.Programs), mark) {
			found.PID = pid
			found.URL = (&url.URL{Scheme: "unix", Path: r.socket()}).String() + "?db=0"
			return found
		}
	}
	if pid > 0 {
		found.StalePID = pid
	}
	return found
}

// Holder is the process that holds a home, 0 where none does. It only looks: to try the lock would be in the way of a
// program that starts at the same moment.
func Holder(home string) int {
	path := filepath.Join(home, "lock")
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 12345 fe:01:67890 0 EOF
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" {
			continue
		}
		if at := strings.LastIndexByte(fields[5], ':'); fields[5][at+1:] == strconv.FormatUint(st.Ino, 10) {
			if pid := readPID(path); pid > 0 {
				return pid
			}
			pid, _ := strconv.Atoi(fields[4])
			return pid
		}
	}
	return 0
}
