package smsc

import "pukar/smpp/pdu"

// Stats are a centre's counts since its start. Parts are counted: one submit_sm is one part.
type Stats struct {
	Binds        int   `json:"binds"`         // bound now
	BindsTotal   int64 `json:"binds_total"`   // ever bound
	BindsRefused int64 `json:"binds_refused"` // answered with an error

	Submits         int64            `json:"submits"`              // received; accepted + refused + throttled
	Accepted        int64            `json:"accepted"`             // answered with a message id, or would have been (silent, dropped)
	Refused         int64            `json:"refused"`              // answered with an error other than throttling
	Throttled       int64            `json:"throttled"`            // answered 0x58
	Silent          int64            `json:"silent"`               // accepted and never answered
	Dropped         int64            `json:"dropped"`              // times that the line was cut
	Statuses        map[string]int64 `json:"statuses"`             // answers by the name of their status
	Messages        int64            `json:"messages"`             // accepted parts that are the first or only one of a message
	Duplicates      int64            `json:"duplicates"`           // accepted though the same payload had been accepted for that number
	DuplicatesPart  bool             `json:"duplicates_partial"`   // Options.DuplicateLimit was reached
	AfterStop       int64            `json:"after_stop"`           // accepted for a number whose STOP had been acknowledged
	PartsPerSecond  int64            `json:"parts_per_second"`     // received in the last second
	HighestInSecond int64            `json:"max_parts_per_second"` // most ever received in one second, wherever it starts
	Bytes           int64            `json:"bytes"`                // of short_message and message_payload accepted

	ReceiptsQueued  int64 `json:"receipts_queued"` // not yet due, or waiting for room or a receiver
	Outstanding     int64 `json:"outstanding"`     // deliver_sm sent and not acknowledged
	ReceiptsSent    int64 `json:"receipts_sent"`   // deliver_sm with a receipt, repeats included
	ReceiptsAcked   int64 `json:"receipts_acked"`  // acknowledged with status zero
	InboundSent     int64 `json:"inbound_sent"`    // deliver_sm with a message from a handset, repeats included
	InboundAcked    int64 `json:"inbound_acked"`   // acknowledged with status zero
	Redelivered     int64 `json:"redelivered"`     // deliver_sm sent again, for whatever reason
	Nacked          int64 `json:"nacked"`          // deliver_sm answered with an error
	Discarded       int64 `json:"discarded"`       // deliver_sm refused for good (0x65, 0x66)
	StrayAcks       int64 `json:"stray_acks"`      // answers to no outstanding deliver_sm
	Delivered       int64 `json:"delivered"`       // fates dealt out, by parts
	Failed          int64 `json:"failed"`
	Expired         int64 `json:"expired"`
	NoReceipt       int64 `json:"no_receipt"` // none asked for, or lost
	Stops           int64 `json:"stops"`      // handsets that answered with a STOP text
	StopsAcked      int64 `json:"stops_acked"`
	EnquireAnswered int64 `json:"enquire_answered"` // enquire_link of clients
	ProtocolErrors  int64 `json:"protocol_errors"`  // units that could not be read, or came out of place
}

// Stats returns the counts as they are now.
func (c *Centre) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	c.rate.advance(c.since())
	s.PartsPerSecond, s.HighestInSecond = c.rate.sum, c.rate.highest
	s.Statuses = make(map[string]int64, len(c.statuses))
	for status, n := range c.statuses {
		s.Statuses[pdu.StatusName(status)] = n
	}
	for _, a := range c.accounts {
		s.Binds += len(a.sessions)
		s.ReceiptsQueued += int64(a.wheel.n + a.ready.n)
		for _, b := range a.sessions {
			s.Outstanding += int64(len(b.flights) - len(b.free))
		}
	}
	return s
}
