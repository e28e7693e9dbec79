package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) campaignTest() *cobra.Command {
	var ask api.TestRequest
	var wait time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test NAME --to NUMBER", Short: "Send the real text by the real route to one listed test number",
		Long: `Sends a campaign's real text by its real route to one number of test_numbers in the configuration, and waits a moment
for what becomes of it. The test is recorded apart from the campaign's runs. One that could not leave within
ten minutes, because the route is down or the window closed, is cancelled by itself.`,
		Example: `  pukar campaign test onorc-bihar --to 9800000001
  pukar campaign test onorc-bihar --to 9800000001 --language bn --wait 0`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ask.MSISDN == "" {
				return usage(errors.New("--to is missing: name a number of test_numbers in the configuration"))
			}
			caller := sh.client()
			defer caller.Close()
			status, err := caller.TestCampaign(cmd.Context(), args[0], ask)
			if err != nil {
				return err
			}
			if status, err = awaitTest(cmd.Context(), caller, status, wait); err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, status)
			}
			switch {
			case status.WaitingUntil != nil:
				say(sh.stdout, "Test %d of %s waits until %s: messages of this kind may not be sent now.", status.Run, status.Name, status.WaitingUntil)
			case status.Totals.Pending > 0 && status.Why != "":
				say(sh.stdout, "Test %d of %s has not left: %s", status.Run, status.Name, status.Why)
			default:
				say(sh.stdout, "Test %d of %s: %s.", status.Run, status.Name, brief(status.Totals))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.MSISDN, "to", "", "the test number")
	flags.StringVar(&ask.Language, "language", "", "in which language (default: the person's, else the template's fallback)")
	flags.DurationVar(&wait, "wait", 20*time.Second, "how long to wait for what becomes of it")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// awaitTest waits until a test's outcome is certain or it waits for its window, and no longer than told.
func awaitTest(ctx context.Context, caller *client.Client, status api.CampaignStatus, wait time.Duration) (api.CampaignStatus, error) {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for status.WaitingUntil == nil && status.Totals.Pending+status.Totals.Sent > 0 && !status.Ended() {
		select {
		case <-ctx.Done():
			return status, context.Cause(ctx)
		case <-limit.C:
			return status, nil
		case <-look.C:
		}
		var err error
		if status, err = caller.RunStatus(ctx, status.Name, "test", status.Run); err != nil {
			return status, err
		}
	}
	return status, nil
}
