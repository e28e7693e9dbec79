package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
)

// ErrNotInstalled is wrapped by Start's error where a server's programs are missing; the error names the package.
var ErrNotInstalled = errors.New("not installed")

// Options say what to run and where.
type Options struct {
	// Home is the folder that holds data, sockets and logs. It is created when absent.
	Home string
	// Log takes progress and what became of the servers; nil discards it.
	Log *slog.Logger
	// Postgres and Redis choose the servers to run.
	Postgres, Redis bool
	// Durable turns on fsync, full_page_writes and synchronous_commit. Only tests, whose data is thrown away, may go
	// without; they also get more connections and less memory.
	Durable bool
}

// Servers are the running private servers of one home.
type Servers struct {
	// DatabaseURL and RedisURL are what pgdb.Open and redis.ParseURL take; empty for a server that was not asked for.
	DatabaseURL, RedisURL string

	postgres, redis *supervisor
	held            *hold
	sockets         socketFolder
}

// Start takes hold of the home and starts the servers that opt asks for, adopting those that an earlier process left
// running. It returns when they answer. A home in use gives a *HeldError. The caller must Stop what Start returned.
func Start(ctx context.Context, opt Options) (_ *Servers, err error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Home == "" {
		return nil, errors.New("start private servers: no home folder given")
	}
	if opt.Home, err = filepath.Abs(opt.Home); err != nil {
		return nil, fmt.Errorf("start private servers: %w", err)
	}
	if err := os.MkdirAll(opt.Home, 0o700); err != nil {
		return nil, fmt.Errorf("start private servers: %w", err)
	}
	who, err := serviceAccount()
	if err != nil {
		return nil, err
	}
	s := &Servers{}
	if s.held, err = takeHold(opt.Home); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			// The caller's context may be over, yet what was started must end.
			err = errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if !opt.Postgres && !opt.Redis {
		return s, nil
	}
	root, err := placeServers(opt.Home, who, opt.Log)
	if err != nil {
		return nil, err
	}
	if s.sockets, err = placeSockets(opt.Home, root, who); err != nil {
		return nil, err
	}
	if opt.Redis {
		if err := s.startRedis(ctx, opt, root, who); err != nil {
			return nil, fmt.Errorf("start private Redis: %w", err)
		}
	}
	if opt.Postgres {
		if err := s.startPostgres(ctx, opt, root, who); err != nil {
			return nil, fmt.Errorf("start private PostgreSQL: %w", err)
		}
	}
	return s, nil
}

func (s *Servers) startRedis(ctx context.Context, opt Options, root string, who account) error {
	r, err := newRedis(opt, root, s.sockets.path, who)
	if err != nil {
		return err
	}
	s.redis = newSupervisor(r, opt.Log.With("server", "redis"))
	if err := s.redis.start(ctx); err != nil {
		return err
	}
	s.RedisURL = (&url.URL{Scheme: "unix", Path: r.socket()}).String() + "?db=0"
	return nil
}

func (s *Servers) startPostgres(ctx context.Context, opt Options, root string, who account) error {
	p, err := newPostgres(opt, root, s.sockets.path, who)
	if err != nil {
		return err
	}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	s.postgres = newSupervisor(p, opt.Log.With("server", "postgres"))
	if err := s.postgres.start(ctx); err != nil {
		return err
	}
	if err := p.createDatabase(ctx); err != nil {
		return err
	}
	s.DatabaseURL = p.url("pukar")
	return nil
}

// Stop ends the servers in order, Redis first, and gives the home free. PostgreSQL shuts down cleanly; when ctx ends
// before that it is told to stop at once, which costs a crash recovery at the next start and no data. Stop may be
// called once and on a nil receiver.
func (s *Servers) Stop(ctx context.Context) error {
	if s == nil {
		return nil
	}
	var errs []error
	if s.redis != nil {
		errs = append(errs, s.redis.stop(ctx))
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.stop(ctx))
	}
	s.sockets.remove()
	if s.held != nil {
		errs = append(errs, s.held.release())
	}
	return errors.Join(errs...)
}
