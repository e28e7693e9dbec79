package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pukar/web/api"
)

func (sh *shell) routeCommands() *cobra.Command {
	return group("route", "Routes: the ways out, and whether they are bound",
		"The routes of the configuration, and whether their binds to message centres are up.", sh.routeList(), sh.routeTest())
}

func (sh *shell) routeList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the routes and their binds", Example: "  pukar route list", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			list, err := caller.Routes(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, list)
			}
			if len(list.Routes) == 0 {
				say(sh.stdout, "No routes: add one under routes in the configuration; `pukar init DIR` writes an example.")
				return nil
			}
			return sh.printRoutes(list.Routes...)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) routeTest() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Say whether a route is bound, and if not why",
		Long:    "Says whether a route is bound to its message centre. Nothing is sent. Exit status 5 when no bind is up.",
		Example: "  pukar route test main", Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			route, err := caller.TestRoute(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, route)
			}
			return sh.printRoutes(route)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) printRoutes(routes ...api.Route) error {
	var rows [][]string
	for _, r := range routes {
		limit := "no limit"
		if r.PartsPerSecond > 0 {
			limit = fmt.Sprintf("%g parts/s", r.PartsPerSecond)
		}
		var marks []string
		if r.Simulated {
			marks = append(marks, "simulated")
		}
		if !r.Receipts {
			marks = append(marks, "no receipts")
		}
		for _, b := range r.Binds {
			state := b.State
			if b.Reason != "" && b.State != "bound" {
				state += ": " + b.Reason
			}
			rows = append(rows, []string{r.Name, r.Header, b.Name, state, fmt.Sprintf("%d/%d", b.Outstanding, b.Window), limit, drainOf(r), strings.Join(marks, ", ")})
		}
	}
	return printTable(sh.stdout, []column{
		left("route"), left("header"), left("bind"), left("state"), right("window"), left("rate"), right("drain"), left("notes"),
	}, rows)
}

// drainOf is how long before a window's end submission by the route stops.
func drainOf(r api.Route) string {
	text := wholeSeconds(r.DrainSeconds)
	if r.DrainSamples < 20 {
		return text + " assumed"
	}
	return text
}
