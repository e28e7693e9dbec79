package chaos

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// bury kills processes, accounts for what they may leave unknown, and starts them again after a while.
func (h *harness) bury(ctx context.Context, after time.Duration, dead ...*process) error {
	for _, p := range dead {
		p.kill()
		if h.isWorker(p) {
			h.bound += h.perDeath()
		}
	}
	if err := pause(ctx, after); err != nil {
		return err
	}
	return startAll(dead)
}

func startAll(list []*process) error {
	for _, p := range list {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

func (h *harness) isWorker(p *process) bool { return p != h.crew[0] && p != h.crew[1] }

func (h *harness) killWorker(ctx context.Context) (string, error) {
	p, after := h.some(h.workers()), h.between(0, 2*time.Second)
	return fmt.Sprintf("%s is back after %s", p.name, round(after)), h.bury(ctx, after, p)
}

func (h *harness) killScheduler(ctx context.Context) (string, error) {
	p, after := h.some(h.schedulers()), h.between(0, 2*time.Second)
	return fmt.Sprintf("%s is back after %s", p.name, round(after)), h.bury(ctx, after, p)
}

func (h *harness) killAll(ctx context.Context) (string, error) {
	var up []*process
	for _, p := range h.crew {
		if p.running() {
			up = append(up, p)
		}
	}
	after := h.between(0, 2*time.Second)
	return fmt.Sprintf("%d processes are back after %s", len(up), round(after)), h.bury(ctx, after, up...)
}

// freeze stops a process for a while. Responses that lie with it meanwhile come too late for it, so that it may
// give up what was in flight; late responses settle these again.
func (h *harness) freeze(ctx context.Context, p *process, d time.Duration) (string, error) {
	if h.isWorker(p) {
		h.bound += h.perDeath()
	}
	p.signal(syscall.SIGSTOP)
	err := pause(ctx, d)
	p.signal(syscall.SIGCONT)
	return fmt.Sprintf("%s for %s", p.name, round(d)), err
}

func (h *harness) freezeBriefly(ctx context.Context) (string, error) {
	return h.freeze(ctx, h.some(h.workers()), h.between(200*time.Millisecond, 8*time.Second))
}

func (h *harness) freezeWorker(ctx context.Context) (string, error) {
	return h.freeze(ctx, h.some(h.workers()), h.between(15500*time.Millisecond, 20*time.Second))
}

func (h *harness) freezeScheduler(ctx context.Context) (string, error) {
	return h.freeze(ctx, h.some(h.schedulers()), h.between(11*time.Second, 17*time.Second))
}

// terminate has a process end in good order: nothing may be unknown after it.
func (h *harness) terminate(ctx context.Context) (string, error) {
	p, after := h.some(h.crew), h.between(0, 2*time.Second)
	begun := time.Now()
	p.terminate()
	took := time.Since(begun)
	if err := pause(ctx, after); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s stopped in %s", p.name, round(took)), p.start()
}

// comeOrGo starts the fourth worker, or ends it.
func (h *harness) comeOrGo(ctx context.Context) (string, error) {
	p := h.crew[len(h.crew)-1]
	if p.running() {
		p.terminate()
		return p.name + " goes", nil
	}
	if err := p.start(); err != nil {
		return "", err
	}
	return p.name + " comes", h.awaitCrew(ctx)
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
