package main

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pukar/campaign"
	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) campaignRetry() *cobra.Command {
	var ask api.RetryRequest
	var dryRun, yes, asJSON bool
	cmd := &cobra.Command{
		Use: "retry NAME", Short: "Write again to those of a run whom it did not reach",
		Long: `Writes again to those of a run whom it did not reach, in a run of its own: with the words and values that were frozen
then, within the campaign's window. Each person counts with her newest attempt, in the run or in one of its retries, so
that retrying twice never writes again to somebody who was reached or is awaited. Who said stop since, withdrew her
consent or has reached the campaign's cap is left out. On a terminal it shows the numbers first and asks for that of the
recipients; elsewhere, and with --yes, it just begins.`,
		Example: `  pukar campaign retry onorc-bihar --failed --expired --dry-run    # how many, and who would be left out
  pukar campaign retry onorc-bihar --failed --expired
  pukar campaign retry onorc-bihar --unknown                       # who may get it twice
  pukar campaign retry onorc-bihar --no-receipt --run 1            # of an older run`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ask.States = retryStates(cmd.Flags()); len(ask.States) == 0 {
				return usage(errors.New("say whom to write to again: one or more of --failed, --rejected, --expired, --unknown, --no-receipt"))
			}
			caller := sh.client()
			defer caller.Close()
			if dryRun || !yes && !asJSON && terminal(sh.stdin) && terminal(sh.stdout) {
				plan, err := sh.showRetry(cmd, caller, args[0], ask, asJSON)
				if err != nil || dryRun {
					return err
				}
				say(sh.stderr, "")
				if err := sh.ask("the number of recipients", strconv.FormatInt(plan.Recipients, 10)); err != nil {
					return err
				}
				if ask.Expected == 0 {
					ask.Expected = plan.Recipients
				}
			}
			status, err := caller.Retry(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			say(sh.stdout, "%s runs again: %s in run %s, %s left out.", status.Name,
				plural(status.Recipients, "recipient", "recipients"), runText(status.Run, status.RetryOf), count(status.Excluded))
			if status.WaitingUntil != nil {
				say(sh.stdout, "It waits for its window until %s.", status.WaitingUntil)
			}
			say(sh.stdout, "`pukar campaign watch %s` shows how it goes.", status.Name)
			return nil
		},
	}
	flags := cmd.Flags()
	for _, state := range campaign.RetryStates() {
		flags.Bool(retryFlag(state), false, retryHelp[state])
	}
	flags.Int32Var(&ask.Run, "run", 0, "number of an older run whose people are tried again (default: the newest that is no retry)")
	flags.Int64Var(&ask.Expected, "expect", 0, "refuse unless this many would be written to")
	flags.BoolVar(&dryRun, "dry-run", false, "only say how many, and who would be left out and why")
	flags.BoolVar(&yes, "yes", false, "do not show the numbers and do not ask")
	flags.BoolVar(&asJSON, "json", false, "print JSON; does not ask")
	return cmd
}

var retryHelp = map[campaign.State]string{
	campaign.Failed:    "those of whom a receipt said that it never arrived",
	campaign.Rejected:  "those whose message the centre refused for good",
	campaign.Expired:   "those whose message ran out of its validity, such as behind a phone that was off",
	campaign.Unknown:   "those of whom it is not known whether the message left: they may get it twice",
	campaign.NoReceipt: "those of whom no receipt came in time: they may get it twice",
}

func retryFlag(state campaign.State) string { return strings.ReplaceAll(state.String(), "_", "-") }

// retryStates lists the states whose flags were given.
func retryStates(flags *pflag.FlagSet) []string {
	var states []string
	for _, state := range campaign.RetryStates() {
		if on, err := flags.GetBool(retryFlag(state)); err == nil && on {
			states = append(states, state.String())
		}
	}
	return states
}

// showRetry prints what a retry would do.
func (sh *shell) showRetry(cmd *cobra.Command, caller *client.Client, name string, ask api.RetryRequest, asJSON bool) (api.RetryPlan, error) {
	plan, err := caller.PlanRetry(cmd.Context(), name, ask)
	if err != nil {
		return plan, err
	}
	if asJSON {
		return plan, printJSON(sh.stdout, plan)
	}
	return plan, printRetryPlan(sh.stdout, plan)
}

// printRetryPlan writes what a retry would do for people.
func printRetryPlan(w io.Writer, p api.RetryPlan) error {
	if err := pairs(w, [2]string{"retry of", "run " + strconv.Itoa(int(p.RetryOf))}); err != nil {
		return err
	}
	rows := make([][]string, len(p.ByOutcome))
	for i, r := range p.ByOutcome {
		rows[i] = []string{strings.ReplaceAll(r.Name, "_", " "), count(r.Count)}
	}
	if err := printTable(w, []column{left("newest attempt"), right("people")}, rows); err != nil {
		return err
	}
	say(w, "")
	return printPlan(w, p.Plan)
}
