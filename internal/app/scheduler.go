package app

import (
	"context"
	"time"

	"pukar/internal/config"
	"pukar/worker"
)

// startScheduler starts what fires campaigns by their schedules.
func (a *App) startScheduler(context.Context) error {
	if !a.Config.HasRole(config.RoleScheduler) {
		return nil
	}
	scheduler := &worker.Scheduler{
		Pool: a.Pool, Campaigns: a.Campaigns, Log: a.log.With("component", "scheduler"), Metrics: a.metrics,
	}
	running := start(scheduler.Run, a.fail)
	a.life.onStop("scheduler", 5*time.Second, running.stop)
	return nil
}
