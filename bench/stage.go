package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/smpp/smsc"
	"pukar/web/client"
)

// stage is what one trial is played on: a temporary folder, a message centre and a server.
type stage struct {
	folder string
	centre *child
	stats  string // address of the centre's counts
	server *child
	caller *client.Client
	db     *pgx.Conn
	pids   pids

	database string // its address
}

// setUp starts everything in a fresh folder. What it started is for tearDown to end, also after an error.
func (s *stage) setUp(ctx context.Context, o options, profile string) error {
	var err error
	if s.folder, err = os.MkdirTemp(o.dir, "pukar-bench-"); err != nil {
		return err
	}
	// PostgreSQL runs as another account where we are root, and must get through to its data.
	if err := os.Chmod(s.folder, 0o711); err != nil {
		return err
	}
	if err := s.startCentre(ctx, o); err != nil {
		return err
	}
	return s.startServer(ctx, o, profile)
}

func (s *stage) startCentre(ctx context.Context, o options) error {
	var err error
	s.centre, err = startChild("pukar simulate smsc", filepath.Join(s.folder, "centre.log"), o.binary,
		"simulate", "smsc", "--addr", "127.0.0.1:0", "--stats", "127.0.0.1:0", "--every", "0", "--account", "bench=bench", "--account", "kannel=kannel")
	if err != nil {
		return err
	}
	s.stats, err = s.centre.await(ctx, "counts at ")
	return err
}

func (s *stage) startServer(ctx context.Context, o options, profile string) error {
	addr, err := s.centre.await(ctx, "message centre at ")
	if err != nil {
		return err
	}
	home := filepath.Join(s.folder, "home")
	if err := os.Mkdir(home, 0o711); err != nil {
		return err
	}
	settings := filepath.Join(home, "pukar.yaml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, serverConfig, addr, o.window), 0o600); err != nil {
		return err
	}
	args := []string{"serve", "--pukar-home", home, "--config", settings}
	if profile != "" {
		args = append(args, "--cpu-profile", profile)
	}
	if s.server, err = startChild("pukar serve", filepath.Join(s.folder, "server.log"), o.binary, args...); err != nil {
		return err
	}
	socket, err := s.server.await(ctx, " serves at ")
	if err != nil {
		return err
	}
	s.caller = client.New(socket)
	if err := s.server.adopt(); err != nil {
		return err
	}
	s.pids = pids{program: s.server.pid(), centre: s.centre.pid()}
	if s.pids.postgres, err = s.server.helper("postgres"); err != nil {
		return err
	}
	if s.pids.redis, err = s.server.helper("redis-server"); err != nil {
		return err
	}
	s.database, err = databaseURL(filepath.Join(home, "servers", "postgres", "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	if s.db, err = pgx.Connect(ctx, s.database); err != nil {
		return err
	}
	return s.awaitBind(ctx)
}

// databaseURL is the address of the private PostgreSQL: its pid file names port and folder of its socket in lines 4 and 5.
func databaseURL(pidFile string) (string, error) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 5 {
		return "", fmt.Errorf("%s: no port and socket in it", pidFile)
	}
	at := url.Values{"port": {strings.TrimSpace(lines[3])}, "host": {strings.TrimSpace(lines[4])}, "user": {"pukar"}}
	return "postgres:///pukar?" + at.Encode(), nil
}

// awaitBind waits until the route is bound.
func (s *stage) awaitBind(ctx context.Context) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		list, err := s.caller.Routes(ctx)
		if err != nil {
			return err
		}
		if len(list.Routes) == 1 && list.Routes[0].Bound {
			return nil
		}
		if err := s.running(); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("the route was not bound: %w\n%s", context.Cause(ctx), s.server.lastWords())
		}
	}
}

func (s *stage) running() error { return errors.Join(s.centre.running(), s.server.running()) }

// counts asks the message centre for its counts.
func (s *stage) counts(ctx context.Context) (smsc.Stats, error) {
	var counts smsc.Stats
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.stats, nil)
	if err != nil {
		return counts, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return counts, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return counts, errors.New("counts of the message centre: status " + strconv.Itoa(response.StatusCode))
	}
	return counts, json.NewDecoder(response.Body).Decode(&counts)
}

// tearDown ends everything in order and removes the folder, or says where it is.
func (s *stage) tearDown(keep bool, stderr io.Writer) error {
	if s.db != nil {
		closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = s.db.Close(closing)
		cancel()
	}
	if s.caller != nil {
		s.caller.Close()
	}
	// The server promises ten seconds; its PostgreSQL then writes out what it holds.
	err := errors.Join(s.server.stop(time.Minute), s.centre.stop(10*time.Second))
	if s.folder == "" {
		return err
	}
	if keep {
		say(stderr, "kept %s", s.folder)
		return err
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}
