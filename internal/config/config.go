package config

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config is everything that can be set. The key of a field is its tag; "file" marks a text that may also be given as
// KEY_file with the path of a file that holds it.
type Config struct {
	// File is the configuration file that was read; empty where there was none.
	File string
	// Home is the folder of the installation; by default Home().
	Home string `key:"home"`
	// DatabaseURL and RedisURL name servers; an empty one asks for a private server in the home.
	DatabaseURL Secret `key:"database_url,file"`
	RedisURL    Secret `key:"redis_url,file"`
	// KeyFile holds the key of the keyed hash of phone numbers; by default "key" in the home.
	KeyFile string `key:"key_file"`
	// Socket is where the API listens; by default "pukar.sock" in the home.
	Socket string `key:"socket"`
	// MetricsAddr is host:port where GET /metrics is answered over TCP; empty for nowhere. The API answers it too.
	MetricsAddr string `key:"metrics_addr"`
	// LogFormat is text or json, LogLevel the least level that is logged: debug, info, warn or error; text and info.
	LogFormat string `key:"log_format"`
	LogLevel  string `key:"log_level"`
	// Approval is "" or "required": whether a campaign needs a second person before it may be launched.
	Approval string `key:"approval"`
	// Routes are the ways out, each with at least one bind.
	Routes []Route `key:"routes"`
	// TestNumbers are the numbers that a test message may go to, as 12 digits beginning with 91.
	TestNumbers []string `key:"test_numbers"`
	// Inbound says what a message or a missed call to one of our numbers means.
	Inbound []Inbound `key:"inbound"`
	// SoftStopTimeout is how long running work may take to finish once the program was told to stop; 30 s.
	SoftStopTimeout time.Duration `key:"soft_stop_timeout"`
	// Roles are what this process does: api, scheduler, worker, smpp; all of them by default.
	Roles []string `key:"roles"`
}

// Inbound is one of our own numbers that people write to or ring.
type Inbound struct {
	// Number is the short or long code as the message centre writes it, digits only.
	Number string `key:"number"`
	// Route is the name of the route on which messages to Number arrive; empty for any.
	Route string `key:"route"`
	// Purpose limits what a stop to Number ends; empty for everything.
	Purpose string `key:"purpose"`
}

// The roles that a process can have.
const (
	RoleAPI       = "api"
	RoleScheduler = "scheduler"
	RoleWorker    = "worker"
	RoleSMPP      = "smpp"
)

// AllRoles lists the roles in the order in which a process starts them.
func AllRoles() []string { return []string{RoleAPI, RoleScheduler, RoleWorker, RoleSMPP} }

// The formats of the log.
const (
	LogText = "text"
	LogJSON = "json"
)

const approvalRequired = "required"

// defaultSoftStop leaves room for a full window's responses and the drain of the binds.
const defaultSoftStop = 30 * time.Second

// Home is the folder of the installation where no configuration says otherwise: $PUKAR_HOME, else /var/lib/pukar for
// root, else .pukar in the account's own home.
func Home() string {
	if home := os.Getenv("PUKAR_HOME"); home != "" {
		return home
	}
	return defaultHome()
}

// defaultHome leaves root's own home alone, because the account that PostgreSQL runs as cannot enter it.
func defaultHome() string {
	if os.Geteuid() == 0 {
		return "/var/lib/pukar"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "pukar")
	}
	return filepath.Join(home, ".pukar")
}

// HasRole reports whether this process has the role.
func (c *Config) HasRole(role string) bool { return slices.Contains(c.Roles, role) }

// ApprovalRequired reports whether a second person must approve a campaign.
func (c *Config) ApprovalRequired() bool { return c.Approval == approvalRequired }

// Route finds a route by its name.
func (c *Config) Route(name string) (Route, bool) {
	i := slices.IndexFunc(c.Routes, func(r Route) bool { return r.Name == name })
	if i < 0 {
		return Route{}, false
	}
	return c.Routes[i], true
}

// setDefaults fills in what does not depend on other settings; complete does the rest.
func (c *Config) setDefaults() {
	c.Home = defaultHome()
	c.SoftStopTimeout = defaultSoftStop
	c.Roles = AllRoles()
	c.LogFormat, c.LogLevel = LogText, "info"
}

// complete derives the settings that follow from others unless they were given.
func (c *Config) complete() {
	if abs, err := filepath.Abs(c.Home); err == nil {
		c.Home = abs
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.Home, "key")
	}
	if c.Socket == "" {
		c.Socket = filepath.Join(c.Home, "pukar.sock")
	}
	for i := range c.Routes {
		c.Routes[i].complete()
	}
}
