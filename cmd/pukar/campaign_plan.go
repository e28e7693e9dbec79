package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"pukar/web/api"
)

// printPlan writes a plan for people.
func printPlan(w io.Writer, p api.Plan) error {
	when := func(t *api.Time) string {
		if t == nil {
			return ""
		}
		return t.String()
	}
	unknown := ""
	if p.UnknownLeftOut > 0 {
		unknown = count(p.UnknownLeftOut) + " (too little is known of them; `eligibility: both` would take them)"
	}
	if err := pairs(w,
		[2]string{"campaign", p.Name},
		[2]string{"recipients", count(p.Recipients)},
		[2]string{"left out", count(p.Excluded)},
		[2]string{"not targeted", unknown},
		[2]string{"parts", count(p.Parts)},
		[2]string{"price", rupees(p.CostINR)},
		[2]string{"route", p.Route},
		[2]string{"window", p.Window},
		[2]string{"drain time", drainText(p.DrainSeconds, p.Window)},
		[2]string{"starts", when(p.StartsAt)},
		[2]string{"finishes", when(p.FinishesAt)},
	); err != nil {
		return err
	}
	for _, table := range []struct {
		title string
		rows  []api.PlanCount
	}{{"left out because", p.ByReason}, {"home state", p.ByState}, {"language", p.ByLanguage}} {
		if len(table.rows) == 0 {
			continue
		}
		say(w, "")
		rows := make([][]string, len(table.rows))
		for i, r := range table.rows {
			value := r.Name
			if value == "" {
				value = "unknown"
			}
			rows[i] = []string{value, count(r.Count)}
		}
		if err := printTable(w, []column{left(table.title), right("people")}, rows); err != nil {
			return err
		}
	}
	if p.NotRendered > 0 {
		say(w, "\nnote: %s would be skipped, their values do not fit the registered text: %s", plural(p.NotRendered, "person", "people"), p.NotRenderedWhy)
	}
	for _, s := range p.Samples {
		say(w, "\n%s, %s, %s:", s.Language, strings.ToUpper(s.Encoding), plural(int64(s.Parts), "part", "parts"))
		say(w, "  %s", oneLine(s.Text))
	}
	for _, warning := range p.Warnings {
		say(w, "\nnote: %s", warning)
	}
	return nil
}

// rupees writes an amount with four decimals or more, its whole rupees grouped as in India: Rs 3,486.5250.
func rupees(amount string) string {
	if amount == "" {
		return ""
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		whole = count(n)
	}
	for len(fraction) < 4 {
		fraction += "0"
	}
	return "Rs " + whole + "." + fraction
}

// wholeSeconds writes a time such as 1m30s.
func wholeSeconds(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", count(n), many)
}

// drainText says how long before its end a window closes for submissions.
func drainText(seconds float64, window string) string {
	if window == "" || seconds == 0 {
		return ""
	}
	return "submission stops " + wholeSeconds(seconds) + " before the window's end"
}
