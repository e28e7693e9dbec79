package web

import (
	"log/slog"
)

// Config is what a server is made of.
type Config struct {
	// Version is the program's version, for the document and /v1/health.
	Version string
	// Log takes what the operator should see.
	Log *slog.Logger
}

// check panics on a part that is missing.
func (c *Config) check() {
	if c.Log == nil {
		panic("web: Config.Log is missing")
	}
}
