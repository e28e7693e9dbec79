// Command run starts throw-away PostgreSQL and Redis servers, runs the given command with their addresses in the
// environment, and takes the servers away again, whatever happens to the command:
//
//	go run ./internal/testenv/run -- go test ./...
//
// One pair of servers then serves all test binaries. Servers that the environment already names are used instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"pukar/internal/testenv"
)

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit code of the command, 2 without a command and 1 where it or its servers could not be started.
func run(args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: run -- command [argument…]")
		return 2
	}
	// The command gets the terminal's signals itself. Here they only end the waiting for servers.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	environment := os.Environ()
	if os.Getenv(testenv.EnvDatabase) == "" || os.Getenv(testenv.EnvRedis) == "" {
		servers, err := testenv.Start(ctx)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() {
			if err := servers.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, "stop test servers:", err)
			}
		}()
		for name, address := range map[string]string{testenv.EnvDatabase: servers.DatabaseURL, testenv.EnvRedis: servers.RedisURL} {
			if os.Getenv(name) == "" {
				environment = append(environment, name+"="+address)
			}
		}
	}
	return execute(ctx, args, environment)
}

// execute runs the command to its end. A signal is passed on, and the end awaited.
func execute(ctx context.Context, args, environment []string) int {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended) && ended.ExitCode() >= 0:
		return ended.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}
