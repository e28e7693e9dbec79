package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// postgresPort only names the socket's file; nothing listens on TCP.
const postgresPort = "5432"

// superuser owns the cluster and the database. The socket's folder is what keeps others out, hence no password.
const superuser = "pukar"

// postgres is a private PostgreSQL server.
type postgres struct {
	folder   string // ours, with data, settings and log in it
	sockets  string
	durable  bool
	who      account
	log      *slog.Logger
	programs postgresPrograms
}

func newPostgres(opt Options, root, sockets string, who account) (*postgres, error) {
	p := &postgres{
		folder: filepath.Join(root, "postgres"), sockets: sockets, durable: opt.Durable, who: who,
		log: opt.Log.With("server", "postgres"),
	}
	return p, who.folder(p.folder)
}

func (p *postgres) data() string    { return filepath.Join(p.folder, "data") }
func (p *postgres) pidFile() string { return filepath.Join(p.data(), "postmaster.pid") }
func (p *postgres) logFile() string { return filepath.Join(p.folder, "postgres.log") }

// url is the address of the named database. The host parameter carries the folder of the socket.
func (p *postgres) url(database string) string {
	q := url.Values{"host": {p.sockets}, "port": {postgresPort}, "user": {superuser}}
	return "postgres:///" + database + "?" + q.Encode()
}

// command prepares one of PostgreSQL's programs.
func (p *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.programs.path(program), args...)
	cmd.Dir = p.folder
	p.who.prepare(cmd)
	return cmd
}

// prepare finds the programs, makes the cluster where there is none and writes the settings.
func (p *postgres) prepare(ctx context.Context) error {
	major, err := dataVersion(p.data())
	if err != nil {
		return err
	}
	if p.programs, err = findPostgres(ctx, major); err != nil {
		return err
	}
	if major == 0 {
		if err := p.initialise(ctx); err != nil {
			return err
		}
	}
	return p.writeSettings(ctx)
}

// initialise makes the cluster beside its place and moves it there when it is complete, so that an interrupted run
// never leaves half of one behind.
func (p *postgres) initialise(ctx context.Context) error {
	fresh := p.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	args := []string{
		"--pgdata", fresh, "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums",
	}
	if !p.durable {
		args = append(args, "--no-sync")
	}
	p.log.Info("making the database cluster", "folder", p.data(), "version", p.programs.major)
	if said, err := p.command(ctx, "initdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return os.Rename(fresh, p.data())
}

// find adopts the postmaster that the pid file names when it is alive and works on our data. A pid file whose process
// is gone is left to PostgreSQL itself, which also knows the shared memory noted in it; one whose number now belongs
// to a stranger, or to a dead process that nobody reaps, would make PostgreSQL refuse to start, and is removed once no
// process works on the data any more.
func (p *postgres) find(ctx context.Context) (*process, error) {
	pid := readPID(p.pidFile())
	if isOurs(pid, "postgres", p.data()) {
		if p.socketOfPIDFile() == p.sockets {
			return adoptProcess(pid), nil
		}
		p.log.Info("an earlier server listens elsewhere and is stopped", "pid", pid)
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return nil, fmt.Errorf("stop earlier server %d: %w", pid, err)
		}
	}
	if err := p.waitForRelatives(ctx); err != nil {
		return nil, err
	}
	for _, file := range []string{p.pidFile(), filepath.Join(p.sockets, ".s.PGSQL."+postgresPort+".lock")} {
		pid := readPID(file)
		if pid <= 0 || !exists(pid) || isOurs(pid, "postgres", p.data()) {
			continue
		}
		p.log.Warn("removed a stale lock file: its process is not this server", "file", file, "pid", pid)
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("remove stale lock file: %w", err)
		}
	}
	return nil, nil
}

// waitForRelatives waits until the processes of a server whose head was killed have noticed and gone.
func (p *postgres) waitForRelatives(ctx context.Context) error {
	told := time.Now()
	for {
		left := relatives("postgres", p.data())
		if len(left) == 0 {
			return nil
		}
		if time.Since(told) >= progressEvery {
			told = time.Now()
			p.log.Info("waiting for processes of an earlier server to end", "pids", left)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for processes %v of an earlier server: %w", left, context.Cause(ctx))
		case <-time.After(readyPoll):
		}
	}
}

// socketOfPIDFile reads where the running server listens: the fifth line of postmaster.pid.
func (p *postgres) socketOfPIDFile() string {
	said, err := os.ReadFile(p.pidFile())
	if err != nil {
		return ""
	}
	lines := strings.Split(string(said), "\n")
	if len(lines) < 5 {
		return ""
	}
	return lines[4]
}

// launch starts the postmaster. What the ledger's promise hangs on stands on the command line, where no settings file
// and no ALTER SYSTEM can undo it.
func (p *postgres) launch() (*process, error) {
	args := []string{"-D", p.data(), "-c", "config_file=" + p.settingsFile()}
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		value := "off"
		if p.durable {
			value = "on"
		}
		args = append(args, "-c", name+"="+value)
	}
	// Not bound to a context: the server must outlive the call, and is ended by Stop alone.
	return launchProcess(p.command(context.Background(), "postgres", args...), p.logFile())
}

// ready asks the server for a row.
func (p *postgres) ready(ctx context.Context) error {
	ask, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ask, p.url("postgres"))
	if err == nil {
		return conn.Close(ask)
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code != "57P03" { // 57P03: cannot connect now, which is starting up
		return err
	}
	if answer != nil {
		return fmt.Errorf("%w: %s", errNotYet, answer.Message)
	}
	return fmt.Errorf("%w: no answer on the socket", errNotYet)
}

func (p *postgres) diagnosis() string { return tail(p.logFile(), 4096) }

// signals are PostgreSQL's fast shutdown, which ends sessions and writes a checkpoint, and its immediate one.
func (p *postgres) signals() (polite, firm syscall.Signal) { return syscall.SIGINT, syscall.SIGQUIT }

// createDatabase makes the database of the program unless it is there.
func (p *postgres) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE pukar")
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == "42P04" { // duplicate_database
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}
