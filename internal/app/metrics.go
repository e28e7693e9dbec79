package app

import (
	"context"
	"net"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pukar/campaign"
	"pukar/internal/embedded"
	"pukar/internal/metrics"
	"pukar/smpp"
)

// countRoutes makes the metrics of a process. Parts and receipts are counted in the process that has the binds.
func (a *App) countRoutes() {
	a.registry = prometheus.NewRegistry()
	var routes []metrics.Route
	for _, r := range a.Config.Routes {
		route := metrics.Route{Name: r.Name, Receipts: r.Receipts}
		for _, b := range r.Binds {
			route.Binds = append(route.Binds, b.Name)
		}
		routes = append(routes, route)
	}
	a.metrics = metrics.New(a.registry, metrics.Build{Version: a.version, Revision: revision()}, routes)
}

// revision is the commit that the program was built from, "" where the build does not say.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

// startMetrics adds what is asked for at a scrape and serves it over TCP where the configuration says so; the interface has
// it too.
func (a *App) startMetrics(ctx context.Context) error {
	a.metrics.Binds(a.bindsNow)
	a.metrics.Pool(a.Pool.Stat)
	a.metrics.Hints(a.queue.Waiting)
	a.metrics.Ledger(func(ctx context.Context) (*metrics.Backlog, error) {
		b, err := a.ledger.Backlog(ctx)
		if err != nil {
			return nil, err
		}
		return backlogOf(b), nil
	})
	folders := map[string]string{"home": a.Config.Home}
	if a.private {
		folders["database"] = filepath.Join(embedded.Folder(a.Config.Home), "postgres")
	}
	a.metrics.Disks(folders)
	log := a.log.With("component", "metrics")
	a.scrape = metrics.Handler(a.registry, log)
	if a.Config.MetricsAddr == "" {
		return nil
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", a.Config.MetricsAddr)
	if err != nil {
		return &metricsError{a.Config.MetricsAddr, err}
	}
	running := start(func(ctx context.Context) error { return metrics.Serve(ctx, listener, a.scrape, log) }, a.fail)
	a.life.onStop("metrics", 2*time.Second, running.stop)
	return nil
}

// metricsError says why the metrics cannot be served.
type metricsError struct {
	addr string
	err  error
}

func (e *metricsError) Error() string {
	return "metrics_addr " + e.addr + ": choose another port, or leave the key out: " + e.err.Error()
}

func (e *metricsError) Unwrap() error { return e.err }

func backlogOf(b *campaign.Backlog) *metrics.Backlog {
	return &metrics.Backlog{
		Recipients: b.Recipients, Runs: b.Runs, BatchesReady: b.BatchesReady, BatchesHinted: b.BatchesHinted,
		Unsettled: b.Unsettled, UnsettledFor: b.UnsettledFor, Parked: b.Parked, Orphans: b.Orphans, Restored: b.Restored, Stopped: b.Stopped, FailedFirings: b.FailedFirings,
	}
}

// bindsNow are the binds of this process as the metrics tell them.
func (a *App) bindsNow() []metrics.Bind {
	var binds []metrics.Bind
	for name, route := range a.routes {
		for _, bind := range route.SMPP.Binds() {
			s := bind.Status()
			b := metrics.Bind{
				Route: name, Name: s.Name, State: string(s.State), InUse: s.Outstanding, Window: s.Window,
				Throttled: s.RateLimit > 0 || !s.PausedUntil.IsZero(),
			}
			if s.Refused && s.State != smpp.Bound {
				b.State = "refused"
			}
			binds = append(binds, b)
		}
	}
	return binds
}
