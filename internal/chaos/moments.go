package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// moment is something that happens to a run. It returns when what it broke is whole again, and says what it did.
type moment struct {
	name string
	cost time.Duration // that it takes, about
	act  func(h *harness, ctx context.Context) (what string, err error)
}

// moments lists everything that can happen. Those of a kind have names that begin alike.
func moments() []moment {
	return []moment{
		{"kill -9 of a worker", time.Second, (*harness).killWorker},
		{"kill -9 of a scheduler", time.Second, (*harness).killScheduler},
		{"kill -9 of every process", 2 * time.Second, (*harness).killAll},
		{"stop of a worker below its lease", 4 * time.Second, (*harness).freezeBriefly},
		{"stop of a worker past its lease", 18 * time.Second, (*harness).freezeWorker},
		{"stop of a scheduler past its session", 14 * time.Second, (*harness).freezeScheduler},
		{"SIGTERM of a process", 4 * time.Second, (*harness).terminate},
		{"worker comes or goes", 2 * time.Second, (*harness).comeOrGo},
		{"Redis emptied", time.Second, (*harness).emptyRedis},
		{"Redis killed", 2 * time.Second, (*harness).killRedis},
		{"Redis away", 4 * time.Second, (*harness).stopRedis},
		{"PostgreSQL stopped", 4 * time.Second, (*harness).stopPostgres},
		{"PostgreSQL restarted at once", 3 * time.Second, (*harness).restartPostgres},
		{"PostgreSQL killed", 3 * time.Second, (*harness).killPostgres},
		{"PostgreSQL killed with a worker", 4 * time.Second, (*harness).killBoth},
		{"backends terminated", time.Second, (*harness).terminateBackends},
		{"COMMIT cut before the server", time.Second, (*harness).cutBeforeCommit},
		{"COMMIT cut before its answer", time.Second, (*harness).cutAfterCommit},
		{"line to PostgreSQL cut", 3 * time.Second, (*harness).cutLine},
		{"disk full", 5 * time.Second, (*harness).fillDisk},
		{"backup put back", 18 * time.Second, (*harness).restore},
		{"centre's line cut before it reads", time.Second, (*harness).cutUnread},
		{"centre's line cut before its response", time.Second, (*harness).cutUnanswered},
		{"centre's line cut after its response", time.Second, (*harness).cutAnswered},
		{"centre throttles", 2 * time.Second, (*harness).throttle},
		{"centre refuses for now", 2 * time.Second, (*harness).refuseForNow},
		{"centre refuses for good", 2 * time.Second, (*harness).refuseForGood},
		{"centre accepts in silence", 8 * time.Second, (*harness).silence},
		{"receipts late", 3 * time.Second, (*harness).lateReceipts},
		{"receipts twice", 2 * time.Second, (*harness).doubleReceipts},
		{"receipts before responses", 2 * time.Second, (*harness).earlyReceipts},
		{"pause and resume by hand", 3 * time.Second, (*harness).pauseAndResume},
		{"stop-all and resume-all", 3 * time.Second, (*harness).stopAll},
		{"cancel of another campaign", 4 * time.Second, (*harness).cancelCampaign},
		{"stops by SMS", time.Second, (*harness).stops},
		{"stops by SMS amid trouble", 4 * time.Second, (*harness).stopsAmidTrouble},
	}
}

// plan draws what happens: everything once before anything happens again. budget bounds what moments may take together, 0
// for no bound; with one, at most one of them is long.
func (h *harness) plan(budget time.Duration) ([]moment, error) {
	var all []moment
	for _, m := range moments() {
		if h.wants(m.name) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no moment begins with %q", errUsage, h.Only)
	}
	if budget > 0 {
		return h.planShort(all, budget), nil
	}
	var chosen []moment
	for len(chosen) < h.Moments {
		for _, i := range h.random.Perm(len(all)) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen[:h.Moments], nil
}

// long is what takes most of a short form's time.
const long = 8 * time.Second

func (h *harness) planShort(all []moment, budget time.Duration) (chosen []moment) {
	mayBeLong := h.random.IntN(3) == 0
	for _, i := range h.random.Perm(len(all)) {
		m := all[i]
		if len(chosen) == h.Moments {
			break
		}
		switch {
		case m.cost >= long && mayBeLong:
			chosen, mayBeLong = append(chosen, m), false
			budget /= 3
		case m.cost < long && m.cost <= budget:
			chosen = append(chosen, m)
			budget -= m.cost
		}
	}
	return chosen
}

func (h *harness) wants(name string) bool {
	for _, only := range h.Only {
		if strings.HasPrefix(name, only) {
			return true
		}
	}
	return len(h.Only) == 0
}
