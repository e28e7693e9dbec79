package app

import (
	"testing"
	"time"

	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// BenchmarkRun sends a run of 100,000 people through everything, in one process with the message centre,
// and reports messages a second from launch to the last receipt settled. make bench measures it as
// operators run it, on durable servers and with the centre in a process of its own.
func BenchmarkRun(b *testing.B) {
	const people = 100_000
	for b.Loop() {
		b.StopTimer()
		bench := newBench(b, smsc.Options{}, func(c *config.Config) { c.Routes[0].Binds[0].Window = 500 })
		bench.run()
		bench.people(people)
		b.StartTimer()
		begun := time.Now()
		bench.launch("bench")
		launched := time.Now()
		bench.done("bench")
		b.ReportMetric(people/time.Since(launched).Seconds(), "messages/s")
		b.ReportMetric(people/launched.Sub(begun).Seconds(), "frozen/s")
		b.StopTimer()
		bench.stop()
		b.StartTimer()
	}
}
