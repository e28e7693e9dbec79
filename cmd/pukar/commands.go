package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in released builds.
var version = "dev"

// commands are all commands, in the order of the help text.
func (sh *shell) commands() []*cobra.Command {
	return []*cobra.Command{
		sh.initCommand(), sh.demo(), sh.serve(), sh.migrate(), sh.doctor(), sh.simulateCommands(),
		sh.audienceCommands(), sh.optOutCommands(), sh.templateCommands(), sh.campaignCommands(), sh.messageCommands(), sh.stopAll(), sh.resumeAll(),
		sh.routeCommands(), sh.holidays(), sh.reportCommands(), sh.auditCommands(), sh.backup(), sh.restore(), sh.versionCommand(),
	}
}

func (sh *shell) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the program's version", Example: "  pukar version --json", Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			revision := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, setting := range info.Settings {
					if setting.Key == "vcs.revision" {
						revision = setting.Value
					}
				}
			}
			if asJSON {
				return printJSON(sh.stdout, map[string]string{"version": version, "revision": revision, "go": runtime.Version()})
			}
			say(sh.stdout, "pukar %s %s", version, runtime.Version())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
