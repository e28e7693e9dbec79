package main

import (
	"errors"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) optOutCommands() *cobra.Command {
	return group("optout", "Those who said stop: add, remove, import, list, check",
		`The one list of those who said stop. Nothing is sent to anybody on it, from the second the stop is recorded.
Keywords and missed calls add to it by themselves.`,
		sh.optOutAdd(), sh.optOutRemove(), sh.optOutImport(), sh.optOutList(), sh.optOutCheck())
}

func (sh *shell) optOutAdd() *cobra.Command {
	var ask api.OptOutRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add NUMBER",
		Short: "Record that somebody said stop",
		Example: `  pukar optout add 9812345678 --evidence "asked by letter of 3 May"
  pukar optout add 9812345678 --scope sms --source complaint`,
		Args: takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.MSISDN = args[0]
			caller := sh.client()
			defer caller.Close()
			added, err := caller.AddOptOut(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, added)
			}
			if added.Added {
				say(sh.stdout, "%s will not be contacted again.", added.MSISDN)
			} else {
				say(sh.stdout, "%s had said so before; nothing changed.", added.MSISDN)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.Scope, "scope", "", "what is stopped: all (default), sms or call")
	flags.StringVar(&ask.Purpose, "purpose", "", "stop this purpose only")
	flags.StringVar(&ask.Source, "source", "", "how it became known: operator (default), agent, complaint, keyword, missed_call, ivr")
	flags.StringVar(&ask.Evidence, "evidence", "", "what proves it")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) optOutRemove() *cobra.Command {
	var ask api.LiftRequest
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "remove NUMBER --why TEXT",
		Short: "End the stops of a number, on evidence of new consent",
		Long: `Ends the stops of a number, so that the person may be contacted again. That needs the person's own new consent: say
in --why how it was given. The ended stops stay on record.`,
		Example: `  pukar optout remove 9812345678 --why "asked to be back, form 118" --yes`,
		Args:    takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ask.Why == "" {
				return usage(errors.New("--why is missing: say how the person consented anew"))
			}
			if err := sh.confirm(yes, "This person will be contacted again.", "the number", args[0]); err != nil {
				return err
			}
			ask.MSISDN = args[0]
			caller := sh.client()
			defer caller.Close()
			lifted, err := caller.RemoveOptOut(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, lifted)
			}
			if lifted.Lifted == 0 {
				say(sh.stdout, "No stop of %s was in force; nothing changed.", lifted.MSISDN)
			} else {
				say(sh.stdout, "%s may be contacted again.", lifted.MSISDN)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.Why, "why", "", "how the person consented anew")
	flags.StringVar(&ask.Scope, "scope", "", "end only stops of this scope: all, sms or call")
	flags.BoolVar(&yes, "yes", false, "do not ask")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) optOutImport() *cobra.Command {
	var scope, purpose, rejects string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Record the stops of a list of numbers",
		Example: `  pukar optout import stopped.csv
  pukar optout import dnd.csv --scope call --purpose "wage survey"`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, closeFile, err := sh.open(args[0])
			if err != nil {
				return err
			}
			defer closeFile()
			refused := &lateFile{path: rejects}
			if rejects == "" {
				refused.path = args[0] + ".rejects.csv"
				if args[0] == "-" {
					refused.path = "stdin.rejects.csv"
				}
			}
			defer refused.close()
			caller := sh.client()
			defer caller.Close()
			result, err := caller.ImportOptOuts(cmd.Context(), file, filepath.Base(args[0]), scope, purpose, refused)
			if err != nil {
				return err
			}
			if err := refused.keep(); err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, result)
			}
			say(sh.stdout, "%s numbers read: %s new, %s stopped before, %s refused.",
				count(result.Read), count(result.Inserted), count(result.Unchanged), count(result.Refused))
			if result.Refused > 0 {
				say(sh.stdout, "The refused rows are in %s with their reasons.", refused.path)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&scope, "scope", "", "what is stopped: all (default), sms or call")
	flags.StringVar(&purpose, "purpose", "", "stop this purpose only")
	flags.StringVar(&rejects, "rejects", "", "where refused rows go (default: FILE.rejects.csv)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) optOutList() *cobra.Command {
	var f client.OptOutFilter
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List stops, newest first",
		Example: "  pukar optout list --source keyword --limit 20\n  pukar optout list --before 4711 --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.OptOuts(cmd.Context(), f)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			if len(list.OptOuts) == 0 {
				say(sh.stdout, "No stops.")
				return nil
			}
			if err := sh.printOptOuts(list.OptOuts); err != nil {
				return err
			}
			if list.Next > 0 {
				say(sh.stdout, "More with --before %d.", list.Next)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Scope, "scope", "", "only this scope: all, sms or call")
	flags.StringVar(&f.Purpose, "purpose", "", "only this purpose")
	flags.StringVar(&f.Source, "source", "", "only this source")
	flags.BoolVar(&f.Lifted, "lifted", false, "also those that ended")
	flags.Int64Var(&f.Before, "before", 0, "only those before this id")
	flags.IntVar(&f.Limit, "limit", 100, "how many, 1000 at most")
	flags.BoolVar(&f.FullNumbers, "numbers", false, "show whole numbers (local administrator only)")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) optOutCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check NUMBER",
		Short:   "Say whether a number may be contacted",
		Example: "  pukar optout check 9812345678",
		Args:    takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			check, err := caller.CheckOptOut(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, check)
			}
			if !check.Suppressed {
				say(sh.stdout, "%s has not said stop.", check.MSISDN)
				return nil
			}
			say(sh.stdout, "%s said stop:", check.MSISDN)
			return sh.printOptOuts(check.OptOuts)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) printOptOuts(list []api.OptOut) error {
	rows := make([][]string, len(list))
	for i, o := range list {
		state := "in force"
		if o.LiftedAt != nil {
			state = "ended " + o.LiftedAt.String() + ": " + o.LiftedWhy
		}
		purpose := o.Purpose
		if purpose == "" {
			purpose = "every"
		}
		rows[i] = []string{strconv.FormatInt(o.ID, 10), o.MSISDN, o.Scope, purpose, o.Source, o.Evidence, o.Actor, o.AddedAt.String(), state}
	}
	return printTable(sh.stdout, []column{
		right("id"), left("number"), left("scope"), left("purpose"), left("source"), left("evidence"), left("by"), left("since"), left("state"),
	}, rows)
}
