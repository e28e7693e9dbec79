package doctor

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pukar/internal/config"
	"pukar/smpp"
	"pukar/web/api"
)

// usualResponse is how long a centre takes to answer, where nothing was measured yet: over the internet, mostly 20 to 100 ms.
const usualResponse = 50 * time.Millisecond

func examineRoutes(ctx context.Context, i *installation) []Check {
	var checks []Check
	var live map[string]api.Route
	measured := map[string]time.Duration{}
	if i.health != nil && i.healthErr == nil {
		if list, err := i.client.Routes(ctx); err == nil {
			live = make(map[string]api.Route, len(list.Routes))
			for _, r := range list.Routes {
				live[r.Name] = r
			}
		}
		if text, err := i.client.Metrics(ctx); err == nil {
			measured = responseTimes(text)
		}
	}
	for _, route := range i.config.Routes {
		checks = append(checks, judgeRates(route, measured[route.Name]))
		if live == nil {
			checks = append(checks, unknown("bound "+route.Name, "the server"))
		} else if r, known := live[route.Name]; !known {
			checks = append(checks, warning("bound "+route.Name, "start the server again", "the server does not know route %s yet", route.Name))
		} else {
			checks = append(checks, judgeBinds(route, r)...)
		}
		checks = append(checks, i.examineReceipts(ctx, route))
	}
	return checks
}

// sample is a line of the metrics' text format for the submits of a route.
var sample = regexp.MustCompile(`(?m)^pukar_submit_seconds_(sum|count)\{route="([^"]+)"\} (\S+)$`)

// responseTimes are the means of how long responses took, by route, where enough of them were measured.
func responseTimes(metrics string) map[string]time.Duration {
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, match := range sample.FindAllStringSubmatch(metrics, -1) {
		value, err := strconv.ParseFloat(match[3], 64)
		if err != nil {
			continue
		}
		if match[1] == "sum" {
			sums[match[2]] = value
		} else {
			counts[match[2]] = value
		}
	}
	means := make(map[string]time.Duration, len(sums))
	for route, n := range counts {
		if n >= 20 {
			means[route] = time.Duration(sums[route] / n * float64(time.Second))
		}
	}
	return means
}

// judgeRates compares a rate with what the windows can carry: no more than a window for each response time.
func judgeRates(route config.Route, measured time.Duration) Check {
	name := "rate " + route.Name
	response, how := measured, "by the response times measured"
	if measured == 0 {
		response, how = usualResponse, "at 50 ms for a response"
	}
	window, rate := 0, 0.0
	unlimited := false
	for _, b := range route.Binds {
		if b.Type == smpp.TypeReceiver {
			continue
		}
		window += b.Window
		rate += b.PartsPerSecond
		unlimited = unlimited || b.PartsPerSecond == 0
	}
	if window == 0 {
		return problem(name, "add a transceiver or transmitter", "route %s has no bind that can send", route.Name)
	}
	if unlimited || rate == 0 || route.PartsPerSecond > 0 && route.PartsPerSecond < rate {
		rate = route.PartsPerSecond
	}
	reach := float64(window) / response.Seconds()
	switch {
	case rate == 0:
		return ok(name, "no limit; %s a window of %d carries about %.0f parts/s", how, window, reach)
	case reach < 0.9*rate:
		return warning(name, fmt.Sprintf("agree on a window of %.0f with the operator, or lower the rate", math.Ceil(rate*response.Seconds()*1.2)),
			"%s a window of %d carries about %.0f parts/s: the rate of %g is never reached", how, window, reach, rate)
	}
	return ok(name, "%g parts/s; %s a window of %d carries about %.0f", rate, how, window, reach)
}

func judgeBinds(route config.Route, live api.Route) []Check {
	var checks []Check
	for _, b := range live.Binds {
		name := "bind " + b.Name
		switch {
		case b.State == string(smpp.Bound):
			checks = append(checks, ok(name, "bound"))
		case strings.Contains(b.Reason, "this process does not run it"):
			checks = append(checks, ok(name, "another process has it"))
		case strings.Contains(b.Reason, "refused") && !strings.Contains(b.Reason, "connection refused"):
			checks = append(checks, problem(name, "correct system_id, password and system_type in the configuration and start again; ask the operator whether the address of this machine is allowed", "it is %s: %s", b.State, b.Reason))
		default:
			checks = append(checks, problem(name, "see that "+addrOf(route, b.Name)+" can be reached from here, and ask the operator whether the centre is up", "it is %s: %s", b.State, b.Reason))
		}
	}
	return checks
}

func addrOf(route config.Route, bind string) string {
	for _, b := range route.Binds {
		if b.Name == bind {
			return b.Addr
		}
	}
	return "the centre"
}

const (
	// The newest strides by their number, so that no long table is read; a stride that was closed ten minutes ago and more
	// has had time for receipts of people whose phones are on.
	sqlAccepted = `
SELECT coalesce(sum(s.parts), 0)::int8
FROM (SELECT * FROM stride ORDER BY id DESC LIMIT 2000) s
WHERE s.route = $1 AND s.opened_at BETWEEN $2::timestamptz - interval '1 hour' AND $2::timestamptz - interval '10 minutes'
  AND EXISTS (SELECT 1 FROM submission a
              WHERE a.run_id = s.run_id AND a.seq BETWEEN s.lo AND s.hi AND a.result = 'accepted')`

	sqlReceived = `
SELECT EXISTS (SELECT 1 FROM inbox
               WHERE kind = 'receipt' AND bind = ANY ($1) AND at > $2::timestamptz - interval '1 hour')`
)

// examineReceipts looks whether receipts come for what was accepted.
func (i *installation) examineReceipts(ctx context.Context, route config.Route) Check {
	name := "receipts " + route.Name
	if !route.Receipts {
		return ok(name, "none are expected")
	}
	if i.database == nil {
		return unknown(name, "PostgreSQL")
	}
	var binds []string
	receives := false
	for _, b := range route.Binds {
		binds = append(binds, b.Name)
		receives = receives || b.Type != smpp.TypeTransmitter
	}
	now := i.now()
	var accepted int64
	var received bool
	err := i.database.QueryRow(ctx, sqlAccepted, route.Name, now).Scan(&accepted)
	if err == nil && accepted > 0 {
		err = i.database.QueryRow(ctx, sqlReceived, binds, now).Scan(&received)
	}
	if err != nil {
		return problem(name, "look into PostgreSQL's log; without its tables, run `pukar migrate`", "%v", err)
	}
	return judgeReceipts(name, accepted, received, receives)
}

// enoughAccepted is from how many parts on it says something that no receipt came.
const enoughAccepted = 20

func judgeReceipts(name string, accepted int64, received, receives bool) Check {
	switch {
	case !receives:
		return problem(name, "make a bind a transceiver, add a receiver, or set receipts: false", "no bind of the route can receive any")
	case accepted >= enoughAccepted && !received:
		return problem(name, "ask the operator where receipts for this system_id go: another bind or system may take them; or set receipts: false",
			"about %s parts went out in the last hour, and not one receipt came", count(accepted))
	case accepted >= enoughAccepted:
		return ok(name, "they come")
	}
	return ok(name, "too little went out in the last hour to tell")
}
