package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pukar/campaign"
	"pukar/internal/config"
)

func TestRouteTerms(t *testing.T) {
	t.Parallel()
	receiver := config.Bind{Type: config.Receiver, Window: 10, PartsPerSecond: 1}
	fast := config.Bind{Type: config.Transceiver, Window: 10, PartsPerSecond: 30}
	slow := config.Bind{Type: config.Transmitter, Window: 5, PartsPerSecond: 20}
	free := config.Bind{Type: config.Transmitter, Window: 20}
	got, err := routeTerms([]config.Route{
		{Name: "limited", InrPerPart: "0.145", PartsPerSecond: 100, Binds: []config.Bind{fast, slow, receiver}},
		{Name: "one-free", InrPerPart: "0", Receipts: true, Binds: []config.Bind{fast, free}},
		{Name: "free", InrPerPart: "0", Simulated: true, Binds: []config.Bind{free}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]campaign.RouteTerms{
		"limited":  {Name: "limited", INRPerPart: 145_000, PartsPerSecond: 100, Window: 15, BindsPerSecond: 50, SlowestBind: 20},
		"one-free": {Name: "one-free", Receipts: true, Window: 30, SlowestBind: 30},
		"free":     {Name: "free", Simulated: true, Window: 20},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
