package main

import (
	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) resumeAll() *cobra.Command {
	var ask api.ResumeAllRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "resume-all", Short: "Go on after stop-all, or after the database was restored",
		Long: `Lifts what "pukar stop-all" stopped; the runs that it had paused go on, those that a person had paused stay paused.

With --after-restore: when the database turns out to be older than what was done with it (a backup was put back, a failover lost commits), every
run pauses and nothing can be launched or resumed: who was written to and who said stop in the time that is lost is not in it.
Look that up in the message centre's records, enter the stops again, cancel what would be sent twice, and then let the rest
go on with this command. Each of the two takes away only its own.`,
		Example: "  pukar resume-all\n  pukar resume-all --after-restore",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			result, err := caller.ResumeAll(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, result)
			}
			if result.Held != "" {
				say(sh.stdout, "That is taken away, but nothing goes on yet: %s", result.Held)
				return nil
			}
			say(sh.stdout, "Campaigns can be launched and resumed again. Runs that go on: %d", len(result.Resumed))
			for _, r := range result.Resumed {
				number := "run"
				if r.Kind == "test" {
					number = "test"
				}
				say(sh.stdout, "  %s, %s %d", r.Campaign, number, r.Run)
			}
			if result.Messages > 0 {
				say(sh.stdout, "  and single messages: %d", result.Messages)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&ask.AfterRestore, "after-restore", false, "the data is older than what was sent, and this was looked into")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
