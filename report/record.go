package report

import (
	"math/bits"
	"slices"

	"pukar/campaign"
)

// record is one recipient as a report shows her. Its slices belong to the chunk and are good until the next one.
type record struct {
	seq       int32
	person    *person
	outcome   campaign.State
	parts     int
	charged   int // parts that the operator bills: accepted, each submission once
	route     string
	ids       []*submission // accepted, in order of part
	submitted micros        // written down for the wire
	accepted  micros        // all parts taken by the centre
	final     micros        // the outcome was certain
	status    int32         // of the refusal, when rejected
	skip      skip
	receipt   string // state that the receipts told
	err       []byte // error code of the receipt that decided
}

// each derives the records of a chunk in order of seq.
func (c *chunk) each(yield func(*record) error) error {
	var rec record
	ids := make([]*submission, 0, 16)
	for i := range c.people {
		rec = record{seq: c.lo + int32(i), person: &c.people[i], ids: ids[:0]}
		facts := c.facts[i]
		rec.outcome = facts.State()
		rec.parts = int(facts.Parts)
		c.readSubmissions(&rec, facts)
		c.readReceipts(&rec, facts)
		if rec.outcome == campaign.Suppressed || rec.outcome == campaign.Skipped {
			rec.skip = c.skips[rec.seq]
			rec.final = rec.skip.at
		}
		ids = rec.ids
		if err := yield(&rec); err != nil {
			return err
		}
	}
	return nil
}

// readSubmissions fills in what the submissions tell.
func (c *chunk) readSubmissions(rec *record, facts campaign.Facts) {
	list := c.submissionScratch[:0]
	for at := rec.person.submission; at != 0; {
		s := &c.submissions[at-1]
		list = append(list, s)
		at = s.next
	}
	c.submissionScratch = list
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b *submission) int {
			if a.part != b.part {
				return int(a.part) - int(b.part)
			}
			return compare(a.at, b.at)
		})
	}
	var taken campaign.PartSet
	var lastRefusal micros
	for _, s := range list {
		rec.parts = max(rec.parts, int(s.parts))
		if s.result != resultNotSent {
			stride := c.strides[s.stride]
			if rec.submitted == 0 || stride.opened < rec.submitted {
				rec.submitted = stride.opened
			}
			rec.route = stride.route
		}
		switch s.result {
		case resultAccepted:
			if set := campaign.Part(int(s.part)); taken&set == 0 {
				taken |= set
				rec.accepted = max(rec.accepted, s.at)
			}
			if !c.repeated(rec.ids, s) {
				rec.ids = append(rec.ids, s)
				rec.charged++
			}
		case resultRefused:
			if s.at >= lastRefusal {
				lastRefusal, rec.status = s.at, s.status
			}
		}
	}
	if bits.OnesCount16(uint16(taken)) < rec.parts {
		rec.accepted = 0
	}
	if rec.outcome == campaign.Rejected {
		rec.final = lastRefusal
	} else {
		rec.status = 0
	}
	// A part without an answer that has a receipt all the same was taken, and is billed.
	told := (facts.Delivered | facts.Failed | facts.Expired) &^ taken
	rec.charged += bits.OnesCount16(uint16(told))
}

// repeated says whether this submission of a part was recorded before.
func (c *chunk) repeated(ids []*submission, s *submission) bool {
	for i := len(ids) - 1; i >= 0 && ids[i].part == s.part; i-- {
		if string(c.bytes(ids[i].id)) == string(c.bytes(s.id)) {
			return true
		}
	}
	return false
}

// readReceipts fills in what the receipts tell: the one that made the outcome certain, or for an outcome that is not theirs the newest.
func (c *chunk) readReceipts(rec *record, facts campaign.Facts) {
	if rec.person.receipt == 0 {
		return
	}
	list := c.receiptScratch[:0]
	for at := rec.person.receipt; at != 0; {
		r := &c.receipts[at-1]
		if r.state != "" {
			list = append(list, r)
		}
		at = r.next
	}
	c.receiptScratch = list
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b *receipt) int { return compare(a.at, b.at) })
	}
	var decisive *receipt
	switch rec.outcome {
	case campaign.Delivered:
		// The last of the parts to be told of for the first time.
		var seen campaign.PartSet
		for _, r := range list {
			if r.state == "delivered" && r.part > 0 && seen&campaign.Part(int(r.part)) == 0 {
				seen |= campaign.Part(int(r.part))
				decisive = r
			}
		}
	case campaign.Failed, campaign.Expired:
		for _, r := range list {
			if r.state == rec.outcome.String() && r.part > 0 && facts.Delivered&campaign.Part(int(r.part)) == 0 {
				decisive = r
				break
			}
		}
	}
	if decisive != nil {
		rec.final = decisive.at
	} else if len(list) > 0 {
		decisive = list[len(list)-1]
	}
	if decisive != nil {
		rec.receipt, rec.err = decisive.state, c.bytes(decisive.err)
	}
}

func compare(a, b micros) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
