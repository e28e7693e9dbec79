package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pukar/report"
	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) messageCommands() *cobra.Command {
	return group("message", "Single messages, ahead of campaigns: send, status",
		`One message to one number, because something happened: a grievance moved on, a payment was made. It goes by a
template, on the urgent queue, within the law's hours only, and never to somebody who said stop. Other systems
post them to /v1/messages.`,
		sh.messageSend(), sh.messageStatus())
}

func (sh *shell) messageSend() *cobra.Command {
	var ask api.MessageRequest
	var values []string
	var wait time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use: "send --template T --route R --to NUMBER --purpose P --key K", Short: "Send one message to one number",
		Long: `Sends one message to one number. The key is your own: the same command again sends nothing more and says the same, so
that it can be repeated whenever it is not clear whether it worked. The same key for another message is a conflict (exit 4), and so is a
person who may not be written to: who said stop or has no consent, a minor, an invented person on a real route.`,
		Example: `  pukar message send --template grievance-moved --route main --to 9812345678 --purpose grievances \
      --key grievance-4711-closed --var name="Asha Devi" --var source_id=4711
  pukar message send --template grievance-moved --route main --to 9812345678 --purpose grievances --key g-4712 --wait 20s --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, flag := range []struct{ name, value string }{
				{"--template", ask.Template}, {"--route", ask.Route}, {"--to", ask.To}, {"--purpose", ask.Purpose}, {"--key", ask.Key},
			} {
				if flag.value == "" {
					return usage(fmt.Errorf("%s is missing", flag.name))
				}
			}
			if wait < 0 {
				return usage(fmt.Errorf("--wait %s: give a time such as 20s", wait))
			}
			var err error
			if ask.Variables, err = variables(values); err != nil {
				return usage(err)
			}
			caller := sh.client()
			defer caller.Close()
			accepted, err := caller.SendMessage(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if wait > 0 {
				m, err := awaitMessage(cmd.Context(), caller, ask.Key, wait)
				if err != nil {
					return err
				}
				return sh.showMessage(m, asJSON)
			}
			if asJSON {
				return printJSON(sh.stdout, accepted)
			}
			verb := "taken in"
			if accepted.Repeated {
				verb = "known already, nothing was done"
			}
			say(sh.stdout, "Message %d (%s): %s; %s, %s.", accepted.ID, accepted.Key, verb, plural(int64(accepted.Parts), "part", "parts"), rupees(accepted.CostINR))
			if accepted.WaitingUntil != nil {
				say(sh.stdout, "It waits until %s: messages of this kind may not be sent before.", accepted.WaitingUntil)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.Template, "template", "", "name of the template")
	flags.StringVar(&ask.Route, "route", "", "name of the route")
	flags.StringVar(&ask.To, "to", "", "the mobile number")
	flags.StringVar(&ask.Purpose, "purpose", "", "what people are contacted for; who said stop to it gets nothing")
	flags.StringVar(&ask.Key, "key", "", "your own key of this message: the same one again sends nothing more")
	flags.StringArrayVar(&values, "var", nil, "name=value of a variable of the template; may be given several times")
	flags.StringVar(&ask.Language, "language", "", "in which language (default: the person's, else the template's fallback)")
	flags.StringVar(&ask.ValidFor, "valid-for", "", "how long it may try to leave, 1m to 72h (default 24h)")
	flags.DurationVar(&wait, "wait", 0, "how long to wait for what becomes of it")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// variables reads name=value.
func variables(given []string) (map[string]string, error) {
	values := make(map[string]string, len(given))
	for _, v := range given {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--var %q: write name=value", v)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("--var %s is given twice", name)
		}
		values[name] = value
	}
	return values, nil
}

// awaitMessage waits until the state of a message is certain or it waits for its hours, and no longer than told.
func awaitMessage(ctx context.Context, caller *client.Client, key string, wait time.Duration) (api.Message, error) {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		m, err := caller.Message(ctx, key)
		if err != nil || m.Ended() || m.WaitingUntil != nil {
			return m, err
		}
		select {
		case <-ctx.Done():
			return m, context.Cause(ctx)
		case <-limit.C:
			return m, nil
		case <-look.C:
		}
	}
}

func (sh *shell) messageStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status KEY", Short: "Say what became of a message",
		Example: "  pukar message status grievance-4711-closed\n  pukar message status grievance-4711-closed --json",
		Args:    takes("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			m, err := caller.Message(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return sh.showMessage(m, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) showMessage(m api.Message, asJSON bool) error {
	if asJSON {
		return printJSON(sh.stdout, m)
	}
	when := func(t *api.Time) string {
		if t == nil {
			return ""
		}
		return t.String()
	}
	return pairs(sh.stdout,
		[2]string{"message", fmt.Sprintf("%d, key %s", m.ID, m.Key)},
		[2]string{"state", m.State},
		[2]string{"why", m.Why},
		[2]string{"error", m.Error},
		[2]string{"to", m.To + ", in " + m.Language},
		[2]string{"template", fmt.Sprintf("%s, version %d", m.Template, m.TemplateVersion)},
		[2]string{"route", m.Route},
		[2]string{"purpose", m.Purpose},
		[2]string{"parts", fmt.Sprintf("%d, %s", m.Parts, rupees(m.CostINR))},
		[2]string{"posted", when(m.PostedAt) + " by " + m.Actor},
		[2]string{"waits until", when(m.WaitingUntil)},
		[2]string{"valid until", when(m.ValidUntil)},
		[2]string{"submitted", when(m.SubmittedAt)},
		[2]string{"accepted", when(m.AcceptedAt)},
		[2]string{"final", when(m.FinalAt)},
		[2]string{"centre's ids", strings.Join(m.MessageIDs, " ")},
		[2]string{"receipt", strings.TrimSpace(m.ReceiptStatus + " " + m.ReceiptError)},
	)
}

func (sh *shell) reportMessages() *cobra.Command {
	var opt client.MessageReportOptions
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "messages", Short: "Write the delivery report of single messages: a CSV line for each",
		Long: `Writes the delivery report of single messages as CSV, in order of time: the columns of report delivery, with the
message's number for the run, and its key as a last column. With -o the file comes to its place whole or not at all, with its
manifest beside it.`,
		Example: `  pukar report messages --from 2026-11-01 --to 2026-11-30 -o november.csv
  pukar report messages --masked | head`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			if file == "" || file == "-" {
				if asJSON {
					return usage(errors.New("--json prints the manifest: give -o FILE for the report"))
				}
				_, err := caller.MessagesReport(cmd.Context(), opt, sh.stdout)
				return err
			}
			manifest, err := sh.writeReport("messages", file, func(w io.Writer) (report.Manifest, error) {
				return caller.MessagesReport(cmd.Context(), opt, w)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, manifest)
			}
			say(sh.stdout, "%s: %s as of %s; manifest in %s%s.", file, plural(manifest.Rows, "line", "lines"), api.At(manifest.AsOf), file, report.ManifestSuffix)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opt.From, "from", "", "first day, as 2026-11-30 in Indian time")
	flags.StringVar(&opt.To, "to", "", "last day, inclusive")
	flags.BoolVar(&opt.Masked, "masked", false, "hide the middle of phone numbers")
	flags.StringVarP(&file, "output", "o", "", "file to write")
	flags.BoolVar(&asJSON, "json", false, "print the manifest as JSON; needs -o")
	return cmd
}
