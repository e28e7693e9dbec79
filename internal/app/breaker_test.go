package app

import (
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

// broken waits until the breaker has paused a campaign, and answers how many parts the centre got.
func (b *bench) broken(name string, says ...string) int64 {
	b.t.Helper()
	status := b.until(name, "the breaker to pause the run", func(s *campaign.Status) bool { return s.State == string(campaign.RunPaused) })
	for _, part := range append(says, "paused by the breaker", "template onorc-intro", "header HELPLN", "route main", "`pukar campaign resume "+name+"`") {
		if !strings.Contains(status.Why, part) {
			b.t.Errorf("%q does not say %q", status.Why, part)
		}
	}
	b.still()
	return b.centre.Stats().Submits
}

const sqlBreaks = `SELECT count(*) FROM audit_event WHERE action = 'campaign.break' AND actor = 'pukar'`

func TestTheBreakerStopsWhatTheCentreRefuses(t *testing.T) {
	t.Parallel()
	const people = 20_000
	b := newBench(t, smsc.Options{RefuseRatio: 1, RefuseStatus: pdu.StatusInvalidSource}, nil)
	b.run()
	b.people(people)
	b.launch("refused")
	burnt := b.broken("refused", "0x0A", "source")
	t.Logf("%d parts were burnt at full rate with a window of 100", burnt)
	if burnt < 20 || burnt > 500 {
		t.Errorf("%d parts were burnt", burnt)
	}
	if breaks := b.count(sqlBreaks); breaks != 1 {
		t.Errorf("%d events of the breaker", breaks)
	}
	// It starts afresh: what is as wrong as before trips it once more, and not for what came before.
	if _, err := b.app.Campaigns.Resume(t.Context(), "refused", "test"); err != nil {
		t.Fatal(err)
	}
	b.eventually("more to be submitted", func() bool { return b.centre.Stats().Submits >= burnt+20 })
	again := b.broken("refused", "0x0A") - burnt
	if again > 500 || b.count(sqlBreaks) != 2 {
		t.Errorf("%d parts were burnt after the resume, %d events", again, b.count(sqlBreaks))
	}
	if status := b.status("refused"); status.Totals.Rejected == 0 || status.Totals.Pending < people-1000 {
		t.Errorf("totals %+v", status.Totals)
	}
}

func TestTheBreakerStopsWhatReceiptsSayFails(t *testing.T) {
	t.Parallel()
	const people = 5000
	b := newBench(t, smsc.Options{FailRatio: 1, FailCode: 633}, func(c *config.Config) { c.Routes[0].PartsPerSecond = 500 })
	b.run()
	b.people(people)
	b.launch("scrubbed")
	burnt := b.broken("scrubbed", "633", "the text does not match the registered template", "receipts")
	t.Logf("%d parts were burnt at 500 a second", burnt)
	if burnt < 20 || burnt > 500 {
		t.Errorf("%d parts were burnt", burnt)
	}
	if breaks := b.count(sqlBreaks); breaks != 1 {
		t.Errorf("%d events of the breaker", breaks)
	}
}

func TestSingleNumbersDoNotTripTheBreaker(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options smsc.Options
		codes   map[string]string
	}{
		"refused":    {smsc.Options{RefuseRatio: 1, RefuseStatus: pdu.StatusInvalidDestination}, nil},
		"failed":     {smsc.Options{FailRatio: 1}, nil},
		"unwanted":   {smsc.Options{FailRatio: 1, FailCode: 650}, nil},
		"overridden": {smsc.Options{FailRatio: 1, FailCode: 633}, map[string]string{"633": config.ErrorPermanent}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const people = 500
			b := newBench(t, test.options, func(c *config.Config) { c.Routes[0].ErrorCodes = test.codes })
			b.run()
			b.people(people)
			b.launch("single")
			status := b.done("single")
			if status.Totals.Rejected+status.Totals.Failed != people || b.count(sqlBreaks) != 0 {
				t.Errorf("totals %+v, %d events of the breaker", status.Totals, b.count(sqlBreaks))
			}
		})
	}
}

// What was submitted before a resume says nothing of what was mended.
func TestOldReceiptsDoNotTripTheBreakerAgain(t *testing.T) {
	t.Parallel()
	const people = 300
	b := newBench(t, smsc.Options{FailRatio: 1, FailCode: 633, ReceiptDelay: 3 * time.Second}, nil)
	b.run()
	b.people(people)
	b.launch("late")
	b.eventually("everybody to be written to", func() bool { return b.status("late").Totals.Sent == people })
	// Somebody has paused and mended and resumed it meanwhile.
	b.exec(`UPDATE run SET state = 'running', resumed_at = now()`)
	status := b.until("late", "every receipt to come", func(s *campaign.Status) bool { return s.Totals.Failed == people })
	if b.count(sqlBreaks) != 0 {
		t.Errorf("the run is %s: %s", status.State, status.Why)
	}
}
