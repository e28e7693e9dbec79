package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pukar/campaign"
)

// restore puts a backup back under the running campaign. Everything must pause until resume-all; what was sent
// after the backup may then be sent again, and nothing else.
func (h *harness) restore(ctx context.Context) (string, error) {
	if err := h.awaitCrew(ctx); err != nil { // one that begins after the restoration would pause everything once more
		return "", err
	}
	starts := h.starts()
	from := time.Now()
	if err := h.servers.backUp(ctx); err != nil {
		return "", err
	}
	// Beyond the grain of the marks: what is lost within two seconds may go unnoticed.
	if err := pause(ctx, h.between(5*time.Second, 8*time.Second)); err != nil {
		return "", err
	}
	if err := h.servers.stopPostgres(ctx, 0); err != nil {
		return "", err
	}
	if err := errors.Join(h.servers.putBack(ctx), h.servers.startPostgres(ctx)); err != nil {
		return "", err
	}
	to := time.Now()
	h.restored++
	h.bound += h.perDeath() * int64(len(h.workers())) // what was open in the backup
	if err := h.centre.Flush(); err != nil {
		return "", err
	}
	sent := h.truth.count()
	stops := h.truth.forget(from, to)
	paused, err := h.awaitPause(ctx)
	if err != nil {
		return "", err
	}
	for _, g := range h.groups {
		if err := h.quiet(ctx, stopGrace/time.Duration(len(h.groups)), 0, g); err != nil {
			return "", err
		}
	}
	if err := h.awaitStarts(ctx, starts); err != nil {
		return "", err
	}
	for _, g := range h.groups[:2] {
		if err := h.quiet(ctx, 0, 300*time.Millisecond, g); err != nil {
			return "", err
		}
	}
	now := h.truth.count()
	if now != sent {
		h.truth.report("%d parts were sent between a backup's return and resume-all", now-sent)
	}
	if err := h.say(stops, allStop(len(stops))); err != nil { // what an administrator enters by hand
		return "", err
	}
	err = h.try(ctx, func() error { _, err := h.campaigns.ResumeAll(ctx, "chaos", true); return err })
	return fmt.Sprintf("%s lost, paused after %s, %d stops again", round(to.Sub(from)), round(paused), len(stops)), err
}

func allStop(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = stopTexts[0]
	}
	return list
}

const sqlGoing = `SELECT count(*) FROM run WHERE state IN ('running', 'settling')`

// noticed is how long the processes may take to notice a restored database: they look every two seconds, and a machine
// that has just copied a database may be slow.
const noticed = 15 * time.Second

// awaitPause waits until every run is paused and says how long that took.
func (h *harness) awaitPause(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	for {
		var going int
		if err := h.try(ctx, func() error { return h.pool.QueryRow(ctx, sqlGoing).Scan(&going) }); err != nil {
			return 0, err
		}
		if going == 0 {
			return time.Since(begun), nil
		}
		if time.Since(begun) > noticed {
			h.truth.report("%d runs go on %s after a backup was put back", going, noticed)
			_, err := campaign.NewLedger(h.pool).NoticeRestore(ctx, "by the harness", time.Now()) // so that the run can go on
			return time.Since(begun), err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// starts is how often each process was started.
func (h *harness) starts() []int {
	list := make([]int, len(h.crew))
	for i, p := range h.crew {
		p.mu.Lock()
		list[i] = p.starts
		p.mu.Unlock()
	}
	return list
}

// awaitStarts waits until every process that runs has noticed the restoration, ended, and serves again. Until then
// resume-all would be too early: whoever notices later pauses everything once more.
func (h *harness) awaitStarts(ctx context.Context, before []int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*noticed, errors.New("not every process noticed that a backup was put back"))
	defer cancel()
	for i, p := range h.crew {
		for p.running() && h.starts()[i] == before[i] {
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return fmt.Errorf("%s: %w: %s", p.name, err, p.lastWords())
			}
		}
	}
	return h.awaitCrew(ctx)
}
