package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pukar/internal/embedded"
)

// leftover is what a killed process may leave in the home, by the beginning of its name: folders of a socket that was being
// bound, a key, a mark or settings that were being written.
var leftover = []string{".s", ".key-", "database.mark."}

// tidy is after how long something half written was certainly left behind.
const tidy = 10 * time.Minute

// remains is what earlier processes left.
type remains struct {
	files    []string
	postgres embedded.Private
	redis    embedded.Private
	holder   int
}

func examineLeftovers(_ context.Context, i *installation) []Check {
	r := remains{postgres: i.postgres, redis: i.redisOwn, holder: embedded.Holder(i.config.Home)}
	entries, _ := os.ReadDir(i.config.Home) // what cannot be read is told under home
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || i.now().Sub(info.ModTime()) < tidy || e.Name() == filepath.Base(i.config.Socket) {
			continue
		}
		for _, begins := range leftover {
			if strings.HasPrefix(e.Name(), begins) {
				r.files = append(r.files, filepath.Join(i.config.Home, e.Name()))
			}
		}
	}
	return judgeRemains(r)
}

func judgeRemains(r remains) []Check {
	checks := []Check{ok("files", "none"), ok("processes", "none")}
	if len(r.files) > 0 {
		checks[0] = warning("files", "rm -r "+strings.Join(r.files, " "), "a process that was killed left %s", strings.Join(r.files, ", "))
	}
	var orphans, stale []string
	for _, s := range []struct {
		name string
		is   embedded.Private
	}{{"PostgreSQL", r.postgres}, {"Redis", r.redis}} {
		switch {
		case s.is.PID > 0 && r.holder == 0:
			orphans = append(orphans, s.name)
		case s.is.StalePID > 0:
			stale = append(stale, s.name)
		}
	}
	switch {
	case len(orphans) > 0:
		checks[1] = warning("processes", "start `pukar serve`: it takes them over", "%s still runs, and the server that started it is gone", strings.Join(orphans, " and "))
	case len(stale) > 0 && r.holder == 0:
		checks[1] = ok("processes", "%s was not stopped in order; the next start mends that by itself", strings.Join(stale, " and "))
	}
	return checks
}
