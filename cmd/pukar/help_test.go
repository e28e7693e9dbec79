package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// every gives the root and all commands below it, but not the help and completion that cobra adds.
func every(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			list = append(list, every(sub)...)
		}
	}
	return list
}

func tree() *cobra.Command {
	return (&shell{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}).root()
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, cmd := range every(tree()) {
		path := strings.Fields(cmd.CommandPath())[1:]
		r := pukar(t, "", append(path, "--help")...)
		if r.code != exitOK || r.errOut != "" {
			t.Errorf("%s --help: exit %d, %s", cmd.CommandPath(), r.code, r.errOut)
		}
		all.WriteString("$ " + cmd.CommandPath() + " --help\n" + r.out + "\n")
	}
	golden(t, "help", all.String())
}

func TestEveryCommandHasAnExampleAndEveryReadHasJSON(t *testing.T) {
	t.Parallel()
	// Commands that print no facts, or serve.
	mute := map[string]bool{
		"pukar init": true, "pukar demo": true, "pukar serve": true, "pukar migrate": true, "pukar simulate smsc": true,
	}
	for _, cmd := range every(tree()) {
		if cmd.HasSubCommands() {
			continue
		}
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s has no example of itself", cmd.CommandPath())
		}
		if cmd.Flags().Lookup("json") == nil && !mute[cmd.CommandPath()] {
			t.Errorf("%s has no --json", cmd.CommandPath())
		}
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, line := range []string{
		"nonsense",
		"campagne list",
		"campaign lunch x",
		"campaign plan",
		"campaign plan a b",
		"campaign plan --nonsense a",
		"campaign test a",
		"campaign cancel a",
		"campaign retry a",
		"campaign retry a --delivered",
		"optout remove 9812345678",
		"optout remove 9812345678 --why form",
		"audience import people.csv --map msisdn",
		"report delivery a --format xlsx",
		"report delivery a --include everything",
		"demo --contacts 0",
		"serve --log-level loud",
		"simulate smsc --account foo",
	} {
		r := pukar(t, "", strings.Fields(line)...)
		if r.code != exitUsage || r.out != "" {
			t.Errorf("pukar %s: exit %d, want %d; printed %q", line, r.code, exitUsage, r.out)
		}
		all.WriteString("$ pukar " + line + "\n" + r.errOut + "\n")
	}
	golden(t, "usage", all.String())
}
