package app

import (
	"testing"
	"time"

	"pukar/campaign"
	"pukar/smpp/smsc"
)

func TestReceiptsFindTheirMessagesHoweverTheyCome(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]smsc.Options{
		"decimal, as text, before the response": {IDForm: smsc.IDDecimal, ReceiptForm: smsc.ReceiptText, ReceiptBeforeResponse: true},
		"hex, twice":                            {IDForm: smsc.IDHex, DuplicateReceipts: true},
		"hex then decimal, as parameters":       {IDForm: smsc.IDHexDecimal, ReceiptForm: smsc.ReceiptTLV},
		"decimal then hex, as text, twice":      {IDForm: smsc.IDDecimalHex, ReceiptForm: smsc.ReceiptText, DuplicateReceipts: true},
		"padded hex, numbered like the submits": {IDForm: smsc.IDPaddedHex, CollidingSequence: true},
		"uuid, all at once":                     {IDForm: smsc.IDUUID, ReceiptBeforeResponse: true, DuplicateReceipts: true, CollidingSequence: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options, nil)
			b.run()
			const people = 200
			b.people(people)
			b.launch("receipts")
			status := b.done("receipts")
			if want := (campaign.Totals{Delivered: people}); status.Totals != want {
				t.Errorf("totals %+v, want %+v", status.Totals, want)
			}
			b.eventually("every receipt to be acknowledged", func() bool {
				stats := b.centre.Stats()
				return stats.ReceiptsQueued == 0 && stats.Outstanding == 0
			})
			b.eventually("nothing to stay parked", func() bool { return b.count("SELECT count(*) FROM parked") == 0 })
			if matched := b.count("SELECT count(*) FROM receipt_match"); options.ReceiptBeforeResponse && matched == 0 {
				t.Error("no receipt came before its response: the test shows too little")
			}
			stats := b.centre.Stats()
			if stats.Duplicates != 0 || stats.Messages != people || stats.Nacked != 0 {
				t.Errorf("the centre counts %d messages, %d duplicates, %d receipts refused", stats.Messages, stats.Duplicates, stats.Nacked)
			}
			if n := b.count("SELECT count(*) FROM inbox WHERE kind = 'receipt'"); n != stats.ReceiptsAcked {
				t.Errorf("the inbox has %d receipts, the centre had %d acknowledged", n, stats.ReceiptsAcked)
			}
		})
	}
}

func TestReceiptsFindTheirMessagesAfterARestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{ReceiptDelay: 4 * time.Second, IDForm: smsc.IDHexDecimal}, nil)
	b.run()
	const people = 300
	b.people(people)
	b.launch("restart")
	b.until("restart", "everybody to be submitted to", func(s *campaign.Status) bool { return s.Totals.Pending == 0 })
	b.stop() // and with it goes what it remembers
	receipts := b.centre.Stats().ReceiptsAcked
	b.run()
	status := b.done("restart")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	stats := b.centre.Stats()
	if matched, want := b.count("SELECT count(*) FROM receipt_match WHERE how <> 'number'"), stats.ReceiptsAcked-receipts; matched != want || want == 0 {
		t.Errorf("%d receipts were matched in the database, want %d", matched, want)
	}
	if stats.Duplicates != 0 || stats.Messages != people {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}
