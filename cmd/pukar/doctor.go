package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pukar/internal/config"
	"pukar/internal/doctor"
)

func (sh *shell) doctor() *cobra.Command {
	var f serverFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is wrong and how to mend it",
		Long: `Looks at the configuration, the home and its key, the servers, the clocks, the disk, the routes and the ledger, and says of
each what is wrong and how to mend it. It works with or without a running server, and changes nothing. Run it as the user
that the server runs as, or as root, with the server's configuration. Exit status 1 when there is a problem; warnings leave it 0.`,
		Example: `  pukar doctor
  pukar doctor --config /etc/pukar.yaml --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			home := sh.homeDir()
			if abs, err := filepath.Abs(home); err == nil {
				home = abs
			}
			report := doctor.Examine(cmd.Context(), doctor.Options{
				Load:     func() (*config.Config, error) { return sh.load(f) },
				Fallback: &config.Config{Home: home, Socket: sh.socket, Roles: config.AllRoles()},
				Version:  version,
			})
			if asJSON {
				if err := printJSON(sh.stdout, report); err != nil {
					return err
				}
			} else {
				sh.printChecks(report)
			}
			if !report.OK {
				return &quietError{exitFailed}
			}
			return nil
		},
	}
	configFlag(cmd, &f)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// colours of the states, on a terminal only.
var colours = map[doctor.State]string{doctor.OK: "\x1b[32m", doctor.Warning: "\x1b[33m", doctor.Problem: "\x1b[31m", doctor.Unknown: "\x1b[2m"}

// printChecks prints a line for each check, and under what is not well how to mend it.
func (sh *shell) printChecks(report doctor.Report) {
	coloured := terminal(sh.stdout)
	state := func(s doctor.State) string {
		text := fmt.Sprintf("%-7s", s)
		if coloured {
			return colours[s] + text + "\x1b[0m"
		}
		return text
	}
	subject, name := 0, 0
	var away []string
	for _, c := range report.Checks {
		subject, name = max(subject, len(c.Subject)), max(name, len(c.Name))
	}
	for _, c := range report.Checks {
		if c.State == doctor.Unknown {
			away = append(away, c.Subject+" "+c.Name)
			continue
		}
		say(sh.stdout, "%s  %-*s  %-*s  %s", state(c.State), subject, c.Subject, name, c.Name, c.Finding)
		if c.Mend != "" {
			say(sh.stdout, "%7s  %-*s  %-*s  → %s", "", subject, "", name, "", c.Mend)
		}
	}
	if len(away) > 0 {
		say(sh.stdout, "%s  not looked at, because what it takes is away: %s", state(doctor.Unknown), strings.Join(away, ", "))
	}
	switch {
	case report.Problems > 0:
		say(sh.stdout, "\n%s, %s.", plural(int64(report.Problems), "problem", "problems"), plural(int64(report.Warnings), "warning", "warnings"))
	case report.Warnings > 0:
		say(sh.stdout, "\nNo problem, %s.", plural(int64(report.Warnings), "warning", "warnings"))
	default:
		say(sh.stdout, "\nAll is well.")
	}
}
