package app

import (
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// impatient waits a second for a response.
func impatient(c *config.Config) { c.Routes[0].Binds[0].ResponseTimeout = time.Second }

func TestAnUnknownIsSettledByItsNumberAfterTenMinutes(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{SilentRatio: 0.1}, impatient)
	b.run()
	const people = 300
	b.people(people)
	b.launch("silent")
	status := b.done("silent")
	silent := make(map[string]int)
	answered := b.count("SELECT count(*) FROM submission WHERE result = 'accepted'")
	stats := b.centre.Stats()
	if stats.Silent == 0 || answered != stats.Accepted-stats.Silent {
		t.Errorf("%d parts were accepted, %d of them in silence; the ledger has %d accepted", stats.Accepted, stats.Silent, answered)
	}
	for number, row := range b.report("silent") {
		if row.outcome == "unknown" {
			silent[number]++
		}
	}
	if int64(len(silent)) != status.Totals.Unknown || status.Totals.Unknown == 0 || status.Totals.Delivered+status.Totals.Unknown != people {
		t.Errorf("totals %+v and %d unknown in the report", status.Totals, len(silent))
	}
	b.eventually("every receipt to be in", func() bool { return b.centre.Stats().ReceiptsAcked == stats.Accepted })
	b.eventually("the receipts of the unknown to be parked", func() bool { return b.count("SELECT count(*) FROM parked") == stats.Silent })

	// Where both parts of a message are unknown, no receipt says which of them it is for.
	const sqlClear = `SELECT count(*) FROM (SELECT 1 FROM submission WHERE result = 'unknown' GROUP BY run_id, seq HAVING count(*) = 1) AS one`
	clear := b.count(sqlClear)
	b.exec("UPDATE parked SET next_try = now()")
	b.eventually("the receipts to be tried again", func() bool { return b.count("SELECT count(*) FROM parked WHERE tries = 0") == 0 })
	if again := b.status("silent").Totals; again != status.Totals {
		t.Errorf("totals %+v before ten minutes are over, want %+v as before", again, status.Totals)
	}
	b.exec("UPDATE parked SET at = at - interval '11 minutes', next_try = now()")
	b.until("silent", "the unknown to be settled by their numbers", func(s *campaign.Status) bool {
		return s.Totals.Unknown == status.Totals.Unknown-clear
	})
	if n := b.count("SELECT count(*) FROM receipt_match WHERE how = 'number'"); n != clear {
		t.Errorf("%d receipts are marked as matched by number, want %d", n, clear)
	}
	if totals := b.status("silent").Totals; totals.Delivered+totals.Unknown != people || clear == 0 {
		t.Errorf("totals %+v after %d were settled by number", totals, clear)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}

func TestALateResponseSettlesTheUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{ResponseDelay: 2500 * time.Millisecond}, impatient)
	b.run()
	const people = 60
	b.people(people)
	b.launch("late")
	b.until("late", "people to be unknown", func(s *campaign.Status) bool { return s.Totals.Unknown > 0 })
	status := b.until("late", "everybody to be delivered", func(s *campaign.Status) bool { return s.Totals.Delivered == people })
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	for _, result := range []string{"unknown", "accepted"} {
		b.eventually("every part to be recorded as "+result, func() bool {
			return b.count("SELECT count(*) FROM submission WHERE result = $1", result) == b.centre.Stats().Accepted
		})
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}
