package worker

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/internal/config"
	"pukar/internal/throttle"
	"pukar/smpp"
	"pukar/smpp/coding"
)

// TestRouteLimit holds what may be written ahead to two windows and half a second of the rate.
func TestRouteLimit(t *testing.T) {
	t.Parallel()
	bind := func(kind string, window int) config.Bind { return config.Bind{Type: kind, Window: window} }
	tests := []struct {
		name  string
		rate  float64
		binds []config.Bind
		want  int
	}{
		{"two windows", 0, []config.Bind{bind(smpp.TypeTransceiver, 500)}, 1000},
		{"of all binds together", 0, []config.Bind{bind(smpp.TypeTransceiver, 500), bind(smpp.TypeTransmitter, 100)}, 1200},
		{"a receiver sends nothing", 0, []config.Bind{bind(smpp.TypeTransmitter, 100), bind(smpp.TypeReceiver, 500)}, 200},
		{"half a second of the rate", 200, []config.Bind{bind(smpp.TypeTransceiver, 500)}, 100},
		{"the lesser of both", 10_000, []config.Bind{bind(smpp.TypeTransceiver, 500)}, 1000},
		{"never less than a message", 1, []config.Bind{bind(smpp.TypeTransceiver, 1)}, coding.MaxParts},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := NewRoute(config.Route{PartsPerSecond: test.rate, Binds: test.binds}, nil)
			if r.limit != test.want {
				t.Errorf("%d parts may be written ahead, want %d", r.limit, test.want)
			}
			if got := r.lanes.room + r.lanes.express; got != test.want || r.lanes.room < coding.MaxParts {
				t.Errorf("there is room for %d parts, %d of them for anybody", got, r.lanes.room)
			}
		})
	}
}

// TestThrottles holds the limits of a stride to the configured rates, and to who spaces.
func TestThrottles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		route        float64
		bind         string
		campaign     float64
		wantBind     throttle.Limit
		wantCampaign throttle.Limit
		spacing      string
	}{
		{"the route spaces", 100, "main-1", 50, throttle.Limit{PartsPerSecond: 40, Burst: 4}, throttle.Limit{PartsPerSecond: 50, Burst: 5}, "route"},
		{"however slow the campaign is", 100, "main-2", 3, throttle.Limit{Burst: 3}, throttle.Limit{PartsPerSecond: 3, Burst: 3}, "route"},
		{"the bind where the route does not", 0, "main-1", 500, throttle.Limit{PartsPerSecond: 40, Burst: 4}, throttle.Limit{PartsPerSecond: 500, Burst: 30}, "bind:main-1"},
		{"the campaign where neither does", 0, "main-2", 5, throttle.Limit{Burst: 3}, throttle.Limit{PartsPerSecond: 5, Burst: 3}, "campaign:camp"},
		{"nothing is limited", 0, "main-2", 0, throttle.Limit{Burst: 3}, throttle.Limit{Burst: 3}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := NewRoute(config.Route{PartsPerSecond: test.route, Binds: []config.Bind{{Name: "main-1", Window: 30, PartsPerSecond: 40}, {Name: "main-2", Window: 10}}}, nil)
			limits, spacing := r.throttles(test.bind, "camp", test.campaign, 2)
			test.wantBind.Name, test.wantCampaign.Name = "bind:"+test.bind, "campaign:camp"
			want := []throttle.Limit{{Name: "route", PartsPerSecond: test.route}, test.wantBind, test.wantCampaign}
			if diff := cmp.Diff(want, limits); diff != "" {
				t.Error(diff)
			}
			if spacing.Name != test.spacing {
				t.Errorf("%q spaces the parts, want %q", spacing.Name, test.spacing)
			}
		})
	}
}
