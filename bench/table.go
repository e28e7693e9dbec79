package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// printResult prints what the figures are from, a table with a row for each size, and one with a row for each phase.
func printResult(w io.Writer, r result) error {
	m, p := r.Machine, r.Trials[0].Postgres
	say(w, "\n%s, %d cores, %s of memory, %s, homes on %s, load %s at the start", m.CPU, m.Cores, bytesOf(m.Memory), m.Kernel, m.Filesystem, m.Load)
	say(w, "%s, PostgreSQL %s, commit %s, message %s, window %d", m.Go, p["server_version"], r.Commit, r.Message, r.Window)
	var settings []string
	for _, name := range append(durable[:len(durable):len(durable)], shown[1:]...) {
		settings = append(settings, name+" "+p[name])
	}
	say(w, "%s\n", strings.Join(settings, ", "))

	sizes := newTable("people", "import/s", "COPY/s", "psql \\copy/s", "freeze/s", "INSERT/s", "messages/s", "first after", "tail", "peak submits/s", "receipts", "twice",
		"report/s", "COPY out/s", "peak memory", "time/message")
	for _, t := range r.Trials {
		sizes.AppendRow(table.Row{
			grouped(t.People), perSecond(t.Import.PerSecond), perSecond(t.CopyIn), perSecond(t.PsqlCopy), perSecond(t.Freeze.PerSecond), perSecond(t.InsertSelect),
			perSecond(t.Send.PerSecond), fmt.Sprintf("%.2f s", t.FirstSeconds), fmt.Sprintf("%.2f s", t.TailSeconds), grouped(t.SubmitsPeak), grouped(t.Receipts), grouped(t.Duplicates),
			perSecond(t.Report.PerSecond), perSecond(t.CopyOut), bytesOf(t.Peak), fmt.Sprintf("%.2f", t.Relative),
		})
	}
	say(w, "%s\n", sizes.Render())
	printPeer(w, r.Trials)

	phases := newTable("people", "phase", "seconds", "program", "PostgreSQL", "Redis", "centre", "together", "others", "cores busy", "peak memory", "WAL bytes each")
	for _, t := range r.Trials {
		for _, named := range []struct {
			name string
			phase
			wal string
		}{{"import", t.Import, ""}, {"plan", t.Plan, ""}, {"freeze", t.Freeze, ""}, {"send", t.Send, fmt.Sprintf("%.0f", t.WALBytes)}, {"report", t.Report, ""}} {
			c := named.CPU
			phases.AppendRow(table.Row{
				grouped(t.People), named.name, fmt.Sprintf("%.2f", named.Seconds), micros(c.Program), micros(c.PostgreSQL), micros(c.Redis), micros(c.Centre),
				micros(c.sum()), micros(c.Others), fmt.Sprintf("%.2f", named.CoresBusy), bytesOf(named.Peak), named.wal,
			})
		}
	}
	say(w, "Microseconds of CPU for each person or message, by who used them:")
	_, err := fmt.Fprintln(w, phases.Render())
	return err
}

// printPeer sets Kannel's figures beside ours; nothing where it was not installed.
func printPeer(w io.Writer, trials []trial) {
	beside := newTable("people", "our messages/s", "Kannel messages/s", "times", "our CPU us each", "Kannel CPU us each", "Kannel sent", "its receipts", "its version")
	for _, t := range trials {
		if k := t.Kannel; k != nil {
			beside.AppendRow(table.Row{
				grouped(t.People), perSecond(t.Send.PerSecond), perSecond(k.PerSecond), fmt.Sprintf("%.1f", k.Ratio),
				micros(t.Send.CPU.sum() - t.Send.CPU.Centre), micros(k.CPU), grouped(k.Messages), grouped(k.Receipts), k.Version,
			})
		}
	}
	if beside.Length() > 0 {
		say(w, "The same list by Kannel to the same message centre, with receipts to an HTTP sink, nothing kept on disk:\n%s\n", beside.Render())
	}
}

// newTable makes a table whose columns are parted by spaces, every one of them numbers but those named phase.
func newTable(columns ...string) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{SeparateColumns: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", ""
	style.Box.MiddleVertical = "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, name := range columns {
		header[i] = name
		configs[i] = table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight}
		if name == "phase" {
			configs[i].Align, configs[i].AlignHeader = text.AlignLeft, text.AlignLeft
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	return t
}

func perSecond(rate float64) string { return grouped(int64(rate)) }

func micros(us float64) string { return fmt.Sprintf("%.1f", us) }

// bytesOf is a size in the unit that reads best.
func bytesOf(n int64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%.0f GB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.0f MB", float64(n)/(1<<20))
}

// grouped is a number with commas between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}
