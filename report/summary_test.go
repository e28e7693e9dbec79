package report

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestSummaryAgreesWithTheReport(t *testing.T) {
	t.Parallel()
	l, want := everyState()
	pool := l.store(t)
	s, err := Summary(t.Context(), pool, "onorc-bihar", 0)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	m, err := Delivery(t.Context(), pool, &file, Options{Campaign: "onorc-bihar"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Totals, s.Totals); diff != "" {
		t.Errorf("totals: (-report +summary)\n%s", diff)
	}
	if diff := cmp.Diff(m.Excluded, s.Excluded); diff != "" {
		t.Errorf("excluded: (-report +summary)\n%s", diff)
	}
	if s.Parts != m.Parts || s.CostINR != m.CostINR || s.SnapshotHash != m.SnapshotHash || s.Targeted != m.Targeted || s.Recipients != int64(len(want)) {
		t.Errorf("summary %+v, manifest %+v", s, m)
	}
	groups := map[string]int64{}
	for _, line := range read(t, file.Bytes())[1:] {
		groups["language "+line[5]+" "+line[10]]++
		groups["home "+line[6]+" "+line[10]]++
	}
	got := map[string]int64{}
	for kind, list := range map[string][]Group{"language ": s.ByLanguage, "home ": s.ByHomeState} {
		for _, g := range list {
			for state, n := range g.Totals {
				got[kind+g.Name+" "+state] = n
			}
		}
	}
	if diff := cmp.Diff(groups, got); diff != "" {
		t.Errorf("groups: (-rows +summary)\n%s", diff)
	}
}

func TestSummaryErrorsAndTimes(t *testing.T) {
	t.Parallel()
	l, _ := everyState()
	pool := l.store(t)
	s, err := Summary(t.Context(), pool, "onorc-bihar", 1)
	if err != nil {
		t.Fatal(err)
	}
	wantErrors := []ErrorCount{
		{"expired", "", 1},
		{"failed", "-21", 1},
		{"rejected", "0x00000400", 1},
		{"rejected", "ESME_RINVDSTADR 0x0000000B", 1},
		{"skipped", "render", 1},
		{"suppressed", "suppressed", 1},
	}
	if diff := cmp.Diff(wantErrors, s.Errors); diff != "" {
		t.Errorf("errors: (-want +got)\n%s", diff)
	}
	first, accepted, final := at(0), at(6000), at(24*3600*1000)
	want := Times{FrozenAt: frozen, FirstSubmitted: &first, LastAccepted: &accepted, LastFinal: &final, DeliveryP50: 3, DeliveryP90: 6.9, DeliveryP99: 6.9}
	if diff := cmp.Diff(want, s.Times, cmpopts.EquateApprox(0.05, 0), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("times: (-want +got)\n%s", diff)
	}
	if _, err := Summary(t.Context(), pool, "onorc-bihar", 9); !errors.Is(err, ErrNotFound) {
		t.Errorf("run 9: %v, want ErrNotFound", err)
	}
}

func TestHistogramIsWithinFivePercent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(0, int64(10*24*time.Hour/time.Millisecond)).Draw(t, "milliseconds")
		var h histogram
		h.add(micros(d) * 1000)
		got := h.quantile(0.5) * 1000
		if diff := got - float64(d); diff > float64(d)*0.05+0.5 || diff < -float64(d)*0.05-0.5 {
			t.Fatalf("%d ms: %v", d, got)
		}
	})
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("nothing: %v", got)
	}
	h.add(-1)
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("a clock behind: %v", got)
	}
}
