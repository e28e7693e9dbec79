package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
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

// ready asks the server for a PONG.
func (r *redis) ready(ctx context.Context) error {
	client := goredis.NewClient(&goredis.Options{
		Network: "unix", Addr: r.socket(), MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1, PoolSize: 1,
	})
	defer client.Close()
	ask, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := client.Ping(ask).Err(); err != nil {
		return fmt.Errorf("%w: %w", errNotYet, err)
	}
	return nil
}

func (r *redis) diagnosis() string { return tail(r.logFile(), 4096) }

func (r *redis) signals() (polite, firm syscall.Signal) { return syscall.SIGTERM, syscall.SIGKILL }
