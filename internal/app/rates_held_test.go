//go:build !race

// What is held to the clock is tested without the race detector, which slows everything down tenfold; see the Makefile.

package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pukar/smpp/smsc"
)

// TestThreeProcessesHoldTheirRates lets three processes send for a while as fast as they may and holds what came to the message centre to
// the rates that are set: in every ten seconds to within 1 %, and in no second above it by more than a window.
func TestThreeProcessesHoldTheirRates(t *testing.T) {
	t.Parallel()
	const window = 50
	for _, test := range []struct {
		name      string
		campaigns int
		handlers  int     // of a process: so few that each of the three has some of the four batches that are out of a run
		campaign  float64 // rate of each, 0 for none
		binds     int
		bind      float64
		of        func(submit) string // whose rate a part counts for
		rate      float64             // of each of those
	}{
		{name: "of a route", campaigns: 1, handlers: 1, of: func(submit) string { return "route" }, rate: 300},
		{name: "of two campaigns on one route", campaigns: 2, handlers: 3, campaign: 100, of: func(s submit) string { return s.source }, rate: 100},
		{name: "of three binds on one route", campaigns: 2, handlers: 3, binds: 3, bind: 90, rate: 90, of: func(s submit) string {
			return s.systemID[strings.LastIndex(s.systemID, "-"):]
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const people, seconds = 4000, 13
			c := newCrash(t, people, smsc.Options{})
			c.spec.Rate, c.spec.Window, c.spec.Binds, c.spec.BindRate = 300, window, test.binds, test.bind
			for i := range test.campaigns {
				name := fmt.Sprintf("rate-%d", i)
				template := strings.NewReplacer("onorc-intro", name, "HELPLN", fmt.Sprintf("HELPL%c", 'A'+i)).Replace(introTemplate)
				campaign := strings.ReplaceAll(fmt.Sprintf(introCampaign, name), "onorc-intro", name)
				c.launchFile(template, campaign+fmt.Sprintf("rate: {parts_per_second: %v}\n", test.campaign))
			}
			c.splitBatches(200)
			var children []*child
			for _, name := range []string{"one", "two", "three"} {
				s := c.childSpec()
				s.Rate, s.Window, s.Binds, s.BindRate, s.SystemID = c.spec.Rate, window, test.binds, test.bind, name
				s.Handlers = test.handlers
				children = append(children, startChild(t, s))
			}
			names := max(1, test.binds)
			if test.campaign > 0 {
				names = test.campaigns
			}
			held := c.watchTheMachine()
			c.submitted(int64(test.rate * float64(names) * seconds))
			for _, child := range children {
				child.terminate()
			}
			processes, times, seen := make(map[string]int), make(map[string][]time.Time), make(map[string]bool)
			for _, s := range c.submits() {
				if once := s.source + s.number + string(s.payload); seen[once] {
					t.Errorf("%s got a part twice", s.number)
				} else {
					seen[once] = true
				}
				name, _, _ := strings.Cut(s.systemID, "-")
				processes[name]++
				times[test.of(s)] = append(times[test.of(s)], s.at)
			}
			if processes["one"] < 300 || processes["two"] < 300 || processes["three"] < 300 {
				t.Errorf("the processes submitted %v: all were to work at it", processes)
			}
			if len(times) != names {
				t.Errorf("parts came of %d, want %d", len(times), names)
			}
			for name, at := range times {
				holdRate(t, name, at, test.rate, window, held())
			}
		})
	}
}

// holdRate looks at every second and every ten seconds that begin with one of the parts, once sending has begun. What the machine held up
// may be missing there, or have come beside what was in time.
func holdRate(t *testing.T, name string, at []time.Time, rate, window float64, held []stall) {
	t.Helper()
	least, most, busiest := 2.0, 0.0, 0
	begun, ended := at[0].Add(time.Second), at[len(at)-1]
	for i := range at {
		count := func(d time.Duration) (n int) {
			for n = 0; i+n < len(at) && at[i+n].Sub(at[i]) < d; n++ {
			}
			return n
		}
		if n := count(time.Second); float64(n) > rate+window+rate*lost(held, at[i], time.Second) {
			t.Errorf("%s: %d parts in the second from %v at a rate of %v and a window of %v", name, n, at[i], rate, window)
		} else {
			busiest = max(busiest, n)
		}
		if at[i].Before(begun) || at[i].Add(10*time.Second).After(ended) {
			continue
		}
		share, allowed := float64(count(10*time.Second))/(10*rate), 0.01+steps*lost(held, at[i], 10*time.Second)/10
		least, most = min(least, share), max(most, share)
		if share < 1-allowed || share > 1+allowed {
			t.Errorf("%s: %.4f of the rate of %v in the ten seconds from %v, want within %.4f", name, share, rate, at[i], allowed)
			break
		}
	}
	t.Logf("%s: %.4f to %.4f of the rate of %v in ten seconds, at most %d parts in one", name, least, most, rate, busiest)
	if most == 0 {
		t.Errorf("%s: sending took %v, too short to show anything", name, ended.Sub(at[0]))
	}
}

// stall is a time in which the machine let nothing happen.
type stall struct{ from, to time.Time }

// steps is how many exchanges it takes at least until the parts of a stride leave, each of which is held up.
const steps = 2

// lost counts the seconds of a time, and of the second before it, in which the machine stood still.
func lost(held []stall, from time.Time, d time.Duration) (seconds float64) {
	to := from.Add(d)
	from = from.Add(-time.Second)
	for _, s := range held {
		if s.to.After(from) && s.from.Before(to) {
			seconds += s.to.Sub(s.from).Seconds()
		}
	}
	return seconds
}

// watchTheMachine asks the database for nothing every few milliseconds and notes when no answer came for a while: whoever is held up here,
// by others' tests, is held up in the processes too, at each step. It returns what was noted and stops.
func (b *bench) watchTheMachine() func() []stall {
	const every, late = 5 * time.Millisecond, 20 * time.Millisecond
	ticker, stop, ended := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	var held []stall
	go func() {
		defer close(ended)
		for last := time.Now(); ; {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			if err := b.app.Pool.Ping(context.WithoutCancel(b.t.Context())); err != nil {
				b.t.Errorf("watch the machine: %v", err)
				return
			}
			now := time.Now()
			if now.Sub(last) > late {
				held = append(held, stall{last, now})
			}
			last = now
		}
	}()
	var once sync.Once
	end := func() []stall {
		once.Do(func() { close(stop) })
		<-ended
		ticker.Stop()
		return held
	}
	b.t.Cleanup(func() { end() })
	return end
}
