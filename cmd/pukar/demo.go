package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pukar/internal/app"
	"pukar/internal/config"
	"pukar/internal/sample"
	"pukar/report"
	"pukar/smpp/smsc"
	"pukar/web/api"
	"pukar/web/client"
)

// demoCampaign is the name of the demo's campaign.
const demoCampaign = "demo"

// demoSource is the demo's campaign: everybody, at any hour of any day, since nobody is disturbed by it. The simulator
// forgets the receipts that it owes when it stops with the demo: a run that is taken up again must not wait for them long.
const demoSource = `name: demo
purpose: a demonstration with invented people
audience: {all: true}
steps:
  - sms: {template: onorc-intro, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
priority: bulk
receipt_wait: 20s
`

// demoConfig is the demo's whole configuration: the one route leads to the simulator that it starts.
const demoConfig = `# Written anew by every pukar demo.
routes:
  - name: main
    binds:
      - {addr: %q, system_id: demo, password: demo, type: transceiver, window: 500}
    parts_per_second: %g
    inr_per_part: "0.1450"
    simulated: true
    centre: demo
    header: HELPLN
    dlt: {entity_id: "1101172974420810001"}
test_numbers: ["919800000001"]
inbound: [{number: "919811100000"}]
`

// demoSeconds spreads the demo's messages, of three parts each on average, over about 15 seconds, so that there is something
// to watch.
const demoSeconds = 5

// demoFlags are the flags of `demo`.
type demoFlags struct {
	contacts int
	rate     float64
	exit     bool
}

func (sh *shell) demo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a whole campaign against a simulated network, in one process",
		Long: `Runs a whole campaign in one process: invented people are imported and written to over a simulated network, with
receipts, failures and people who answer STOP. It has a home of its own and only the route that it starts, asks nothing,
works at any hour, and keeps serving until Ctrl-C so that you can look around. Again, it launches the campaign anew.`,
		Example: `  pukar demo
  pukar demo --contacts 200000 --rate 0 --exit`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.contacts < 1 || f.contacts > sample.MaxContacts {
				return usage(fmt.Errorf("--contacts %d: from 1 to %d", f.contacts, sample.MaxContacts))
			}
			if !cmd.Flags().Changed("rate") {
				f.rate = max(1000, float64(f.contacts)/demoSeconds)
			}
			if !(f.rate >= 0) {
				return usage(fmt.Errorf("--rate %v: it cannot be negative; 0 is as fast as it goes", f.rate))
			}
			return sh.runDemo(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.contacts, "contacts", 20_000, "how many people to invent")
	flags.Float64Var(&f.rate, "rate", 0, "parts a second over the route, 0 as fast as it goes (default: so that it takes some 15 seconds)")
	flags.BoolVar(&f.exit, "exit", false, "end when the campaign has ended")
	return cmd
}

// demoHome is the demo's own folder, so that it can never meet real people or routes.
func (sh *shell) demoHome() string {
	if sh.home != "" {
		return filepath.Join(sh.home, "demo")
	}
	if os.Getenv("PUKAR_HOME") != "" {
		return filepath.Join(config.Home(), "demo")
	}
	return config.Home() + "-demo"
}

func (sh *shell) runDemo(ctx context.Context, f demoFlags) (err error) {
	home := sh.demoHome()
	if err := os.MkdirAll(home, 0o755); err != nil {
		return fmt.Errorf("home of the demo: %w", err)
	}
	logFile, err := os.OpenFile(filepath.Join(home, "pukar.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of the demo: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	log := slog.New(slog.NewTextHandler(logFile, nil))
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w (the log is %s)", err, logFile.Name())
		}
	}()

	centre := smsc.New(smsc.Options{
		ReceiptDelay: 300 * time.Millisecond, ReceiptDelayJitter: 1200 * time.Millisecond, FailRatio: 0.02, ExpireRatio: 0.005, RefuseRatio: 0.003,
		StopRatio: 0.002, StopDelay: time.Second, StopTexts: []string{"STOP", "बंद करो", "BAND KARO", "বন্ধ করুন", "ବନ୍ଦ"}, ReplyTo: "919811100000", Seed: 1,
	}, log)
	if err := centre.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, centre.Close()) }()

	cfg, err := writeDemoConfig(home, centre.Addr(), f.rate)
	if err != nil {
		return err
	}
	say(sh.stdout, "Starting PostgreSQL, Redis, a message centre simulator and Pukar in %s …", home)
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- app.Run(serving, app.Options{Config: cfg, Log: log, Version: version, Ready: func(*app.App) { close(ready) }})
	}()
	select {
	case err := <-ended:
		return err
	case <-ready:
	}
	caller := client.New(cfg.Socket)
	defer caller.Close()
	if err := sh.showDemo(serving, caller, home, f); err != nil {
		stop()
		if ctx.Err() != nil {
			return <-ended // Ctrl-C is no failure
		}
		return errors.Join(err, <-ended)
	}
	if !f.exit {
		say(sh.stdout, "\nStill serving; Ctrl-C ends it. To look around, in another terminal:")
		say(sh.stdout, "  PUKAR_HOME=%s pukar campaign status %s", home, demoCampaign)
		say(sh.stdout, "  PUKAR_HOME=%s pukar optout list", home)
		say(sh.stdout, "  PUKAR_HOME=%s pukar audience count --scheme onorc", home)
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
	}
	stop()
	return <-ended
}

// writeDemoConfig writes the demo's configuration and reads it, past whatever the environment says.
func writeDemoConfig(home, addr string, rate float64) (*config.Config, error) {
	path := filepath.Join(home, "pukar.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, demoConfig, addr, rate), 0o600); err != nil {
		return nil, fmt.Errorf("configuration of the demo: %w", err)
	}
	return config.Load(path, nil, map[string]any{"home": home})
}

// showDemo runs the campaign from the list of people to the report.
func (sh *shell) showDemo(ctx context.Context, caller *client.Client, home string, f demoFlags) error {
	if err := sh.demoImport(ctx, caller, f.contacts); err != nil {
		return err
	}
	template, err := sample.File("onorc-intro.yaml")
	if err != nil {
		return err
	}
	if _, err := caller.AddTemplate(ctx, template); err != nil {
		return err
	}
	if err := sh.demoLaunch(ctx, caller); err != nil {
		return err
	}
	last, err := sh.watch(ctx, caller, demoCampaign)
	if err != nil {
		return err
	}
	if !last.Ended() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.New("the server ended the watch before the run ended")
	}
	say(sh.stdout, "")
	if err := printStatus(sh.stdout, last); err != nil {
		return err
	}
	reports := filepath.Join(home, "reports")
	if err := os.MkdirAll(reports, 0o700); err != nil {
		return err
	}
	path := filepath.Join(reports, fmt.Sprintf("%s-%d.csv", demoCampaign, last.Run))
	if _, err := sh.writeReport(demoCampaign, path, func(w io.Writer) (report.Manifest, error) {
		return caller.DeliveryReport(ctx, demoCampaign, client.ReportOptions{IncludeExcluded: true}, w)
	}); err != nil {
		return err
	}
	say(sh.stdout, "\nThe delivery report is %s", path)
	return nil
}

// demoImport streams invented people into the register. The same people again change nothing.
func (sh *shell) demoImport(ctx context.Context, caller *client.Client, contacts int) error {
	started := time.Now()
	reader, writer := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		buffered := bufio.NewWriterSize(writer, 1<<18)
		err := sample.WriteContacts(buffered, contacts, 1)
		_ = writer.CloseWithError(errors.Join(err, buffered.Flush()))
	}()
	bar := newProgress(sh.stderr, "import", int64(contacts), nil, false)
	result, err := caller.Import(ctx, reader, client.ImportOptions{
		Source: demoCampaign, FileName: "invented.csv", Invented: true,
		Progress: func(p api.ImportProgress) {
			bar.at(p.Read, importNote(p, started))
		},
	})
	_ = reader.Close()
	<-written
	if err != nil {
		bar.drop()
		return err
	}
	bar.end(fmt.Sprintf("%s rows: %s new, %s refused as real lists have them, %s", count(result.Read), count(result.Inserted),
		count(result.Refused), rate(result.Read, started)))
	return nil
}

// demoLaunch launches the demo's campaign, again when it ran before; a run that an earlier demo left behind goes on.
func (sh *shell) demoLaunch(ctx context.Context, caller *client.Client) error {
	status, err := caller.Status(ctx, demoCampaign)
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Code == api.CodeNotFound {
		status, err = caller.CreateCampaign(ctx, []byte(demoSource))
	}
	if err != nil {
		return err
	}
	if status.Run > 0 && !status.Ended() {
		say(sh.stdout, "Run %d of the demo before goes on.", status.Run)
		if status.State == "paused" || status.State == "pausing" {
			_, err = caller.Move(ctx, demoCampaign, "resume", "")
		}
		return err
	}
	launched, err := caller.Launch(ctx, demoCampaign, api.LaunchRequest{Again: status.Run > 0})
	if err != nil {
		return err
	}
	say(sh.stdout, "Launched: %s, %s left out.", plural(launched.Recipients, "recipient", "recipients"), count(launched.Excluded))
	return nil
}
