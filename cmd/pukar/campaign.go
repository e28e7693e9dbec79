package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) campaignCommands() *cobra.Command {
	return group("campaign", "Campaigns: create, plan, test, launch, schedule, watch, pause, resume, cancel, retry",
		`A campaign is a YAML file: whom, what, by which route, when. Create it as a draft, look at its plan, send its text to
yourself, then launch it. Its people are frozen at the launch: what is imported later does not change a run.`,
		sh.campaignCreate(), sh.campaignUpdate(), sh.campaignPlan(), sh.campaignTest(),
		sh.campaignMove(move{
			verb: "submit", short: "Hand a draft over for approval", done: "is submitted: somebody else approves it with `pukar campaign approve`",
		}),
		sh.campaignMove(move{
			verb: "approve", short: "Approve a campaign that somebody else submitted", done: "is approved and may be launched",
		}),
		sh.campaignLaunch(), sh.campaignRetry(), sh.campaignSchedule(), sh.campaignCalendar(), sh.campaignStatus(), sh.campaignWatch(),
		sh.campaignMove(move{
			verb: "pause", short: "Stop sending until it is resumed", done: "is being paused: what is on the wire is finished first", why: true,
		}),
		sh.campaignResume(),
		sh.campaignMove(move{
			verb: "cancel", short: "Stop sending for good", done: "is being cancelled", why: true,
			warning: "Whoever was not written to yet will not be; this cannot be taken back.",
		}),
		sh.campaignList())
}

func (sh *shell) campaignCreate() *cobra.Command {
	return sh.campaignFile("create", "Keep a campaign file as a draft", (*client.Client).CreateCampaign,
		"is a draft: see `pukar campaign plan %[1]s`, then `pukar campaign launch %[1]s`")
}

func (sh *shell) campaignUpdate() *cobra.Command {
	return sh.campaignFile("update", "Replace a draft by the file with the same name", (*client.Client).UpdateCampaign,
		"is updated: see `pukar campaign plan %[1]s`")
}

func (sh *shell) campaignFile(verb, short string, call func(*client.Client, context.Context, []byte) (api.CampaignStatus, error), done string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: verb + " FILE", Short: short,
		Example: fmt.Sprintf("  pukar campaign %s campaign.yaml", verb),
		Args:    takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := sh.readFile(args[0])
			if err != nil {
				return err
			}
			caller := sh.client()
			defer caller.Close()
			status, err := call(caller, cmd.Context(), source)
			if err != nil {
				return inFile(args[0], err)
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			say(sh.stdout, "%s "+done, status.Name)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) campaignPlan() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "plan NAME", Short: "Say what a launch would do: whom, who is left out and why, parts, price, finish",
		Example: "  pukar campaign plan onorc-bihar",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			plan, err := caller.Plan(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, plan)
			}
			return printPlan(sh.stdout, plan)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// move is a command that moves a campaign to another state.
type move struct {
	verb, short string
	done        string // said after the campaign's name when it worked
	warning     string // not empty: needs --yes or the typed name
	why         bool
}

func (sh *shell) campaignMove(m move) *cobra.Command {
	var why string
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: m.verb + " NAME", Short: m.short,
		Example: fmt.Sprintf("  pukar campaign %s onorc-bihar", m.verb),
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if m.warning != "" {
				if err := sh.confirm(yes, m.warning, "the campaign's name", args[0]); err != nil {
					return err
				}
			}
			caller := sh.client()
			defer caller.Close()
			status, err := caller.Move(cmd.Context(), args[0], m.verb, why)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			say(sh.stdout, "%s %s.", status.Name, m.done)
			return nil
		},
	}
	flags := cmd.Flags()
	if m.why {
		cmd.Example += ` --why "wrong helpline number"`
		flags.StringVar(&why, "why", "", "reason, for the record")
	}
	if m.warning != "" {
		cmd.Example += " --yes"
		flags.BoolVar(&yes, "yes", false, "do not ask")
	}
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) campaignList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the campaigns",
		Example: "  pukar campaign list --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.Campaigns(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			if list.Held != "" {
				say(sh.stdout, "Nothing goes on: %s\n", list.Held)
			}
			if len(list.Campaigns) == 0 {
				say(sh.stdout, "No campaigns: `pukar campaign create FILE` makes one.")
				return nil
			}
			rows := make([][]string, len(list.Campaigns))
			for i, c := range list.Campaigns {
				run := "-"
				if c.Run > 0 {
					run = strconv.Itoa(int(c.Run))
				}
				rows[i] = []string{c.Name, c.State, run, count(c.Recipients), c.UpdatedAt.String(), timeOrDash(c.NextFiring)}
			}
			columns := []column{left("name"), left("state"), right("run"), right("recipients"), left("since"), left("next firing")}
			return printTable(sh.stdout, columns, rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// inFile names the file before a mistake that the server found in it.
func inFile(name string, err error) error {
	if exitCode(err) == exitFailed {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}
