package app

import (
	"path/filepath"
	"time"

	"pukar/campaign"
	"pukar/worker"
)

// measureDrains loads the holidays and starts to measure how long the routes take, which is what windows hang on.
func (a *App) measureDrains() (err error) {
	if a.Holidays, err = campaign.LoadHolidays(filepath.Join(a.Config.Home, "holidays")); err != nil {
		return err
	}
	routes := make([]string, len(a.Config.Routes))
	for i, r := range a.Config.Routes {
		routes[i] = r.Name
	}
	a.drains = worker.NewDrains(a.ledger, routes, a.log.With("component", "drains"))
	running := start(a.drains.Run, a.fail)
	a.life.onStop("drains", time.Second, running.stop)
	return nil
}
