package doctor

import (
	"errors"
	"path/filepath"

	"pukar/internal/config"
)

// examineConfiguration reads the configuration, and answers what can be worked with.
func examineConfiguration(opt Options) ([]Check, *config.Config) {
	cfg, err := opt.Load()
	checks := judgeConfiguration(cfg, err)
	for n := range checks {
		checks[n].Subject, checks[n].Finding = "configuration", oneLine(checks[n].Finding)
	}
	if err == nil {
		return checks, cfg
	}
	cfg = opt.Fallback
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.Home, "key")
	}
	if cfg.Socket == "" {
		cfg.Socket = filepath.Join(cfg.Home, "pukar.sock")
	}
	return checks, cfg
}

func judgeConfiguration(cfg *config.Config, err error) []Check {
	var invalid *config.InvalidError
	switch {
	case errors.As(err, &invalid):
		var checks []Check
		for _, p := range invalid.Problems {
			where := p.Where
			if where == "" {
				where = "the configuration"
			}
			checks = append(checks, problem("parses", "correct "+p.Key+" in "+where+"; what follows was looked at with the defaults", "%s", p))
		}
		return checks
	case err != nil:
		return []Check{problem("parses", "correct the file; what follows was looked at with the defaults", "%v", err)}
	case len(cfg.Routes) == 0 && cfg.File == "":
		return []Check{warning("parses", "give --config FILE, the one that `pukar serve` gets, or put it into the home; `pukar init DIR` writes an example",
			"there is no pukar.yaml in %s and no other file was named: no route is known", cfg.Home)}
	case len(cfg.Routes) == 0:
		return []Check{warning("parses", "add a route; `pukar init DIR` writes an example", "it has no route: nothing can be sent")}
	}
	binds := 0
	for _, r := range cfg.Routes {
		binds += len(r.Binds)
	}
	return []Check{ok("parses", "%s: routes %d, binds %d", cfg.File, len(cfg.Routes), binds)}
}
