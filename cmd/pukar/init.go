package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pukar/internal/sample"
)

func (sh *shell) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init DIR", Short: "Write sample contacts, template, campaign and configuration, each with comments",
		Long: `Writes sample files to begin with: invented contacts, a message template, a campaign and a configuration, each with
comments on its keys. Nothing that is there already is overwritten.`,
		Example: "  pukar init helpline", Args: takes("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := sample.WriteFiles(args[0]); err != nil {
				return err
			}
			var names []string
			for _, name := range sample.FileNames() {
				names = append(names, filepath.Join(args[0], name))
			}
			say(sh.stdout, "Written: %s", strings.Join(names, ", "))
			say(sh.stdout, "Next: `pukar serve --config %s`, and in another terminal `pukar audience import %s`.",
				filepath.Join(args[0], "pukar.yaml"), filepath.Join(args[0], "contacts.csv"))
			return nil
		},
	}
}
