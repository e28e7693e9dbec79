package main

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pukar/internal/testenv"
	"pukar/web/api"
	"pukar/web/client"
)

// Whoever says stop while a run goes on is not written to after the second in which it was heard, on whichever way it
// came: by a gateway's call or as a message over SMPP.
func TestStopTakesEffectWithinASecond(t *testing.T) {
	t.Parallel()
	const people, perSecond = 3000, 600
	i := install(t, perSecond)
	var list strings.Builder
	list.WriteString("msisdn,name,language,consent_sms\n")
	for n := range people {
		fmt.Fprintf(&list, "%d,Person %d,en,yes\n", 9812300000+n, n)
	}
	i.ok("audience", "import", write(t, "people.csv", list.String()))
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile))
	caller := client.New(filepath.Join(i.home, "pukar.sock"))
	defer caller.Close()
	i.ok("campaign", "launch", "first")
	testenv.Eventually(t, 30*time.Second, "the run to be well under way", func() bool { return i.centre.Stats().Submits > people/10 })

	heard := map[string]time.Time{} // when the stop was confirmed, by number
	for n := 0; n < people; n += people / 40 {
		number := fmt.Sprint(919812300000 + n)
		said := time.Now()
		if n%2 == 0 {
			result, err := caller.Inbound(t.Context(), api.InboundRequest{Kind: "sms", From: number, To: "919811100000", Text: "बंद करो", ID: number})
			if err != nil || result.Effect != "stop" {
				t.Fatalf("gateway: %+v, %v", result, err)
			}
		} else if err := i.centre.Inject(number, "919811100000", "STOP"); err != nil {
			t.Fatal(err)
		}
		heard[number] = time.Now()
		if took := heard[number].Sub(said); took > time.Second {
			t.Errorf("a stop took %s to be confirmed", took)
		}
	}
	i.ok("campaign", "watch", "first")
	status := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json"))
	if status.State != "done" || status.Totals.Suppressed == 0 || status.Totals.Sum() != people {
		t.Errorf("status %+v", status)
	}
	i.checkNothingAfter(heard, status)
}

// checkNothingAfter compares the stops with the centre's own record.
func (i *installation) checkNothingAfter(heard map[string]time.Time, status api.CampaignStatus) {
	i.t.Helper()
	if err := i.centre.Flush(); err != nil {
		i.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(i.record.String())).ReadAll()
	if err != nil {
		i.t.Fatal(err)
	}
	column := map[string]int{}
	for at, name := range rows[0] {
		column[name] = at
	}
	spared := int64(len(heard))
	for _, row := range rows[1:] {
		stopped, ok := heard[row[column["destination"]]]
		if !ok {
			continue
		}
		spared--
		at, err := time.Parse(time.RFC3339, row[column["at"]])
		if err != nil {
			i.t.Fatal(err)
		}
		// The record has milliseconds.
		if late := at.Sub(stopped); late > 2*time.Millisecond {
			i.t.Errorf("%s was written to %s after the stop was confirmed", row[column["destination"]], late)
		}
	}
	if spared != status.Totals.Suppressed {
		i.t.Errorf("%d of those who said stop got nothing, the status counts %d suppressed", spared, status.Totals.Suppressed)
	}
}
