package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// StopOrphans ends the servers that a killed process left running on the home. A home in use gives a *HeldError and
// is left alone.
func StopOrphans(ctx context.Context, home string) error {
	held, err := takeHold(home)
	if err != nil {
		return err
	}
	defer func() { _ = held.release() }()
	root, err := Location(home)
	if errors.Is(err, fs.ErrNotExist) {
		root = filepath.Join(home, "servers")
	} else if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	postgres := &postgres{folder: filepath.Join(root, "postgres"), log: quiet}
	redis := &redis{folder: filepath.Join(root, "redis"), program: "redis-server"}
	var errs []error
	if pid := readPID(postgres.pidFile()); isOurs(pid, "postgres", postgres.data()) {
		s := newSupervisor(postgres, quiet)
		s.set(adoptProcess(pid))
		errs = append(errs, s.stop(ctx))
	}
	if pid := readPID(redis.pidFile()); isOurs(pid, redis.program, filepath.Join(root, "sock")) || isOurs(pid, redis.program, redis.folder) {
		s := newSupervisor(redis, quiet)
		s.set(adoptProcess(pid))
		errs = append(errs, s.stop(ctx))
	}
	return errors.Join(errs...)
}

// Location reads where the servers of a home keep their files when that is outside of it; an error that is
// fs.ErrNotExist says that they are inside.
func Location(home string) (string, error) {
	said, err := os.ReadFile(filepath.Join(home, "servers.location"))
	if err != nil {
		return "", fmt.Errorf("read servers' location: %w", err)
	}
	return strings.TrimSpace(string(said)), nil
}

// Folder is where the servers of a home keep their data, whether or not they were ever started.
func Folder(home string) string {
	if away, err := Location(home); err == nil && away != "" {
		return away
	}
	return filepath.Join(home, "servers")
}
