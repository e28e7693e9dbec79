package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) campaignLaunch() *cobra.Command {
	var ask api.LaunchRequest
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: "launch NAME", Short: "Freeze a campaign's people and start to write to them",
		Long: `Freezes a campaign's people and starts to write to them, within its window. On a terminal it shows the plan first and
asks for the number of recipients; elsewhere, and with --yes, it just launches.`,
		Example: `  pukar campaign launch onorc-bihar
  pukar campaign launch onorc-bihar --expect 18240       # refuse if the number has changed meanwhile
  pukar campaign launch onorc-bihar --again              # although it ran before`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			name := args[0]
			if !yes && !asJSON && terminal(sh.stdin) && terminal(sh.stdout) {
				plan, err := caller.Plan(cmd.Context(), name)
				if err != nil {
					return err
				}
				if err := printPlan(sh.stdout, plan); err != nil {
					return err
				}
				if plan.Recipients == 0 {
					return errors.New("nobody would be written to: nothing was launched")
				}
				say(sh.stderr, "")
				if err := sh.ask("the number of recipients", strconv.FormatInt(plan.Recipients, 10)); err != nil {
					return err
				}
				if ask.Expected == 0 {
					ask.Expected = plan.Recipients
				}
			}
			status, err := caller.Launch(cmd.Context(), name, ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			say(sh.stdout, "%s runs: %s in run %d, %s left out.", status.Name,
				plural(status.Recipients, "recipient", "recipients"), status.Run, count(status.Excluded))
			if status.WaitingUntil != nil {
				say(sh.stdout, "It waits for its window until %s.", status.WaitingUntil)
			}
			say(sh.stdout, "`pukar campaign watch %s` shows how it goes.", status.Name)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&ask.Again, "again", false, "launch it although it ran before")
	flags.Int64Var(&ask.Expected, "expect", 0, "refuse unless this many would be written to")
	flags.BoolVar(&yes, "yes", false, "do not show the plan and do not ask")
	flags.BoolVar(&asJSON, "json", false, "print JSON; does not ask")
	return cmd
}
