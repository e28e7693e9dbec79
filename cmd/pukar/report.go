package main

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pukar/report"
	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) reportCommands() *cobra.Command {
	return group("report", "Reports: each recipient's delivery, and a run in numbers",
		"What became of a run: a line for each recipient with its evidence, or everything in numbers.",
		sh.reportDelivery(), sh.reportMessages(), sh.reportSummary())
}

func (sh *shell) reportDelivery() *cobra.Command {
	var opt client.ReportOptions
	var file, format string
	var include []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "delivery CAMPAIGN", Short: "Write the delivery report of a run: a CSV line for each recipient",
		Long: `Writes the delivery report of a run as CSV, a line for each recipient. With -o the file comes to its place whole or not
at all, and FILE.manifest.json beside it says as of when it is, what it adds up to, and its SHA-256. Without -o the CSV
goes to the standard output.`,
		Example: `  pukar report delivery onorc-bihar -o report.csv
  pukar report delivery onorc-bihar --run 2 --include excluded --masked -o report.csv
  pukar report delivery onorc-bihar | head`,
		Args: takes("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "csv" {
				return usage(fmt.Errorf("--format %q: this version writes csv", format))
			}
			for _, what := range include {
				if what != "excluded" {
					return usage(fmt.Errorf("--include %q: known is excluded", what))
				}
				opt.IncludeExcluded = true
			}
			caller := sh.client()
			defer caller.Close()
			if file == "" || file == "-" {
				if asJSON {
					return usage(fmt.Errorf("--json prints the manifest: give -o FILE for the report"))
				}
				_, err := caller.DeliveryReport(cmd.Context(), args[0], opt, sh.stdout)
				return err
			}
			manifest, err := sh.writeReport(args[0], file, func(w io.Writer) (report.Manifest, error) {
				return caller.DeliveryReport(cmd.Context(), args[0], opt, w)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, manifest)
			}
			say(sh.stdout, "%s: run %d, %s as of %s; manifest in %s%s.", file, manifest.Run, plural(manifest.Rows, "line", "lines"),
				api.At(manifest.AsOf), file, report.ManifestSuffix)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&opt.Run, "run", 0, "number of the run (default: the newest)")
	flags.StringSliceVar(&include, "include", nil, "excluded: also a line for everybody who was targeted and left out")
	flags.BoolVar(&opt.Masked, "masked", false, "hide the middle of phone numbers")
	flags.StringVarP(&file, "output", "o", "", "file to write")
	flags.StringVar(&format, "format", "csv", "format of the report: csv")
	flags.BoolVar(&asJSON, "json", false, "print the manifest as JSON; needs -o")
	return cmd
}

// writeReport writes a report and its manifest; each comes to its place whole or not at all.
func (sh *shell) writeReport(name, path string, read func(io.Writer) (report.Manifest, error)) (report.Manifest, error) {
	file := &lateFile{path: path}
	defer file.close()
	started := time.Now()
	bar := newProgress(sh.stderr, "report "+name, 0, nil, false)
	var written int64
	manifest, err := read(writerFunc(func(p []byte) (int, error) {
		n, err := file.Write(p)
		written += int64(n)
		bar.at(written, fmt.Sprintf("%s KB, %s", count(written/1024), time.Since(started).Round(time.Second)))
		return n, err
	}))
	bar.drop()
	if err != nil {
		return manifest, err
	}
	if err := file.keep(); err != nil {
		return manifest, tidyPath(err)
	}
	return manifest, report.WriteManifest(path, manifest)
}

// writerFunc is a writer made of a function.
type writerFunc func(p []byte) (int, error)

// Write calls the function.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (sh *shell) reportSummary() *cobra.Command {
	var run int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "summary CAMPAIGN", Short: "Say a run in numbers",
		Example: "  pukar report summary onorc-bihar\n  pukar report summary onorc-bihar --run 2 --json",
		Args:    takes("CAMPAIGN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			summary, err := caller.Summary(cmd.Context(), args[0], run)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, summary)
			}
			return printSummary(sh.stdout, summary)
		},
	}
	cmd.Flags().IntVar(&run, "run", 0, "number of the run (default: the newest)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// outcomes are the outcomes in the order of a message's life.
var outcomes = []string{"pending", "sent", "delivered", "failed", "expired", "rejected", "no_receipt", "unknown", "suppressed", "skipped"}

func printSummary(w io.Writer, s report.RunSummary) error {
	facts := [][2]string{
		{"campaign", fmt.Sprintf("%s, run %s, %s", s.Campaign, runText(s.Run, s.RetryOf), s.RunState)},
		{"as of", api.At(s.AsOf).String()},
		{"targeted", count(s.Targeted)},
		{"recipients", count(s.Recipients)},
	}
	for _, outcome := range outcomes {
		if n := s.Totals[outcome]; n > 0 {
			facts = append(facts, [2]string{"  " + strings.ReplaceAll(outcome, "_", " "), fmt.Sprintf("%s (%s)", count(n), percent(n, s.Recipients))})
		}
	}
	facts = append(facts, [2]string{"left out", count(s.Targeted - s.Recipients)})
	for _, reason := range sortedKeys(s.Excluded) {
		facts = append(facts, [2]string{"  " + reason, count(s.Excluded[reason])})
	}
	facts = append(facts, [2]string{"parts", count(s.Parts)}, [2]string{"price", rupees(s.CostINR)})
	if s.Times.DeliveryP50 > 0 {
		facts = append(facts, [2]string{"delivery took", fmt.Sprintf("%.1f s for half, %.1f s for 90 %%, %.1f s for 99 %%",
			s.Times.DeliveryP50, s.Times.DeliveryP90, s.Times.DeliveryP99)})
	}
	if whole := s.Whole; whole != nil {
		facts = append(facts, [2]string{"reached at last", fmt.Sprintf("%s of %s (%s), by run %d and %s", count(whole.Reached), count(whole.People),
			percent(whole.Reached, whole.People), whole.Run, plural(int64(whole.Retries), "retry", "retries"))})
	}
	if err := pairs(w, facts...); err != nil {
		return err
	}
	for _, groups := range []struct {
		title string
		list  []report.Group
	}{{"language", s.ByLanguage}, {"home state", s.ByHomeState}} {
		if err := printGroups(w, groups.title, groups.list); err != nil {
			return err
		}
	}
	if len(s.Errors) == 0 {
		return nil
	}
	say(w, "")
	rows := make([][]string, 0, len(s.Errors))
	for _, e := range s.Errors {
		rows = append(rows, []string{e.Kind, e.Code, count(e.Recipients)})
	}
	return printTable(w, []column{left("kept from it by"), left("code"), right("recipients")}, rows)
}

// printGroups writes a table of recipients by what they have in common, with a column for each outcome that occurs.
func printGroups(w io.Writer, title string, groups []report.Group) error {
	if len(groups) == 0 {
		return nil
	}
	var present []string
	for _, outcome := range outcomes {
		if slices.ContainsFunc(groups, func(g report.Group) bool { return g.Totals[outcome] > 0 }) {
			present = append(present, outcome)
		}
	}
	columns := []column{left(title), right("recipients")}
	for _, outcome := range present {
		columns = append(columns, right(strings.ReplaceAll(outcome, "_", " ")))
	}
	rows := make([][]string, len(groups))
	for i, g := range groups {
		name := g.Name
		if name == "" {
			name = "unknown"
		}
		rows[i] = []string{name, count(g.Recipients)}
		for _, outcome := range present {
			rows[i] = append(rows[i], count(g.Totals[outcome]))
		}
	}
	say(w, "")
	return printTable(w, columns, rows)
}

func percent(n, of int64) string {
	if of == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

func sortedKeys(m map[string]int64) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool { return m[keys[i]] > m[keys[j]] || (m[keys[i]] == m[keys[j]] && keys[i] < keys[j]) })
	return keys
}
