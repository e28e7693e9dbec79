package main

import (
	"os"
	"time"
)

// usage is CPU time, by who used it.
type usage struct {
	Program    time.Duration
	PostgreSQL time.Duration
	Redis      time.Duration
	Centre     time.Duration
	Others     time.Duration // the rest of the machine, this command included
}

func (u usage) minus(v usage) usage {
	return usage{u.Program - v.Program, u.PostgreSQL - v.PostgreSQL, u.Redis - v.Redis, u.Centre - v.Centre, u.Others - v.Others}
}

func (u usage) ours() time.Duration { return u.Program + u.PostgreSQL + u.Redis + u.Centre }

// each is the usage shared out over n things.
func (u usage) each(n int64) microseconds {
	share := func(d time.Duration) float64 {
		if n <= 0 {
			return 0
		}
		return float64(d) / float64(time.Microsecond) / float64(n)
	}
	return microseconds{share(u.Program), share(u.PostgreSQL), share(u.Redis), share(u.Centre), share(u.Others)}
}

// microseconds is CPU time for one thing, by who used it.
type microseconds struct {
	Program    float64 `json:"program"`
	PostgreSQL float64 `json:"postgresql"`
	Redis      float64 `json:"redis"`
	Centre     float64 `json:"centre"`
	Others     float64 `json:"others"`
}

// sum is what all of ours used.
func (m microseconds) sum() float64 { return m.Program + m.PostgreSQL + m.Redis + m.Centre }

// pids are the processes that are measured.
type pids struct{ program, postgres, redis, centre int }

// usage is what the processes have used since they began.
func (p pids) usage() (usage, error) {
	stats, err := allStats()
	if err != nil {
		return usage{}, err
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}, err
	}
	busy, err := parseBusy(text)
	if err != nil {
		return usage{}, err
	}
	return p.usageFrom(stats, busy), nil
}

func (p pids) usageFrom(stats []procStat, busy time.Duration) usage {
	u := usage{PostgreSQL: treeCPU(stats, p.postgres), Redis: treeCPU(stats, p.redis), Centre: treeCPU(stats, p.centre)}
	for _, s := range stats {
		if s.pid == p.program {
			u.Program = s.own // its children are PostgreSQL and Redis
		}
	}
	u.Others = busy - u.ours()
	return u
}

// phase is one step of a trial, measured.
type phase struct {
	Seconds   float64      `json:"seconds"`
	Things    int64        `json:"things"` // people or messages
	PerSecond float64      `json:"per_second"`
	CPU       microseconds `json:"cpu_us"`             // for one thing
	CoresBusy float64      `json:"cores_busy"`         // by ours, on average
	Peak      int64        `json:"program_peak_bytes"` // resident
}

// timed measures one step that handles n things.
func (p pids) timed(n int64, step func() error) (phase, error) {
	forgetPeak(p.program)
	before, err := p.usage()
	if err != nil {
		return phase{}, err
	}
	begun := time.Now()
	if err := step(); err != nil {
		return phase{}, err
	}
	took := time.Since(begun)
	after, err := p.usage()
	if err != nil {
		return phase{}, err
	}
	peak, err := peakMemory(p.program)
	if err != nil {
		return phase{}, err
	}
	return newPhase(n, took, after.minus(before), peak), nil
}

func newPhase(n int64, took time.Duration, used usage, peak int64) phase {
	return phase{
		Seconds: took.Seconds(), Things: n, PerSecond: float64(n) / took.Seconds(), CPU: used.each(n),
		CoresBusy: used.ours().Seconds() / took.Seconds(), Peak: peak,
	}
}
