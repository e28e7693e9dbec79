package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// envSeed repeats a run of the short form.
const envSeed = "CHAOS_SEED"

// The short form: what happens is drawn, within the time that it takes.
const (
	shortPeople  = 2500
	shortMoments = 12
	shortBudget  = 18 * time.Second
)

// TestCampaignUnderChaos is the short form of `make chaos`.
func TestCampaignUnderChaos(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64N(1_000_000)
	if text := os.Getenv(envSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", envSeed, err)
		}
	}
	t.Logf("to repeat it: %s=%d go test -run %s ./internal/chaos", envSeed, seed, t.Name())
	o := Options{People: shortPeople, Moments: shortMoments, Seed: seed, Within: 5 * time.Minute, Out: lines{t}}
	if err := run(context.Background(), o, shortBudget); err != nil {
		t.Fatal(err)
	}
}

// lines writes to a test's log.
type lines struct{ t *testing.T }

func (l lines) Write(p []byte) (int, error) {
	l.t.Helper()
	l.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// TestTheSameSeedPlansTheSame lets a run be repeated.
func TestTheSameSeedPlansTheSame(t *testing.T) {
	t.Parallel()
	plan := func(seed uint64) string {
		h := newHarness(Options{People: 1000, Moments: 50, Seed: seed})
		planned, err := h.plan(0)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range planned {
			names = append(names, m.name)
		}
		return strings.Join(names, ", ")
	}
	if plan(5) != plan(5) {
		t.Error("seed 5 gives another plan the second time")
	}
	if plan(5) == plan(6) {
		t.Error("seeds 5 and 6 give the same plan")
	}
	for seed := range uint64(100) {
		h := newHarness(Options{People: 1000, Moments: shortMoments, Seed: seed})
		planned, err := h.plan(shortBudget)
		if err != nil {
			t.Fatal(err)
		}
		var cost time.Duration
		for _, m := range planned {
			cost += m.cost
		}
		if cost > 2*shortBudget || len(planned) < 3 {
			t.Errorf("seed %d plans %d moments of %s", seed, len(planned), cost)
		}
	}
	for _, m := range moments() {
		if !strings.Contains(plan(5), m.name) {
			t.Errorf("%q is not among 50 moments", m.name)
		}
	}
}

func TestOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"too few":   {People: 499, Moments: 1},
		"none":      {People: 1000},
		"no moment": {People: 1000, Moments: 1, Only: []string{"nothing of the sort"}},
	} {
		o.Out = lines{t}
		if err := Run(t.Context(), o); !errors.Is(err, errUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A check that cannot fail shows nothing. These give the record what a broken ledger would cause.
func TestTruthTells(t *testing.T) {
	t.Parallel()
	const header = "at,seq,system_id,source,destination,esm_class,data_coding,short_message,tlvs,message_id,status,fate\n"
	at := func(second int) string { return fmt.Sprintf("2026-03-02T10:00:%02d.000+05:30", second) }
	part := func(second, person int, rest string) string {
		return fmt.Sprintf("%s,1,pukar,HELPLN,%d,%s\n", at(second), firstNumber+person, rest)
	}
	const whole, first, second = "0,0,4142,,id,0x0,DELIVRD", "64,8,06080412340201414243,,id,0x0,DELIVRD", "64,8,06080412340202414243,,id,0x0,DELIVRD"
	moment := func(second int) time.Time {
		t.Helper()
		when, err := time.Parse(time.RFC3339, at(second))
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, test := range map[string]struct {
		record string
		before func(*truth)
		want   string // in the violation; "" for none
	}{
		"once each":             {record: part(1, 0, whole) + part(1, 1, whole)},
		"two parts":             {record: part(1, 0, first) + part(1, 0, second)},
		"refused, then taken":   {record: part(1, 0, "0,0,4142,,,0x58,") + part(2, 0, whole)},
		"twice":                 {record: part(1, 0, whole) + part(2, 0, whole), want: "got part 1 twice"},
		"the second part twice": {record: part(1, 0, first) + part(1, 0, second) + part(9, 0, second), want: "got part 2 twice"},
		"twice with leave":      {record: part(1, 2, whole) + part(2, 2, whole)},
		"nobody of ours":        {record: part(1, 77, whole), want: "nobody of ours"},
		"within a second of her stop": {
			record: part(2, 0, whole), before: func(h *truth) { h.people[0].stopped = moment(1).UnixMilli() },
		},
		"long after her stop": {
			record: part(3, 0, whole), before: func(h *truth) { h.people[0].stopped = moment(1).UnixMilli() }, want: "after her stop",
		},
		"lost with a backup": {
			record: part(2, 0, whole) + part(9, 0, whole), before: func(h *truth) { h.forget(moment(1), moment(3)) },
		},
		"not lost with a backup": {
			record: part(2, 0, whole) + part(9, 0, whole), before: func(h *truth) { h.forget(moment(3), moment(5)) }, want: "twice",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTruth(3, func(i int) bool { return i == 2 })
			if test.before != nil {
				test.before(h)
			}
			for _, piece := range []string{header[:10], header[10:] + test.record[:7], test.record[7:]} {
				if _, err := h.Write([]byte(piece)); err != nil {
					t.Fatal(err)
				}
			}
			found := strings.Join(h.found(), "; ")
			if test.want == "" && found != "" || !strings.Contains(found, test.want) {
				t.Errorf("found %q, want %q", found, test.want)
			}
		})
	}
}
