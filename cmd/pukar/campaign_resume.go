package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func (sh *shell) campaignResume() *cobra.Command {
	var budget string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "resume NAME", Short: "Go on where a pause stopped",
		Example: "  pukar campaign resume onorc-bihar\n  pukar campaign resume onorc-bihar --budget-inr 300000     # the whole new budget",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if budget == "" && cmd.Flags().Changed("budget-inr") {
				return usage(errors.New("--budget-inr is empty: give the whole new budget, such as 300000"))
			}
			caller := sh.client()
			defer caller.Close()
			status, err := caller.Resume(cmd.Context(), args[0], budget)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			say(sh.stdout, "%s goes on.", status.Name)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&budget, "budget-inr", "", "raise the budget of the campaign to so many rupees first")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
