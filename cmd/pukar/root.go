package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pukar/internal/config"
	"pukar/web/client"
)

// shell is what every command works with: its streams and where its server is.
type shell struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	home   string // flag --pukar-home
	socket string // flag --socket

	volatile bool // app.Options.Volatile, which tests alone set
}

// run executes one command line and gives its exit status; see exit.go for what each means.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return (&shell{stdin: stdin, stdout: stdout, stderr: stderr}).run(ctx, args)
}

func (sh *shell) run(ctx context.Context, args []string) int {
	stderr := sh.stderr
	root := sh.root()
	root.SetArgs(args)
	root.SetIn(sh.stdin)
	root.SetOut(sh.stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var quiet *quietError
	switch {
	case errors.As(err, &quiet):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(stderr, "pukar: stopped")
	default:
		_, _ = fmt.Fprintln(stderr, "pukar: "+err.Error())
	}
	code := exitCode(err)
	if code == exitUsage {
		_, _ = fmt.Fprintf(stderr, "See `%s --help`.\n", cmd.CommandPath())
	}
	return code
}

// root builds the tree of commands.
func (sh *shell) root() *cobra.Command {
	root := group("pukar", "Campaigns by message and call for migrant workers' helplines",
		`Pukar picks people by scheme eligibility and home district, writes to them in their own language
within the hours and rates that the rules allow, follows every delivery receipt, and never contacts
somebody who said stop.

Most commands call the server of this machine (`+"`pukar serve`"+`) over its socket in PUKAR_HOME.`)
	root.Example = `  pukar demo                         # a whole campaign against a simulated network
  pukar init helpline                # sample contacts, template, campaign and configuration
  pukar serve                        # the server, with databases of its own
  pukar audience import people.csv   # then: template add, campaign create, plan, launch, watch`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usage(errors.New(parsing.ReplaceAllString(err.Error(), "")))
	})
	flags := root.PersistentFlags()
	flags.StringVar(&sh.home, "pukar-home", "", "folder of the installation (default $PUKAR_HOME, else /var/lib/pukar as root, else ~/.pukar)")
	flags.StringVar(&sh.socket, "socket", "", "the server's socket (default $PUKAR_SOCKET, else pukar.sock in the home)")
	root.AddCommand(sh.commands()...)
	return root
}

// group makes a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			text := fmt.Sprintf("unknown command %q", cmd.CommandPath()+" "+args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				text += ": did you mean " + strings.Join(near, " or ") + "?"
			} else {
				var known []string
				for _, sub := range cmd.Commands() {
					if sub.IsAvailableCommand() {
						known = append(known, sub.Name())
					}
				}
				text += ": known are " + strings.Join(known, ", ")
			}
			return usage(errors.New(text))
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// takes checks the number of arguments of a command and names what is missing.
func takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage(fmt.Errorf("%s is missing", strings.Join(names[len(args):], " and ")))
		case len(args) > len(names):
			return usage(fmt.Errorf("unexpected argument %q", args[len(names)]))
		}
		if i := slices.Index(args, ""); i >= 0 {
			return usage(fmt.Errorf("%s is empty", names[i]))
		}
		return nil
	}
}

// parsing is how Go says which of its functions could not read an option.
var parsing = regexp.MustCompile(`strconv\.\w+: parsing ".*": |time: `)

// homeDir is the folder of the installation.
func (sh *shell) homeDir() string {
	if sh.home != "" {
		return sh.home
	}
	return config.Home()
}

// client connects to the installation's server.
func (sh *shell) client() *client.Client {
	path := sh.socket
	if path == "" && sh.home == "" {
		path = os.Getenv("PUKAR_SOCKET")
	}
	if path == "" {
		path = filepath.Join(sh.homeDir(), "pukar.sock")
	}
	return client.New(path)
}

// terminal says whether a stream is one that a person looks at.
func terminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is how many characters a line of the terminal holds.
func width(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 100
}
