package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pukar/internal/app"
	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/internal/pgdb"
)

// serverFlags are the flags of the commands that read the configuration.
type serverFlags struct {
	config  string
	roles   []string
	level   string
	format  string
	logJSON bool
	profile string
}

func (sh *shell) serve() *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server",
		Long: `Runs the server. Without database_url and redis_url in the configuration it runs a PostgreSQL and a Redis of its own in
its home. SIGTERM or Ctrl-C stop it: what is on the wire is finished first, within ten seconds.`,
		Example: `  pukar serve
  pukar serve --config /etc/pukar.yaml
  pukar serve --roles worker,smpp          # beside another process that has the others`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.checkLog(); err != nil {
				return err
			}
			cfg, err := sh.load(f)
			if err != nil {
				return err
			}
			log := sh.serverLog(cfg)
			ready := func(a *app.App) {
				if a.Socket == "" {
					say(sh.stdout, "pukar %s runs with the roles %s", version, strings.Join(cfg.Roles, ", "))
					return
				}
				say(sh.stdout, "pukar %s serves at %s", version, a.Socket)
			}
			boundMemory()
			return profiled(f.profile, func() error {
				return app.Run(cmd.Context(), app.Options{Config: cfg, Log: log, Version: version, Ready: ready, Volatile: sh.volatile})
			})
		},
	}
	configFlag(cmd, &f)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.roles, "roles", nil, "what this process does: "+strings.Join(config.AllRoles(), ", ")+" (default: everything)")
	flags.StringVar(&f.level, "log-level", "", "least level that is logged: debug, info, warn, error (default info)")
	flags.StringVar(&f.format, "log-format", "", "text or json (default text)")
	flags.BoolVar(&f.logJSON, "log-json", false, "log JSON: --log-format json")
	_ = flags.MarkHidden("log-json") // what it was called first
	flags.StringVar(&f.profile, "cpu-profile", "", "write what CPU time goes into to this file, until the end")
	_ = flags.MarkHidden("cpu-profile") // for whoever makes it faster; the bench asks for it
	return cmd
}

func configFlag(cmd *cobra.Command, f *serverFlags) {
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (default: pukar.yaml in the home)")
}

// load reads the configuration with what the command line says over it.
func (sh *shell) load(f serverFlags) (*config.Config, error) {
	overrides := map[string]any{}
	if sh.home != "" {
		overrides["home"] = sh.home
	}
	if sh.socket != "" {
		overrides["socket"] = sh.socket
	}
	if len(f.roles) > 0 {
		overrides["roles"] = f.roles
	}
	if f.logJSON {
		overrides["log_format"] = config.LogJSON
	}
	for key, value := range map[string]string{"log_level": f.level, "log_format": f.format} {
		if value != "" {
			overrides[key] = value
		}
	}
	path := f.config
	if path == "" {
		path = os.Getenv("PUKAR_CONFIG")
	}
	return config.Load(path, os.Environ(), overrides)
}

// checkLog refuses words for the log that are not known; what a file says of it is checked with the file.
func (f *serverFlags) checkLog() error {
	if levels := []string{"", "debug", "info", "warn", "error"}; !slices.Contains(levels, f.level) {
		return usage(fmt.Errorf("--log-level %q: known are debug, info, warn, error", f.level))
	}
	if !slices.Contains([]string{"", config.LogText, config.LogJSON}, f.format) {
		return usage(fmt.Errorf("--log-format %q: known are text, json", f.format))
	}
	return nil
}

// serverLog is the log that the configuration asks for. It goes to stderr, where systemd and containers collect it.
func (sh *shell) serverLog(cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level()}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(sh.stderr, options))
	}
	return slog.New(slog.NewTextHandler(sh.stderr, options))
}

func (sh *shell) migrate() *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the database's schema up to date",
		Long: `Brings the schema of the database up to date. The server does so itself when it starts; this is for those who want it
done before, or by another account.`,
		Example: "  pukar migrate --config /etc/pukar.yaml", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := sh.load(f)
			if err != nil {
				return err
			}
			if err := migrateDatabase(cmd.Context(), cfg, sh.logger(slog.LevelWarn)); err != nil {
				return err
			}
			say(sh.stdout, "The schema is up to date.")
			return nil
		},
	}
	configFlag(cmd, &f)
	return cmd
}

// migrateDatabase migrates the configured database, or the private one while it is not being served.
func migrateDatabase(ctx context.Context, cfg *config.Config, log *slog.Logger) (err error) {
	url := cfg.DatabaseURL.Reveal()
	if url == "" {
		servers, err := embedded.Start(ctx, embedded.Options{Home: cfg.Home, Log: log, Postgres: true, Durable: true})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, servers.Stop(context.WithoutCancel(ctx))) }()
		url = servers.DatabaseURL
	}
	pool, err := pgdb.Open(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return pgdb.Migrate(ctx, pool)
}

// memoryGoal is what the server keeps its heap near by collecting more often: an import or a freeze would
// otherwise let it grow to twice what lives.
const memoryGoal = 90 << 20

// boundMemory sets the goal unless whoever started the server did.
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
}
