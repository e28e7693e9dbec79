package config

import (
	"log/slog"
	"net"
	"slices"
	"strconv"
)

// Level is the least level that is logged.
func (c *Config) Level() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // validated; info where a configuration was made without Load
	return level
}

// validateWatching checks how the process tells what it does: its log and its metrics.
func (d *decoder) validateWatching(c *Config) {
	if !slices.Contains([]string{LogText, LogJSON}, c.LogFormat) {
		d.at("log_format", "%q is unknown: known are %s, %s", c.LogFormat, LogText, LogJSON)
	}
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.LogLevel) {
		d.at("log_level", "%q is unknown: known are debug, info, warn, error", c.LogLevel)
	}
	if c.MetricsAddr == "" {
		return
	}
	host, port, err := net.SplitHostPort(c.MetricsAddr)
	n, portErr := strconv.Atoi(port)
	switch {
	case err != nil, portErr != nil, n < 0, n > 65535:
		d.at("metrics_addr", "%q is not an address: write host:port, such as 127.0.0.1:9464", c.MetricsAddr)
	case host == "":
		// Without a host every interface of the machine would answer, the one to the internet included.
		d.at("metrics_addr", "it names no host: write 127.0.0.1:%s, or the address at which Prometheus reaches this machine", port)
	}
}
