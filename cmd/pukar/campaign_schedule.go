package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) campaignSchedule() *cobra.Command {
	var ask api.ScheduleRequest
	var off, asJSON bool
	cmd := &cobra.Command{
		Use: "schedule NAME", Short: "Let a campaign fire by itself, once or again and again",
		Long: `Puts the schedule of a campaign's file in force, or the one that the options give; what they leave out is as in the file. Each
firing freezes the people of that moment into a run of its own, which waits for its window as any run does. A due time that was
missed by more than five minutes, because the server was down, is left out unless --catch-up once. The approval that a launch
needs is needed here too.`,
		Example: `  pukar campaign schedule onorc-bihar                                  # as its file says
  pukar campaign schedule onorc-bihar --at 2026-12-01T10:30
  pukar campaign schedule onorc-bihar --cron "30 10 * * MON" --until 2027-03-31 --catch-up once --overlap queue
  pukar campaign schedule onorc-bihar --off                            # nothing fires any more`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			if off {
				if ask != (api.ScheduleRequest{}) {
					return usage(errors.New("--off takes no other option: leave out the rest"))
				}
				status, err := caller.Unschedule(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(sh.stdout, status)
				}
				say(sh.stdout, "%s fires no more; it is %s.", status.Name, status.State)
				return nil
			}
			if ask.Cron != "" && ask.At != "" {
				return usage(errors.New("--at is for once, --cron for again and again: give one of them"))
			}
			schedule, err := caller.Schedule(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, schedule)
			}
			return printSchedule(sh.stdout, schedule)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.At, "at", "", "fire once, at this time of the zone: 2026-12-01T10:30")
	flags.StringVar(&ask.Cron, "cron", "", "fire again and again: minute, hour, day of month, month, day of week")
	flags.StringVar(&ask.Zone, "zone", "", "time zone of all these times (default that of the file, else Asia/Kolkata)")
	flags.StringVar(&ask.From, "from", "", "first day on which it fires: 2026-12-01")
	flags.StringVar(&ask.Until, "until", "", "last day on which it fires: 2027-03-31")
	flags.StringVar(&ask.CatchUp, "catch-up", "", "what was missed: skip leaves it out, once fires the latest of it (default that of the file, else skip)")
	flags.StringVar(&ask.Overlap, "overlap", "", "while the run before is sending: skip leaves the firing out, queue lets one wait (default as above)")
	flags.BoolVar(&ask.Again, "again", false, "schedule it although it ran before")
	flags.BoolVar(&off, "off", false, "end the schedule; a run that goes on is not touched")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printSchedule writes a schedule that was put in force for people.
func printSchedule(w io.Writer, s api.Schedule) error {
	say(w, "%s is scheduled (%s). As of now it would go to %s, in %s.", s.Name, s.Zone,
		plural(s.Recipients, "person", "people"), plural(s.Parts, "part", "parts"))
	for i, due := range s.Next {
		label := "next"
		if i > 0 {
			label = "then"
		}
		say(w, "  %s  %s", label, due)
	}
	for _, warning := range s.Warnings {
		say(w, "note: %s", warning)
	}
	say(w, "Times are Indian. `pukar campaign calendar %[1]s` shows when it would end, `pukar campaign schedule %[1]s --off` ends it.", s.Name)
	return nil
}
