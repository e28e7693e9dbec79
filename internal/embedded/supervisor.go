package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// server is one kind of server that a supervisor keeps running.
type server interface {
	// find returns the live process that an earlier run left behind, or nil; it clears away what such a run left dead.
	find(ctx context.Context) (*process, error)
	// launch starts a new process.
	launch() (*process, error)
	// ready returns nil once the server answers. An error wrapping errNotYet means: ask again.
	ready(ctx context.Context) error
	// diagnosis is the end of the server's log, for an error message.
	diagnosis() string
	// signals are the polite one to stop it and the one for when patience has ended.
	signals() (polite, firm syscall.Signal)
}

var (
	errNotYet = errors.New("not yet")
	errEnded  = errors.New("the server ended while starting")
)

const (
	readyPoll     = 50 * time.Millisecond
	progressEvery = 5 * time.Second
	firmWait      = 15 * time.Second
	maxBackoff    = 10 * time.Second
)

// supervisor keeps one server running from start to stop.
type supervisor struct {
	server server
	log    *slog.Logger

	life   context.Context // ends when stop is called; the documented lifetime of the watching goroutine
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	current *process // owned by start until it returns, then by the watching goroutine
}

func newSupervisor(s server, log *slog.Logger) *supervisor {
	life, cancel := context.WithCancel(context.Background())
	return &supervisor{server: s, log: log, life: life, cancel: cancel}
}

// start adopts or launches the server, waits until it answers and then watches it in the background.
func (s *supervisor) start(ctx context.Context) error {
	if err := s.bringUp(ctx); err != nil {
		return err
	}
	s.wg.Go(s.watch)
	return nil
}

// bringUp gets one process of the server to the point where it answers. An adopted one may have been about to end;
// then a new one takes its place.
func (s *supervisor) bringUp(ctx context.Context) error {
	for {
		p, err := s.server.find(ctx)
		if err != nil {
			return err
		}
		adopted := p != nil
		if adopted {
			s.log.Info("adopted the server that an earlier process left running", "pid", p.pid)
		} else if p, err = s.server.launch(); err != nil {
			return err
		}
		s.set(p)
		err = s.waitReady(ctx, p)
		if !adopted || !errors.Is(err, errEnded) {
			return err
		}
	}
}

// waitReady waits, as long as ctx allows, until the server answers; errEnded says that the process ended instead.
func (s *supervisor) waitReady(ctx context.Context, p *process) error {
	began := time.Now()
	told := began
	for {
		err := s.server.ready(ctx)
		if err == nil {
			s.log.Debug("server answers", "pid", p.pid, "after", time.Since(began).Round(time.Millisecond).String())
			return nil
		}
		if !errors.Is(err, errNotYet) {
			return err
		}
		if time.Since(told) >= progressEvery {
			told = time.Now()
			s.log.Info("waiting for the server, it may be recovering from a crash", "pid", p.pid,
				"for", time.Since(began).Round(time.Second).String(), "answer", err.Error())
		}
		select {
		case <-p.done:
			return fmt.Errorf("%w; its log says:\n%s", errEnded, s.server.diagnosis())
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server: %w", context.Cause(ctx))
		case <-time.After(readyPoll):
		}
	}
}

// watch starts the server again whenever it ends before stop was called.
func (s *supervisor) watch() {
	backoff := 100 * time.Millisecond
	for {
		p := s.get()
		since := time.Now()
		select {
		case <-s.life.Done():
			return
		case <-p.done:
		}
		if s.life.Err() != nil {
			return
		}
		if time.Since(since) > time.Minute {
			backoff = 100 * time.Millisecond
		}
		s.log.Error("the server ended unexpectedly and is started again", "pid", p.pid)
		for {
			err := s.bringUp(s.life)
			if err == nil {
				s.log.Info("the server answers again", "pid", s.get().pid)
				break
			}
			if s.life.Err() != nil {
				return
			}
			s.log.Error("the server cannot be started", "err", err, "next_try_in", backoff.String())
			select {
			case <-s.life.Done():
				return
			case <-time.After(backoff):
			}
			backoff = min(2*backoff, maxBackoff)
		}
	}
}

// stop ends the server and the watching. When ctx is over first, the firm signal is sent.
func (s *supervisor) stop(ctx context.Context) error {
	s.cancel()
	s.wg.Wait()
	p := s.get()
	if p == nil {
		return nil
	}
	polite, firm := s.server.signals()
	if err := p.signal(polite); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.signal(firm); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(firmWait):
		return fmt.Errorf("server process %d did not end %s after %s", p.pid, firmWait, firm)
	}
}

func (s *supervisor) set(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = p
}

func (s *supervisor) get() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// tail returns the last bytes of a log file.
func tail(path string, limit int64) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	from := max(0, info.Size()-limit)
	buf := make([]byte, info.Size()-from)
	n, _ := file.ReadAt(buf, from)
	return string(buf[:n])
}
