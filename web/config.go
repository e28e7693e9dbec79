package web

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/backup"
	"pukar/internal/config"
	"pukar/internal/metrics"
	"pukar/smpp"
)

// Config is what a server is made of.
type Config struct {
	// Version is the program's version, for the document and /v1/health.
	Version string
	// Log takes what the operator should see.
	Log *slog.Logger
	// Pool reaches the database.
	Pool *pgxpool.Pool
	// Key hashes phone numbers.
	Key audience.Key
	// Places and Schemes are what rules may name.
	Places  *audience.Places
	Schemes audience.Schemes
	// Routes are the ways out, and Inbound our own numbers, of the configuration.
	Routes  []config.Route
	Inbound []config.Inbound
	// Receive takes in what a gateway posted and returns when it is committed, saying whether it was taken for a stop;
	// nil in a process that takes in nothing.
	Receive func(ctx context.Context, r Received) (stopped bool, err error)
	// RouteBinds tells how the binds of this process stand, by the name of their route; nil where it has none.
	RouteBinds func() map[string][]smpp.BindStatus
	// Campaigns is what people do with campaigns.
	Campaigns *campaign.Service
	// StopAdded tells the senders of this process about a new stop once it is committed, by the number's key, so that
	// what was written ahead is held back too. It may be nil.
	StopAdded func(key int64)
	// Scrape answers GET /metrics; nil where there is nothing to tell. Metrics count the requests.
	Scrape  http.Handler
	Metrics *metrics.Metrics
	// Backup is the installation as a backup reads it; nil where none may be taken.
	Backup *backup.Source
}

// check panics on a part that is missing.
func (c *Config) check() {
	switch {
	case c.Log == nil:
		panic("web: Config.Log is missing")
	case c.Pool == nil:
		panic("web: Config.Pool is missing")
	case c.Campaigns == nil:
		panic("web: Config.Campaigns is missing")
	case c.Places == nil || c.Schemes == nil:
		panic("web: Config.Places or Config.Schemes is missing")
	}
}
