package app

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"pukar/report"
)

// reportRow is what the tests ask of a line of the delivery report.
type reportRow struct {
	language, templateID string
	parts                int
	outcome, why         string
	ids                  []string
}

// report reads the delivery report of a campaign's newest run, by number.
func (b *bench) report(name string) map[string]reportRow {
	b.t.Helper()
	var text bytes.Buffer
	if _, err := report.Delivery(b.t.Context(), b.app.Pool, &text, report.Options{Campaign: name}); err != nil {
		b.t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	field := func(line []string, column string) string { return line[slices.Index(lines[0], column)] }
	rows := make(map[string]reportRow, len(lines)-1)
	for _, line := range lines[1:] {
		number := field(line, "msisdn")
		if _, twice := rows[number]; twice {
			b.t.Fatalf("the report has two rows for one number")
		}
		parts, err := strconv.Atoi(field(line, "parts"))
		if err != nil {
			b.t.Fatal(err)
		}
		rows[number] = reportRow{
			language: field(line, "language"), templateID: field(line, "template_id"), parts: parts,
			outcome: field(line, "outcome"), why: field(line, "error"), ids: strings.Fields(field(line, "message_ids")),
		}
	}
	return rows
}
