package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// options are what the command line says.
type options struct {
	sizes   []int
	message string
	window  int
	binary  string
	dir     string
	results string
	profile string
	limit   time.Duration
	keep    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.SortFlags = false
	flags.IntSliceVar(&o.sizes, "sizes", []int{10_000, 100_000}, "how many people to write to, one run for each")
	flags.StringVar(&o.message, "message", "short", "short: one part of GSM 7-bit; hindi: three parts of UCS-2")
	flags.IntVar(&o.window, "window", 500, "submits that may await their response at once")
	flags.DurationVar(&o.limit, "limit", 15*time.Minute, "give up after this long")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "folder for the temporary homes; on a disk, or durable means little")
	flags.StringVar(&o.results, "results", "bench/results", "folder that the figures are kept in as JSON; empty: none")
	flags.StringVar(&o.binary, "binary", "", "measure this pukar instead of building one")
	flags.StringVar(&o.profile, "pprof", "", "write a CPU profile of each run's server to this path, with the size added")
	flags.BoolVar(&o.keep, "keep", false, "keep the temporary homes")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if len(o.sizes) == 0 {
		return o, errors.New("--sizes: none given")
	}
	for _, n := range o.sizes {
		if n < 1 || n > maxPeople {
			return o, fmt.Errorf("--sizes %d: from 1 to %d", n, maxPeople)
		}
	}
	if _, ok := messages[o.message]; !ok {
		return o, fmt.Errorf("--message %q: known are short and hindi", o.message)
	}
	if o.window < 1 {
		return o, fmt.Errorf("--window %d: at least 1", o.window)
	}
	slices.Sort(o.sizes)
	return o, nil
}

// run measures and gives the exit status: 0 when everything added up, 1 when not, 2 for a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench: "+err.Error())
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("it took longer than --limit %s", o.limit))
	defer cancel()
	if err := measure(ctx, o, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		_, _ = fmt.Fprintln(stderr, "bench: "+err.Error())
		return 1
	}
	return 0
}

// measure runs one trial for each size, prints the tables and keeps the figures.
func measure(ctx context.Context, o options, stdout, stderr io.Writer) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if o.binary == "" {
		say(stderr, "building bin/pukar")
		if o.binary, err = build(ctx, root); err != nil {
			return err
		}
	}
	found := result{
		At: time.Now().Truncate(time.Second), Commit: commit(ctx, root), Machine: lookAtMachine(o.dir),
		Message: o.message, Window: o.window,
	}
	var failed error
	for _, n := range o.sizes {
		t, err := runTrial(ctx, o, n, stderr)
		if err != nil {
			failed = fmt.Errorf("%s people: %w", grouped(int64(n)), err)
			break
		}
		found.Trials = append(found.Trials, *t)
	}
	if len(found.Trials) == 0 {
		return failed
	}
	found.compare()
	if err := printResult(stdout, found); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return failed // half a result is shown, not kept
	}
	if err := found.problems(); err != nil {
		return err
	}
	if o.results != "" {
		path, err := found.keep(root, o.results)
		if err != nil {
			return err
		}
		say(stderr, "kept in %s", path)
	}
	return nil
}

// say writes one line of progress.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}
