// Command run is the long form of the recovery suite: a campaign of several processes under everything that package chaos
// can do to it. It prints a line for each moment and ends with 1 when the ledger broke a promise.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"pukar/internal/chaos"
)

func main() {
	chaos.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run gives the exit status: 0 when every promise was kept, 1 when not or when it could not go on, 2 for a wrong command
// line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := chaos.Options{Out: stdout}
	flags := pflag.NewFlagSet("chaos", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.SortFlags = false
	flags.IntVar(&o.People, "people", 1_000_000, "how many people are written to")
	flags.IntVar(&o.Moments, "moments", 100, "how often something happens")
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64N(1_000_000), "decides what happens and when")
	flags.StringSliceVar(&o.Only, "only", nil, "only moments whose name begins so")
	flags.DurationVar(&o.Within, "limit", 2*time.Hour, "give up after this long")
	flags.StringVar(&o.Folder, "dir", "", "folder for the temporary one (default: the system's)")
	flags.BoolVar(&o.Keep, "keep", false, "keep the temporary folder with the processes' logs")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintln(stderr, "chaos: "+err.Error())
		return 2
	}
	if err := chaos.Run(ctx, o); err != nil {
		only := ""
		for _, name := range o.Only {
			only += fmt.Sprintf(" --only=%q", name)
		}
		fmt.Fprintf(stderr, "chaos: %v\nTo repeat it: make chaos CHAOS_ARGS='--seed=%d --people=%d --moments=%d%s'\n", err, o.Seed, o.People, o.Moments, only)
		return 1
	}
	return 0
}
