package campaign

import (
	"math"
	"strings"
	"testing"
	"time"

	"pukar/templates"
)

func TestForecast(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		parts int64
		rate  float64
		route RouteTerms
		want  float64       // parts a second
		takes time.Duration // from noon
	}{
		{"the campaign's rate", 100, 10, RouteTerms{PartsPerSecond: 20, BindsPerSecond: 30}, 10, 10 * time.Second},
		{"the route's rate", 100, 30, RouteTerms{PartsPerSecond: 20, BindsPerSecond: 30}, 20, 5 * time.Second},
		{"the binds' rates", 100, 30, RouteTerms{PartsPerSecond: 20, BindsPerSecond: 10}, 10, 10 * time.Second},
		{"only the binds have rates", 100, 0, RouteTerms{BindsPerSecond: 4, Window: 10}, 4, 25 * time.Second},
		{"no rate", 100, 0, RouteTerms{Window: 10}, 100, time.Second},
		{"no rate and no window", 100, 0, RouteTerms{}, 1, 100 * time.Second},
		{"nothing to send", 0, 10, RouteTerms{}, 10, 0},
		{"next to nothing a second", math.MaxInt32, 1e-300, RouteTerms{}, 1e-300, never},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plan := &Plan{Parts: test.parts}
			if err := plan.forecast(AlwaysWindow(), test.rate, test.route, noon); err != nil {
				t.Fatal(err)
			}
			if plan.PartsPerSecond != test.want || !plan.FinishesAt.Equal(noon.Add(test.takes)) {
				t.Errorf("%v parts a second, finished %s, want %v and %s", plan.PartsPerSecond, plan.FinishesAt, test.want, noon.Add(test.takes))
			}
			if warned := strings.Contains(strings.Join(plan.Warnings, "\n"), "hundred years"); warned != (test.takes == never) {
				t.Errorf("warnings are %q", plan.Warnings)
			}
		})
	}
}

func TestRatesTooSlowForAMessage(t *testing.T) {
	t.Parallel()
	template, err := templates.Parse([]byte(introTemplate))
	if err != nil {
		t.Fatal(err)
	}
	previews, err := template.Preview(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if most := max(previews[0].MostParts, previews[1].MostParts); most != 3 {
		t.Fatalf("the longest message has %d parts, this test reckons with 3", most)
	}
	tests := []struct {
		name  string
		rate  float64
		route RouteTerms
		words string // "" when it keeps up
	}{
		{"no rates", 0, RouteTerms{}, ""},
		{"just fast enough", 0.1, RouteTerms{PartsPerSecond: 0.1, SlowestBind: 0.1}, ""},
		{"the campaign's", 0.09, RouteTerms{}, "rate.parts_per_second: 0.09 is too slow: a message can have 3 parts (en), which take longer than 30s; 0.1 would do"},
		{"the route's", 5, RouteTerms{Name: "main", PartsPerSecond: 0.05}, "route main, parts_per_second: 0.05 is too slow"},
		{"a bind's", 5, RouteTerms{Name: "main", BindsPerSecond: 20, SlowestBind: 0.05}, "route main, parts_per_second of a bind: 0.05 is too slow"},
		{"next to nothing", 1e-300, RouteTerms{}, "0.1 would do"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := keepsUp(&Spec{Rate: test.rate}, template, test.route)
			if test.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wants(t, err, ErrInvalid, test.words)
		})
	}
}

func TestRatesAreCheckedWithTheFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	_, err := d.Create(t.Context(), campaignFile("slow", "rate: {parts_per_second: 0.01}"), "asha")
	wants(t, err, ErrInvalid, "rate.parts_per_second: 0.01 is too slow")
	for _, rate := range []string{".nan", ".inf", "-.inf", "-1"} {
		_, err := d.Create(t.Context(), campaignFile("odd", "rate: {parts_per_second: "+rate+"}"), "asha")
		wants(t, err, ErrInvalid, "rate.parts_per_second:", "write a number")
	}
}
