package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"pukar/smpp/smsc"
)

func (sh *shell) simulateCommands() *cobra.Command {
	return group("simulate", "Simulators: a message centre to practise with",
		"Simulators of what lies outside, for training, rehearsals and tests. Nothing that they accept reaches a handset.", sh.simulateSMSC())
}

// smscFlags are the flags of `simulate smsc` that are not options of the centre as they stand.
type smscFlags struct {
	accounts []string
	record   string
	stats    string
	every    time.Duration
}

func (sh *shell) simulateSMSC() *cobra.Command {
	opts := smsc.Options{Addr: "127.0.0.1:2775"}
	var f smscFlags
	cmd := &cobra.Command{
		Use: "smsc", Short: "Run a message centre simulator: a real SMPP server that can misbehave",
		Long: `Runs a message centre: a real SMPP 3.4 server that answers submits, sends delivery receipts, and can be told to delay,
throttle, refuse, stay silent or cut the line. It counts what it gets; --stats serves the counts as JSON at /stats, and
POST /mo {"from", "to", "text"} has a handset send a message.`,
		Example: `  pukar simulate smsc
  pukar simulate smsc --addr :2775 --account foo=bar --throttle-above 200 --fail 0.05
  pukar simulate smsc --receipt-delay 2s --id-form hex-decimal --record submits.csv --stats 127.0.0.1:2780`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.runSMSC(cmd.Context(), opts, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Addr, "addr", opts.Addr, "address to listen at")
	flags.StringArrayVar(&f.accounts, "account", nil, "system_id=password that may bind; may be given often (default: anybody)")
	flags.StringVar(&f.record, "record", "", "write a CSV line for each submit to this file")
	flags.StringVar(&f.stats, "stats", "", "serve counts and /mo over HTTP at this address")
	flags.DurationVar(&f.every, "every", 5*time.Second, "how often to print the counts when they changed; 0 never")
	smscShape(flags, &opts)
	smscTrouble(flags, &opts)
	return cmd
}

// smscShape adds the flags for how a centre behaves when all is well.
func smscShape(flags *pflag.FlagSet, o *smsc.Options) {
	flags.StringVar(&o.IDForm, "id-form", "", "form of message ids: decimal (default), hex, hex-decimal, decimal-hex, padded-hex, uuid")
	flags.StringVar(&o.ReceiptForm, "receipt-form", "", "form of receipts: both (default), text, tlv")
	flags.DurationVar(&o.ReceiptDelay, "receipt-delay", 0, "time from a submit to its receipt")
	flags.DurationVar(&o.ReceiptDelayJitter, "receipt-jitter", 0, "up to this much more")
	flags.DurationVar(&o.ResponseDelay, "response-delay", 0, "hold responses back")
	flags.Float64Var(&o.DeliverRatio, "deliver", 0, "share of messages that are delivered (default: what the others leave)")
	flags.Float64Var(&o.FailRatio, "fail", 0, "share that fails")
	flags.Float64Var(&o.ExpireRatio, "expire", 0, "share that expires")
	flags.Uint64Var(&o.Seed, "seed", 0, "varies which messages meet which fate")
	flags.IntVar(&o.Window, "window", 0, "most unanswered submits on a connection; above it throttled; 0 no limit")
	flags.IntVar(&o.MaxBinds, "max-binds", 0, "most binds of one account; 0 no limit")
	flags.BoolVar(&o.RequireDLT, "require-dlt", false, "refuse submits without the registration's parameters")
	flags.Float64Var(&o.StopRatio, "stop", 0, "share of handsets that answer a message with STOP")
	flags.DurationVar(&o.StopDelay, "stop-delay", 0, "how long after the delivery")
	flags.StringSliceVar(&o.StopTexts, "stop-text", nil, "words that they answer with")
	flags.StringVar(&o.ReplyTo, "reply-to", "", "number that they answer to (default: where the message came from)")
}

// smscTrouble adds the flags for what can go wrong.
func smscTrouble(flags *pflag.FlagSet, o *smsc.Options) {
	flags.Float64Var(&o.ThrottleAbove, "throttle-above", 0, "most parts a second from one account; above it throttled; 0 no limit")
	flags.Float64Var(&o.ThrottleRatio, "throttle", 0, "share of submits that is throttled")
	flags.Float64Var(&o.RefuseRatio, "refuse", 0, "share of messages that is refused for good")
	flags.Float64Var(&o.SilentRatio, "silent", 0, "share of messages that is accepted and never answered")
	flags.IntVar(&o.DropBeforeResponse, "drop-before-response", 0, "cut the line at the n-th submit, before its answer")
	flags.IntVar(&o.DropAfterResponse, "drop-after-response", 0, "cut the line at the n-th submit, after its answer")
	flags.BoolVar(&o.DropRepeat, "drop-repeat", false, "at every n-th, not once")
	flags.BoolVar(&o.ReceiptBeforeResponse, "receipt-before-response", false, "send receipts before responses")
	flags.BoolVar(&o.DuplicateReceipts, "duplicate-receipts", false, "send every receipt twice")
	flags.BoolVar(&o.CollidingSequence, "colliding-sequence", false, "number deliveries like unanswered submits")
}

func (sh *shell) runSMSC(ctx context.Context, opts smsc.Options, f smscFlags) error {
	for _, account := range f.accounts {
		id, password, found := strings.Cut(account, "=")
		if !found || id == "" {
			return usage(fmt.Errorf("--account %q: write system_id=password", account))
		}
		if opts.Credentials == nil {
			opts.Credentials = map[string]string{}
		}
		opts.Credentials[id] = password
	}
	if f.record != "" {
		file, err := os.Create(f.record)
		if err != nil {
			return tidyPath(err)
		}
		defer func() { _ = file.Close() }()
		opts.Record = file
	}
	centre := smsc.New(opts, sh.logger(slog.LevelWarn))
	if err := centre.Start(); err != nil {
		return err
	}
	say(sh.stdout, "message centre at %s", centre.Addr())
	work, ctx := errgroup.WithContext(ctx)
	if f.stats != "" {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.stats)
		if err != nil {
			return errors.Join(fmt.Errorf("--stats: %w", err), centre.Close())
		}
		say(sh.stdout, "counts at http://%s/stats", listener.Addr())
		work.Go(func() error { return serveStats(ctx, listener, centre.StatsHandler()) })
	}
	work.Go(func() error {
		sh.printCounts(ctx, centre, f.every)
		return nil
	})
	err := work.Wait()
	closed := centre.Close()
	sh.printCount(centre.Stats())
	return errors.Join(err, closed)
}

// serveStats answers over HTTP until the context ends.
func serveStats(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve counts: %w", err)
	}
	return nil
}

// printCounts prints a line whenever the counts have changed.
func (sh *shell) printCounts(ctx context.Context, centre *smsc.Centre, every time.Duration) {
	if every <= 0 {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last smsc.Stats
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := centre.Stats()
			if now.Submits != last.Submits || now.Binds != last.Binds || now.ReceiptsAcked != last.ReceiptsAcked {
				sh.printCount(now)
			}
			last = now
		}
	}
}

func (sh *shell) printCount(s smsc.Stats) {
	say(sh.stdout, "%s: %s submits (%s/s), %s accepted, %s refused, %s throttled, %s duplicates, %s receipts acknowledged",
		plural(int64(s.Binds), "bind", "binds"), count(s.Submits), count(s.PartsPerSecond), count(s.Accepted), count(s.Refused),
		count(s.Throttled), count(s.Duplicates), count(s.ReceiptsAcked))
}

// logger writes for operators to the standard error.
func (sh *shell) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(sh.stderr, &slog.HandlerOptions{Level: level}))
}
