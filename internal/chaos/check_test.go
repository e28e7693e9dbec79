package chaos

import (
	"strings"
	"testing"

	"pukar/campaign"
)

// Each of these is a ledger that broke its promise, or one that did not.
func TestCheckTells(t *testing.T) {
	t.Parallel()
	one := campaign.Part(1)
	delivered := campaign.Facts{Parts: 1, Accepted: one, Delivered: one}
	for name, test := range map[string]struct {
		stored, counted campaign.Facts
		open            campaign.PartSet
		record          uint8 // parts that the centre accepted
		change          func(*account)
		want            string // "" for nothing
	}{
		"delivered":                  {stored: delivered, counted: delivered, record: 1},
		"accepted behind its back":   {stored: campaign.Facts{Parts: 1, Unknown: one}, counted: campaign.Facts{Parts: 1, Unknown: one}, record: 1},
		"forgotten":                  {stored: campaign.Facts{Flags: campaign.FlagSkipped}, counted: campaign.Facts{Flags: campaign.FlagSkipped}, record: 1, want: "knows nothing"},
		"invented":                   {stored: delivered, counted: delivered, want: "the centre's record has not"},
		"outcome is not its facts":   {stored: delivered, counted: campaign.Facts{Parts: 1, Accepted: one}, record: 1, want: "a recount gives"},
		"nobody left over":           {stored: campaign.Facts{}, want: "ends as pending"},
		"half a message delivered":   {stored: campaign.Facts{Parts: 2, Accepted: 3, Delivered: 3}, counted: campaign.Facts{Parts: 2, Accepted: 3, Delivered: 3}, record: 1, want: "has not"},
		"suppressed without a stop":  {stored: campaign.Facts{Flags: campaign.FlagSuppressed}, counted: campaign.Facts{Flags: campaign.FlagSuppressed}, want: "ends as suppressed"},
		"rejected without a refusal": {stored: campaign.Facts{Parts: 1, Refused: one}, counted: campaign.Facts{Parts: 1, Refused: one}, want: "ends as rejected"},
		"counted twice": {
			stored: delivered, counted: delivered, record: 1, change: func(a *account) { a.totals[campaign.Failed]++ }, want: "add up to 2",
		},
		"targeted and forgotten": {
			stored: delivered, counted: delivered, record: 1, change: func(a *account) { a.excluded++ }, want: "targeted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(Options{People: 1})
			h.groups = []group{{campaign: "one", to: 1}}
			a := &account{
				campaign: "one", state: campaign.RunDone, recipients: 1, persons: []int32{0}, stored: []campaign.Facts{test.stored},
				totals: map[campaign.State]int64{test.stored.State(): 1}, facts: []campaign.Facts{test.counted},
				transient: []bool{false}, open: []campaign.PartSet{test.open},
			}
			if test.change != nil {
				test.change(a)
			}
			record := &look{masks: []uint8{test.record}, excused: []uint8{0}, refused: []bool{false}, stopped: []bool{false}}
			h.checkTotals(a)
			h.checkParts(a, record, record)
			h.checkFacts(a)
			h.checkEnd(a, record)
			found := strings.Join(h.truth.found(), "; ")
			if test.want == "" && found != "" || !strings.Contains(found, test.want) {
				t.Errorf("found %q, want %q", found, test.want)
			}
		})
	}
}
