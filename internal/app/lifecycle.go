package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// step is something to be stopped.
type step struct {
	name  string
	bound time.Duration
	stop  func(ctx context.Context) error
}

// lifecycle holds what was started, and stops it in reverse.
type lifecycle struct {
	log   *slog.Logger
	steps []step
}

// onStop adds a step; bound is the most that it may take.
func (l *lifecycle) onStop(name string, bound time.Duration, stop func(ctx context.Context) error) {
	l.steps = append(l.steps, step{name: name, bound: bound, stop: stop})
}

// watchdogGrace is what a step may overrun its bound by before the process is ended hard: its context is
// done by then, and what ignores that would hang for ever.
const watchdogGrace = 15 * time.Second

// stop runs every step, the newest first. One that fails does not keep the others from theirs.
func (l *lifecycle) stop() error {
	var errs []error
	for len(l.steps) > 0 {
		s := l.steps[len(l.steps)-1]
		l.steps = l.steps[:len(l.steps)-1]
		watchdog := time.AfterFunc(s.bound+watchdogGrace, func() {
			l.log.Error("stopping hangs; ending the process", "step", s.name)
			os.Exit(1)
		})
		ctx, cancel := context.WithTimeout(context.Background(), s.bound)
		if err := s.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
		cancel()
		watchdog.Stop()
	}
	return errors.Join(errs...)
}

// runner runs a component until it is told to stop.
type runner struct {
	cancel context.CancelFunc
	done   chan error
}

// start runs a component on a context of its own. An error before it is told to stop ends the process
// through fail.
func start(run func(ctx context.Context) error, fail context.CancelCauseFunc) *runner {
	ctx, cancel := context.WithCancel(context.Background())
	r := &runner{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := run(ctx)
		if err != nil && ctx.Err() == nil {
			fail(err)
		}
		r.done <- err
	}()
	return r
}

// stop ends the component and waits for it, at most until ctx ends.
func (r *runner) stop(ctx context.Context) error {
	r.cancel()
	select {
	case err := <-r.done:
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
