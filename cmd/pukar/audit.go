package main

import (
	"strconv"

	"github.com/spf13/cobra"
)

func (sh *shell) auditCommands() *cobra.Command {
	return group("audit", "Who changed what, and proof that nothing was altered",
		"Every change is an event with its actor; each event's hash covers the one before.", sh.auditList(), sh.auditVerify())
}

func (sh *shell) auditList() *cobra.Command {
	var before int64
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List changes, newest first", Example: "  pukar audit list --limit 20", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.AuditEvents(cmd.Context(), before, limit)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			rows := make([][]string, len(list.Events))
			for i, e := range list.Events {
				rows[i] = []string{strconv.FormatInt(e.ID, 10), e.At.String(), e.Actor, e.Action, e.Subject, shorten(string(e.After), 80)}
			}
			if err := printTable(sh.stdout, []column{right("id"), left("at"), left("actor"), left("action"), left("subject"), left("after")}, rows); err != nil {
				return err
			}
			if list.Next > 0 {
				say(sh.stdout, "More with --before %d.", list.Next)
			}
			return nil
		},
	}
	cmd.Flags().Int64Var(&before, "before", 0, "only those before this id")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many, 1000 at most")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) auditVerify() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute the chain of hashes and those of the runs' lists",
		Long: `Recomputes the chain of hashes over every event, and the hash of every run's frozen list of people. Note the head that it
prints somewhere else: a later chain that does not contain it was cut off or rewritten. Exit status 1 when a hash is not right.`,
		Example: "  pukar audit verify", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			v, err := caller.VerifyAudit(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				err = printJSON(sh.stdout, v)
			case v.Whole:
				say(sh.stdout, "%s and the lists of %s, every hash is right. Head %s", plural(v.Events, "event", "events"), plural(v.Runs, "run", "runs"), v.Head)
			default:
				if v.Broken > 0 {
					say(sh.stdout, "Event %d is not as it was written: %s", v.Broken, v.Why)
				}
				for _, run := range v.BrokenRuns {
					say(sh.stdout, "The list of people of run id %d is not as it was frozen", run)
				}
			}
			if err == nil && !v.Whole {
				return &quietError{exitFailed}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
