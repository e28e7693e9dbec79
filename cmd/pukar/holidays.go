package main

import (
	"time"

	"github.com/spf13/cobra"
)

func (sh *shell) holidays() *cobra.Command {
	var (
		year     int
		calendar string
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use: "holidays", Short: "Holidays that windows can keep",
		Long: `Lists the holidays that a campaign's window keeps with "holidays: national" or "holidays: [national, BR]": national is the list of the
central government, BR that of Bihar, and so on; a state's list has the three national days and its own, and no others.

In a year for which a calendar is not known, a window that keeps it stays closed. An installation adds and corrects calendars
in holidays/YEAR.yaml in PUKAR_HOME, which is read at the start:

  year: 2027
  calendars:
    BR:
      source: "Gazette of 1 December 2026"
      complete: true
      days:
        - {date: 2027-03-11, name: Id-ul-Fitr}
        - {date: 2027-03-10, remove: true}`,
		Example: "  pukar holidays --calendar national\n  pukar holidays --year 2027 --calendar BR --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.Holidays(cmd.Context(), year, calendar)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			var rows [][]string
			for _, h := range list.Holidays {
				weekday, mark := "", ""
				if day, err := time.Parse(time.DateOnly, h.Date); err == nil {
					weekday = day.Format("Mon")
				}
				if !h.Certain {
					mark = "may move"
				}
				rows = append(rows, []string{h.Date, weekday, h.Calendar, h.Name, mark})
			}
			if err := printTable(sh.stdout, []column{left("date"), left("day"), left("calendar"), left("holiday"), left("note")}, rows); err != nil {
				return err
			}
			for _, c := range list.Calendars {
				if calendar != "" {
					say(sh.stdout, "\nsource: %s", c.Source)
				}
				if !c.Complete {
					say(sh.stdout, "note: %s %d is not complete: %s", c.Calendar, list.Year, c.Note)
				}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&year, "year", 0, "the year, such as 2027 (default the present one)")
	cmd.Flags().StringVar(&calendar, "calendar", "", "national, or the abbreviation of a state (default all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
