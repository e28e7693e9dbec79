package embedded

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// redis is a private Redis server. It keeps nothing on disk: the ledger makes its loss harmless, and an old state
// brought back would be worse than none.
type redis struct {
	folder  string
	sockets string
	durable bool
	who     account
	program string
}

func newRedis(opt Options, root, sockets string, who account) (*redis, error) {
	program, err := findRedis()
	if err != nil {
		return nil, err
	}
	r := &redis{folder: filepath.Join(root, "redis"), sockets: sockets, durable: opt.Durable, who: who, program: program}
	return r, who.folder(r.folder)
}

func (r *redis) socket() string  { return filepath.Join(r.sockets, "redis.sock") }
func (r *redis) pidFile() string { return filepath.Join(r.folder, "redis.pid") }
func (r *redis) logFile() string { return filepath.Join(r.folder, "redis.log") }

// find adopts the server that the pid file names when it is alive and ours; a socket without a server is removed.
func (r *redis) find(context.Context) (*process, error) {
	pid := readPID(r.pidFile())
	for _, mark := range []string{r.folder, r.sockets} {
		if isOurs(pid, filepath.Base(r.program), mark) {
			return adoptProcess(pid), nil
		}
	}
	if err := os.Remove(r.socket()); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove stale socket: %w", err)
	}
	return nil, nil
}

func (r *redis) launch() (*process, error) {
	databases := 16
	if !r.durable {
		databases = 256 // tests claim one each
	}
	// Not bound to a context: the server must outlive the call, and is ended by Stop alone.
	cmd := exec.CommandContext(context.Background(), r.program,
		"--port", "0",
		"--unixsocket", r.socket(),
		"--unixsocketperm", "700",
		"--dir", r.folder,
		"--pidfile", r.pidFile(),
		"--daemonize", "no",
		"--save", "",
		"--appendonly", "no",
		"--maxmemory-policy", "noeviction",
		"--databases", strconv.Itoa(databases),
	)
	cmd.Dir = r.folder
	r.who.prepare(cmd)
	return launchProcess(cmd, r.logFile())
}

// ready asks the server for a PONG, by hand: the client library would log each refused connection of a normal start.
func (r *redis) ready(ctx context.Context) error {
	ask, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ask, "unix", r.socket())
	if err != nil {
		return fmt.Errorf("%w: %w", errNotYet, err)
	}
	defer conn.Close()
	if until, ok := ask.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return err
		}
	}
	answer := make([]byte, len("+PONG"))
	if _, err = conn.Write([]byte("PING\r\n")); err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotYet, err)
	}
	if string(answer) != "+PONG" {
		return fmt.Errorf("%w: answered %q", errNotYet, answer)
	}
	return nil
}

func (r *redis) diagnosis() string { return tail(r.logFile(), 4096) }

func (r *redis) signals() (polite, firm syscall.Signal) { return syscall.SIGTERM, syscall.SIGKILL }
