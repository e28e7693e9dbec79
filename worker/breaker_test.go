package worker

import (
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp"
	"pukar/smpp/pdu"
	"pukar/templates"
)

func TestWhatTheBreakerBlames(t *testing.T) {
	t.Parallel()
	b := &Breaker{Routes: []config.Route{{Name: "own", ErrorCodes: map[string]string{
		"0650": config.ErrorConfiguration, "633": config.ErrorPermanent, "0x0A": config.ErrorPermanent, "1234": config.ErrorConfiguration,
	}}}}
	for _, test := range []struct {
		route, code string
		want        smpp.Class
	}{
		{"main", "", smpp.ClassSuccess}, {"main", "000", smpp.ClassSuccess},
		{"main", "633", smpp.ClassConfiguration}, {"main", "0633", smpp.ClassConfiguration}, {"main", "604", smpp.ClassConfiguration},
		{"main", "614", smpp.ClassConfiguration}, {"main", "618", smpp.ClassConfiguration}, {"main", "620", smpp.ClassConfiguration},
		{"main", "670", smpp.ClassConfiguration}, {"main", "701", smpp.ClassConfiguration}, {"main", "813", smpp.ClassConfiguration},
		{"main", "424", smpp.ClassConfiguration}, {"main", "5307", smpp.ClassConfiguration},
		{"main", "650", smpp.ClassPermanent}, {"main", "660", smpp.ClassPermanent}, {"main", "001", smpp.ClassPermanent}, {"main", "34", smpp.ClassPermanent},
		{"main", "407", smpp.ClassTransient}, {"main", "9088", smpp.ClassTransient},
		{"own", "650", smpp.ClassConfiguration}, {"own", "633", smpp.ClassPermanent}, {"own", "620", smpp.ClassConfiguration},
	} {
		if got := b.classOf(test.route, test.code); got != test.want {
			t.Errorf("%q on route %s is %s, want %s", test.code, test.route, got, test.want)
		}
	}
	for _, test := range []struct {
		route  string
		status pdu.Status
		want   bool
	}{
		{"main", pdu.StatusInvalidSource, true}, {"main", pdu.StatusInvalidOptional, true}, {"main", 633, true},
		{"main", pdu.StatusInvalidDestination, false}, {"main", pdu.StatusReceiverPermanent, false}, {"main", 650, false}, {"main", 0x4FF, false},
		{"own", pdu.StatusInvalidSource, false}, {"own", 650, true}, {"own", 633, false}, {"own", 1234, true},
	} {
		if got := b.faultOfStatus(test.route, test.status); got != test.want {
			t.Errorf("0x%X on route %s is blamed: %v, want %v", uint32(test.status), test.route, got, test.want)
		}
	}
}

func TestTheBreakerSaysWhy(t *testing.T) {
	t.Parallel()
	b := &Breaker{Routes: []config.Route{{Name: "main"}}}
	j := &job{run: &campaign.Run{Campaign: "bihar", Template: "intro", Route: "main"}, template: &templates.Template{Header: "HELPLN"}}
	for _, test := range []struct {
		trip  trip
		parts []string
	}{
		{trip{byReceipt, "633", 50, 42}, []string{"633 (the text does not match the registered template)", "42 of the last 50 receipts", "`pukar template add FILE`"}},
		{trip{byResponse, "0x0A", 20, 20}, []string{"0x0A (", "20 of the last 20 responses", "source_ton"}},
		{trip{byResponse, "1234", 20, 20}, []string{"1234 (", "ask the operator of route main"}},
	} {
		why := b.why(j, &test.trip)
		for _, part := range append(test.parts, "template intro", "header HELPLN", "route main", "`pukar campaign resume bihar`") {
			if !strings.Contains(why, part) {
				t.Errorf("%q does not say %q", why, part)
			}
		}
	}
}

// TestTheBreakerForgetsMessages sees the responses to a hundred thousand runs of one message each, and of one campaign beside them.
func TestTheBreakerForgetsMessages(t *testing.T) {
	t.Parallel()
	b := &Breaker{Routes: []config.Route{{Name: "main"}}}
	accepted := []campaign.PartResult{{Result: campaign.Accepted}}
	for run := range int32(100_000) {
		b.Responses(t.Context(), &campaign.Stride{Run: run + 1, Route: "main", Begun: time.Now()}, accepted)
		if run%100 == 0 {
			b.Responses(t.Context(), &campaign.Stride{Run: -1, Route: "main", Begun: time.Now()}, accepted)
		}
	}
	if n := len(b.young) + len(b.aging); n > 2*watchedMost {
		t.Errorf("%d runs are remembered", n)
	}
	if n := b.watch(-1).responses.results; n != 1000 {
		t.Errorf("%d results of the campaign are remembered, want 1000", n)
	}
}
