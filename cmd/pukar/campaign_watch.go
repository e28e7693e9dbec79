package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) campaignStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status NAME", Short: "Say where a campaign stands",
		Example: "  pukar campaign status onorc-bihar --json",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			status, err := caller.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			return printStatus(sh.stdout, status)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: state, run, totals and more")
	return cmd
}

func (sh *shell) campaignWatch() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "watch NAME", Short: "Show how a run goes, until it ends",
		Example: "  pukar campaign watch onorc-bihar\n  pukar campaign watch onorc-bihar --json",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			if asJSON {
				err := caller.Watch(cmd.Context(), args[0], func(s api.CampaignStatus) error { return printLine(sh.stdout, s) })
				return unlessStopped(cmd.Context(), err)
			}
			last, err := sh.watch(cmd.Context(), caller, args[0])
			if err != nil {
				return unlessStopped(cmd.Context(), err)
			}
			return printStatus(sh.stdout, last)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one status to a line")
	return cmd
}

// unlessStopped takes the end of a watch by Ctrl-C for what it is.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}

// watch shows a run until it ends and gives its last status.
func (sh *shell) watch(ctx context.Context, caller *client.Client, name string) (api.CampaignStatus, error) {
	var last api.CampaignStatus
	var bar *progress
	var why string // the run does not go on, as told last
	err := caller.Watch(ctx, name, func(s api.CampaignStatus) error {
		last = s
		if bar == nil || bar.total != s.Recipients {
			if bar != nil {
				bar.drop()
			}
			bar = newProgress(sh.stderr, s.Name, s.Recipients, nil, false)
		}
		if s.Why != why {
			if why = s.Why; why != "" {
				bar.tell(s.State + ": " + why)
			}
		}
		bar.at(s.Recipients-s.Totals.Pending-s.Totals.Sent, watchNote(s))
		return nil
	})
	if bar != nil {
		switch {
		case err != nil:
			bar.drop()
		case last.State == "done":
			bar.end(watchNote(last))
		default:
			bar.stop(watchNote(last))
		}
	}
	return last, err
}

// watchNote says in a line how a run goes.
func watchNote(s api.CampaignStatus) string {
	if s.Run == 0 {
		return s.State
	}
	note := fmt.Sprintf("%s: %s of %s, %s", s.State, count(s.Recipients-s.Totals.Pending), count(s.Recipients), brief(s.Totals))
	if s.RatePerSecond >= 1 && s.State == "running" { // the mean of the last seconds outlasts a pause
		note += fmt.Sprintf(", %s/s", count(int64(s.RatePerSecond)))
	}
	if s.WaitingUntil != nil {
		note += ", waits until " + s.WaitingUntil.String()
	}
	return note
}

// brief names the totals that are not zero.
func brief(t api.Totals) string {
	var parts []string
	for _, row := range totalsRows(t) {
		if row.n > 0 && row.name != "pending" {
			parts = append(parts, count(row.n)+" "+strings.ReplaceAll(row.name, "_", " "))
		}
	}
	if len(parts) == 0 {
		return "nothing sent yet"
	}
	return strings.Join(parts, ", ")
}

type totalsRow struct {
	name string
	n    int64
}

// totalsRows gives the totals in the order of a message's life.
func totalsRows(t api.Totals) []totalsRow {
	return []totalsRow{
		{"pending", t.Pending}, {"sent", t.Sent}, {"delivered", t.Delivered}, {"failed", t.Failed}, {"expired", t.Expired},
		{"rejected", t.Rejected}, {"no_receipt", t.NoReceipt}, {"unknown", t.Unknown}, {"suppressed", t.Suppressed}, {"skipped", t.Skipped},
	}
}

// printStatus writes a status for people.
func printStatus(w io.Writer, s api.CampaignStatus) error {
	state := s.State
	if s.Why != "" {
		state += ": " + s.Why
	}
	facts := [][2]string{{"campaign", s.Name}, {"state", state}}
	if s.Held != "" && s.Held != s.Why {
		facts = append(facts, [2]string{"nothing goes on", s.Held})
	}
	if s.Run > 0 {
		facts = append(facts, [2]string{"run", runText(s.Run, s.RetryOf)}, [2]string{"recipients", count(s.Recipients)}, [2]string{"left out", count(s.Excluded)})
		for _, row := range totalsRows(s.Totals) {
			if row.n > 0 {
				facts = append(facts, [2]string{"  " + strings.ReplaceAll(row.name, "_", " "), count(row.n)})
			}
		}
	}
	if s.BudgetINR != "" {
		facts = append(facts, [2]string{"budget", rupees(s.BudgetINR) + ", " + rupees(s.SpentINR) + " spent"})
	}
	if s.WaitingUntil != nil {
		facts = append(facts, [2]string{"waits until", s.WaitingUntil.String()})
	}
	if s.StartedAt != nil {
		facts = append(facts, [2]string{"started", s.StartedAt.String()})
	}
	if s.FinishedAt != nil {
		facts = append(facts, [2]string{"finished", s.FinishedAt.String()})
	}
	if s.NextFiring != nil {
		facts = append(facts, [2]string{"next firing", s.NextFiring.String()})
	}
	if f := s.LastFiring; f != nil {
		last := dueTimes(*f) + " " + firingState(*f)
		if f.Reason != "" {
			last += ": " + f.Reason
		}
		facts = append(facts, [2]string{"last firing", last})
	}
	return pairs(w, facts...)
}

// runText names a run, and the one that it is a retry of.
func runText[N int | int32](run, retryOf N) string {
	if retryOf > 0 {
		return fmt.Sprintf("%d, retry of run %d", run, retryOf)
	}
	return fmt.Sprint(run)
}
