package app

import (
	"context"
	"time"

	"pukar/internal/notice"
	"pukar/worker"
)

// startListener makes the brakes: it hears what other processes halt, and who said stop to them, and says whether everything is stopped.
func (a *App) startListener(ctx context.Context) error {
	a.breaker = &worker.Breaker{Ledger: a.ledger, Runs: a.runs, Halts: a.halts, Routes: a.Config.Routes, Log: a.log.With("component", "breaker")}
	log := a.log.With("component", "listener")
	listener := &notice.Listener{
		Pool: a.Pool, Log: log, Deaf: a.halts.Deaf,
		Hear: func(n notice.Notice) {
			a.halts.Hear(n, a.stops)
			if n.Everything {
				log.Info("what was written ahead is given up: everything was stopped, or a list of stops was read in")
			}
		},
	}
	running := start(listener.Run, a.fail)
	a.life.onStop("listener", 5*time.Second, running.stop)
	stop, err := a.ledger.StopInForce(ctx)
	if err != nil {
		return err
	}
	if stop != nil {
		a.log.Warn("everything is stopped: nothing is sent, launched or resumed until `pukar resume-all`",
			"reason", stop.Reason, "actor", stop.Actor, "since", stop.At)
	}
	return nil
}
