package main

import (
	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) stopAll() *cobra.Command {
	var ask api.StopAllRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stop-all", Short: "Stop everything at once, in every process",
		Long: `Stops everything: from its answer on nothing is begun, and within a second no process writes a byte. Every run that goes on
is paused, and nothing can be launched, resumed, tried again or tested, over restarts too, until "pukar resume-all". What
the message centre has taken already is delivered. It does not ask.`,
		Example: `  pukar stop-all --reason "wrong helpline number in the Hindi text"`,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			stopped, err := caller.StopAll(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, stopped)
			}
			if stopped.Already {
				say(sh.stdout, "Everything is stopped already, by %s at %s: %s", stopped.Actor, stopped.At, stopped.Reason)
			} else {
				say(sh.stdout, "Everything is stopped. Runs that were paused: %d", stopped.PausedRuns)
			}
			if !stopped.Complete {
				say(sh.stdout, "Nothing is sent; the runs are being marked as paused, which a process that hangs holds up.")
			}
			say(sh.stdout, "`pukar resume-all` lets them go on.")
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.Reason, "reason", "", "why, for the record; needed")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
