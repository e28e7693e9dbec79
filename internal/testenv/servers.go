// Package testenv gives tests a real PostgreSQL and a real Redis: a fresh migrated database and an empty numbered
// Redis database for each test, on servers that PUKAR_TEST_DATABASE_URL and PUKAR_TEST_REDIS_URL name, or on private
// ones started for the test binary. A test that cannot have its servers fails; it is never skipped.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"pukar/internal/embedded"
)

// EnvDatabase and EnvRedis name servers for the tests. The account in the database URL must be allowed to create
// databases; the Redis is emptied.
const (
	EnvDatabase = "PUKAR_TEST_DATABASE_URL"
	EnvRedis    = "PUKAR_TEST_REDIS_URL"
)

const (
	folderPattern = "pukar-test-"
	stopWait      = 30 * time.Second
)

// Servers are test servers with the addresses to reach them.
type Servers struct {
	DatabaseURL, RedisURL string

	private *embedded.Servers
	home    string
}

// Start starts private throw-away servers in a folder below the system's temporary one. It first sweeps away what
// test runs that were killed left behind.
func Start(ctx context.Context) (*Servers, error) {
	sweep(ctx)
	home, err := os.MkdirTemp("", folderPattern)
	if err != nil {
		return nil, fmt.Errorf("start test servers: %w", err)
	}
	private, err := embedded.Start(ctx, embedded.Options{Home: home, Postgres: true, Redis: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start test servers: %w", err), remove(home))
	}
	return &Servers{DatabaseURL: private.DatabaseURL, RedisURL: private.RedisURL, private: private, home: home}, nil
}

// Stop ends the servers and removes their folder.
func (s *Servers) Stop() error {
	if s == nil || s.private == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	return errors.Join(s.private.Stop(ctx), remove(s.home))
}

// sweep stops and removes test servers whose program is gone. A home that is held is somebody's, and a young one may
// be just about to be held.
func sweep(ctx context.Context) {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPattern+"*")) // the pattern is well formed
	for _, home := range folders {
		info, err := os.Stat(home)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if embedded.StopOrphans(ctx, home) == nil {
			_ = remove(home) // another run may be sweeping too
		}
	}
}

// remove deletes the home and, where its servers were placed outside of it, their folder too.
func remove(home string) error {
	var errs []error
	if away, err := embedded.Location(home); err == nil && away != "" {
		errs = append(errs, os.RemoveAll(away))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, os.RemoveAll(home))...)
}

// shared is the one set of servers of a test binary, started when the first test asks.
var shared struct { // package state, because testing.M offers no place for it
	once    sync.Once
	servers *Servers
	err     error
}

// servers returns the servers of this test binary.
func servers() (*Servers, error) {
	shared.once.Do(func() {
		s := &Servers{DatabaseURL: os.Getenv(EnvDatabase), RedisURL: os.Getenv(EnvRedis)}
		if s.DatabaseURL == "" || s.RedisURL == "" {
			var private *Servers
			if private, shared.err = Start(context.Background()); shared.err != nil {
				return
			}
			s.private, s.home = private.private, private.home
			if s.DatabaseURL == "" {
				s.DatabaseURL = private.DatabaseURL
			}
			if s.RedisURL == "" {
				s.RedisURL = private.RedisURL
			}
		}
		shared.servers = s
	})
	return shared.servers, shared.err
}
