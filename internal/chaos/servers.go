package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pukar/internal/embedded"
)

// servers are a PostgreSQL and a Redis that nobody else uses, so that they may be stopped and killed. They keep what they
// confirm, as in production; a kill is therefore a fair test.
type servers struct {
	folder          string
	postgres, redis *embedded.Servers
	disk            *disk
}

// serverSettings go to PostgreSQL's local.conf: room for the connections of every process, and a log that is recycled
// early, so that the disk can be filled.
const serverSettings = `max_connections = 300
shared_buffers = 256MB
max_wal_size = 1GB
min_wal_size = 64MB
`

func startServers(ctx context.Context, folder string) (*servers, error) {
	s := &servers{folder: folder}
	var err error
	if s.disk, err = newDisk(s.postgresHome()); err != nil {
		return nil, err
	}
	settings := filepath.Join(s.postgresHome(), "servers", "postgres")
	if err := os.MkdirAll(settings, 0o755); err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(settings, "local.conf"), []byte(serverSettings), 0o644); err != nil { //nolint:gosec // the server's account reads it
		return s, err
	}
	return s, errors.Join(s.startPostgres(ctx), s.startRedis(ctx))
}

func (s *servers) postgresHome() string { return filepath.Join(s.folder, "pg") }
func (s *servers) redisHome() string    { return filepath.Join(s.folder, "redis") }
func (s *servers) data() string {
	return filepath.Join(s.postgresHome(), "servers", "postgres", "data")
}

func (s *servers) startPostgres(ctx context.Context) (err error) {
	s.postgres, err = embedded.Start(ctx, embedded.Options{Home: s.postgresHome(), Postgres: true, Durable: true})
	return err
}

func (s *servers) startRedis(ctx context.Context) (err error) {
	s.redis, err = embedded.Start(ctx, embedded.Options{Home: s.redisHome(), Redis: true, Durable: true})
	return err
}

// stopPostgres ends PostgreSQL by its fast shutdown, or, without patience, at once and without a checkpoint.
func (s *servers) stopPostgres(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := s.postgres.Stop(ctx)
	s.postgres = nil
	return err
}

func (s *servers) stopRedis(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.redis.Stop(ctx)
	s.redis = nil
	return err
}

// signalPostgres signals the postmaster; the supervisor starts another.
func (s *servers) signalPostgres(sig syscall.Signal) error {
	return signalFile(filepath.Join(s.data(), "postmaster.pid"), sig)
}

func (s *servers) signalRedis(sig syscall.Signal) error {
	return signalFile(filepath.Join(s.redisHome(), "servers", "redis", "redis.pid"), sig)
}

func signalFile(file string, sig syscall.Signal) error {
	pid, err := pidIn(file)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, sig)
}

// postmaster is the process id of PostgreSQL's head.
func (s *servers) postmaster() (int, error) { return pidIn(filepath.Join(s.data(), "postmaster.pid")) }

// complaints counts how often PostgreSQL has said that there is no room, beyond the given number.
func (s *servers) complaints(beyond int) (int, error) {
	text, err := os.ReadFile(filepath.Join(s.postgresHome(), "servers", "postgres", "postgres.log"))
	if err != nil {
		return 0, err
	}
	return bytes.Count(text, []byte("No space left")) + bytes.Count(text, []byte("File too large")) - beyond, nil
}

func pidIn(file string) (int, error) {
	said, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(said), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("%s holds no process id", file)
	}
	return pid, nil
}

func (s *servers) backupFolder() string { return filepath.Join(s.folder, "backup") }

// backUp takes a copy of the running PostgreSQL, as an administrator would.
func (s *servers) backUp(ctx context.Context) error {
	pid, err := s.postmaster()
	if err != nil {
		return err
	}
	program, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	if err != nil { // another account's process: the newest installed one will do
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup")
		if len(found) == 0 {
			return fmt.Errorf("find pg_basebackup: %w", err)
		}
		program = found[len(found)-1]
	}
	if err := os.RemoveAll(s.backupFolder()); err != nil {
		return err
	}
	return said(exec.CommandContext(ctx, filepath.Join(filepath.Dir(program), "pg_basebackup"),
		"--pgdata", s.backupFolder(), "--checkpoint", "fast", "--wal-method", "stream", "--no-sync", "--dbname", s.postgres.DatabaseURL))
}

// putBack replaces the data with the backup, while PostgreSQL is stopped.
func (s *servers) putBack(ctx context.Context) error {
	owner := &syscall.Stat_t{}
	if err := syscall.Stat(s.data(), owner); err != nil {
		return err
	}
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	if err := said(exec.CommandContext(ctx, "cp", "-a", s.backupFolder(), s.data())); err != nil {
		return err
	}
	err := said(exec.CommandContext(ctx, "chown", "-R", fmt.Sprintf("%d:%d", owner.Uid, owner.Gid), s.data()))
	return errors.Join(err, os.RemoveAll(s.backupFolder()))
}

func said(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (s *servers) stop(ctx context.Context) error {
	var errs []error
	if s.postgres != nil {
		errs = append(errs, s.stopPostgres(ctx, 20*time.Second))
	}
	if s.redis != nil {
		errs = append(errs, s.stopRedis(ctx))
	}
	return errors.Join(append(errs, s.disk.remove())...)
}
