package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) campaignCalendar() *cobra.Command {
	var days int
	var past, asJSON bool
	cmd := &cobra.Command{
		Use: "calendar [NAME]", Short: "Show what will fire, and when it would end",
		Long: `Shows the coming firings of one campaign, or of all that are scheduled, in Indian time: when each is due, when its window is open
first, and when it would end, by the parts of its last plan.`,
		Example: "  pukar campaign calendar --days 30\n  pukar campaign calendar onorc-bihar --past --json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return takes("NAME")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			calendar, err := caller.Calendar(cmd.Context(), strings.Join(args, ""), days, past)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, calendar)
			}
			return printCalendar(sh.stdout, calendar, days)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&days, "days", 14, "how many days ahead, and back with --past; at most 366")
	flags.BoolVar(&past, "past", false, "also show what fired, or did not and why")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printCalendar writes a calendar for people.
func printCalendar(w io.Writer, c api.Calendar, days int) error {
	if len(c.Past) > 0 {
		rows := make([][]string, len(c.Past))
		for i, f := range c.Past {
			rows[i] = []string{dueTimes(f), f.Campaign, firingState(f), f.Reason}
		}
		if err := printTable(w, []column{left("was due"), left("campaign"), left("what became of it"), left("why")}, rows); err != nil {
			return err
		}
		say(w, "")
	}
	if len(c.Coming) == 0 {
		say(w, "Nothing fires within %s: `pukar campaign schedule NAME` schedules a campaign.", plural(int64(days), "day", "days"))
		return nil
	}
	rows, noted := make([][]string, len(c.Coming)), false
	for i, f := range c.Coming {
		note := f.Note
		if f.Queued {
			note = strings.TrimSuffix("waits for the run before it; "+note, "; ")
		}
		noted = noted || note != ""
		rows[i] = []string{f.DueAt.String(), f.Campaign, timeOrDash(f.StartsAt), timeOrDash(f.FinishesAt), count(f.Recipients), count(f.Parts), note}
	}
	columns := []column{left("due"), left("campaign"), left("window open"), left("would end"), right("recipients"), right("parts"), left("note")}
	if !noted {
		columns = columns[:len(columns)-1]
		for i := range rows {
			rows[i] = rows[i][:len(columns)]
		}
	}
	if err := printTable(w, columns, rows); err != nil {
		return err
	}
	if c.More {
		say(w, "There is more: ask for fewer --days, or for one campaign.")
	}
	return nil
}

// dueTimes tells the due time of a firing, or the first and last of those that it stands for.
func dueTimes(f api.Firing) string {
	if f.LastDueAt == nil {
		return f.DueAt.String()
	}
	return fmt.Sprintf("%s to %s", f.DueAt, f.LastDueAt)
}

// countedFirings is up to where the server counts missed due times.
const countedFirings = 10_000

// firingState tells what became of a firing.
func firingState(f api.Firing) string {
	switch {
	case f.Run > 0:
		return fmt.Sprintf("%s: run %d", f.State, f.Run)
	case f.Times >= countedFirings:
		return fmt.Sprintf("%s, %s times or more", f.State, count(int64(f.Times)))
	case f.Times > 1:
		return fmt.Sprintf("%s, %s times", f.State, count(int64(f.Times)))
	}
	return f.State
}

func timeOrDash(t *api.Time) string {
	if t == nil {
		return "-"
	}
	return t.String()
}
