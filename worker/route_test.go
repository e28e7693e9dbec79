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
			if !r.ahead.TryAcquire(int64(test.want)) || r.ahead.TryAcquire(1) {
				t.Error("the room is not of that size")
			}
		})
	}
}

func TestThrottles(t *testing.T) {
	t.Parallel()
	r := NewRoute(config.Route{PartsPerSecond: 100, Binds: []config.Bind{{Name: "main-1", Window: 10, PartsPerSecond: 40}, {Name: "main-2", Window: 10}}}, nil)
	tests := []struct {
		name, bind   string
		campaignRate float64
		bindRate     float64
		slowest      float64
	}{
		{"the bind is slowest", "main-1", 50, 40, 40},
		{"the campaign is slowest", "main-1", 5, 40, 5},
		{"the route is slowest", "main-2", 0, 0, 100},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			limits, slowest := r.throttles(test.bind, "camp", test.campaignRate)
			want := []throttle.Limit{
				{Name: "route", PartsPerSecond: 100}, {Name: "bind:" + test.bind, PartsPerSecond: test.bindRate}, {Name: "campaign:camp", PartsPerSecond: test.campaignRate},
			}
			if diff := cmp.Diff(want, limits); diff != "" {
				t.Error(diff)
			}
			if slowest != test.slowest {
				t.Errorf("the slowest is %v, want %v", slowest, test.slowest)
			}
		})
	}
	if _, slowest := NewRoute(config.Route{Binds: []config.Bind{{Name: "b", Window: 10}}}, nil).throttles("b", "camp", 0); slowest != 0 {
		t.Errorf("without any rate the slowest is %v", slowest)
	}
	if len(r.limits) != 1 {
		t.Errorf("asking has changed the route's own limits: %+v", r.limits)
	}
}
