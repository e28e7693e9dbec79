package campaign

import "testing"

// BenchmarkSpanOfAYearOfMinutes is what a scheduler does first after a year in which nobody looked.
func BenchmarkSpanOfAYearOfMinutes(b *testing.B) {
	table := tableOf(b, Schedule{Cron: "* * * * *"})
	first, upto := moment(b, "2026-11-22T10:00:00+05:30"), moment(b, "2027-11-22T10:00:30+05:30")
	for b.Loop() {
		if s := table.span(first, upto); s.times != maxCounted {
			b.Fatal(s)
		}
	}
}
