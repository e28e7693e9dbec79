package chaos

import (
	"context"
	"math/bits"

	"pukar/campaign"
)

// verdict is what a look at record and ledger came to.
type verdict struct {
	totals   map[campaign.State]int64
	unknown  int64 // parts that were ever unknown, however they ended
	accepted int64 // parts, by the record
	open     int   // runs that are not over
}

// check holds the ledger to the centre's record. It may be called at any time that the database answers. A full look also
// recounts every recipient from the facts; a last one knows that the runs are over.
func (h *harness) check(ctx context.Context, full, last bool) (*verdict, error) {
	if err := h.centre.Flush(); err != nil {
		return nil, err
	}
	before := h.truth.look()
	ledger, err := h.readLedger(ctx, full)
	if err != nil {
		return nil, err
	}
	if err := h.centre.Flush(); err != nil {
		return nil, err
	}
	after := h.truth.look()
	v := &verdict{totals: make(map[campaign.State]int64)}
	v.accepted = h.truth.count()
	for _, a := range ledger {
		h.checkTotals(a)
		for state, n := range a.totals {
			v.totals[state] += n
		}
		if !a.resend {
			for _, f := range a.stored {
				v.unknown += int64(bits.OnesCount16(uint16(f.Unknown)))
			}
		}
		switch a.state {
		case campaign.RunDone, campaign.RunCancelled:
		default:
			v.open++
		}
		if full {
			h.checkParts(a, &before, &after)
			h.checkFacts(a)
		}
		if last {
			h.checkEnd(a, &after)
		}
	}
	if bound := h.bound + h.centre.Stats().Silent; v.unknown > bound && v.unknown > h.tooMany {
		h.tooMany = v.unknown
		h.truth.report("%d parts are or were unknown; what happened so far may leave %d", v.unknown, bound)
	}
	return v, nil
}

// checkTotals sees that everybody is counted once.
func (h *harness) checkTotals(a *account) {
	if a.sum() != a.recipients || int64(len(a.stored)) != a.recipients {
		h.truth.report("%s: totals %s add up to %d, there are facts of %d, it has %d recipients", a.campaign, describe(a.totals), a.sum(), len(a.stored), a.recipients)
	}
	for i := range h.groups {
		g := &h.groups[i]
		if targeted := int64(g.to - g.from); g.campaign == a.campaign && (a.recipients+a.excluded != targeted || a.excluded != a.exclusions) {
			h.truth.report("%s: %d recipients and %d excluded (%d with a reason) of %d targeted", a.campaign, a.recipients, a.excluded, a.exclusions, targeted)
		}
	}
	counted := make(map[campaign.State]int64)
	for _, f := range a.stored {
		counted[f.State()]++
	}
	for _, state := range campaign.States() {
		if counted[state] != a.totals[state] {
			h.truth.report("%s counts %d %s, its facts say %d", a.campaign, a.totals[state], state, counted[state])
		}
	}
}

// sparing reports the first of many that are all alike.
func (h *harness) sparing() func(format string, args ...any) {
	n := 0
	return func(format string, args ...any) {
		if n++; n <= 3 {
			h.truth.report(format, args...)
		}
	}
}

// checkParts sees that the ledger knows of every part that the centre had accepted before it was read, and that the centre
// has accepted what the ledger says.
func (h *harness) checkParts(a *account, before, after *look) {
	report := h.sparing()
	for i, person := range a.persons {
		f := a.facts[i]
		known := uint8(f.Accepted | f.Unknown | a.open[i])
		if missing := before.masks[person] &^ known &^ before.excused[person]; missing != 0 {
			report("person %d of %s: the centre accepted parts %03b, of which the ledger knows nothing (%+v)", person, a.campaign, missing, f)
		}
		if invented := uint8(f.Accepted) &^ after.masks[person]; invented != 0 {
			report("person %d of %s: the ledger has parts %03b as accepted, the centre's record has not", person, a.campaign, invented)
		}
	}
}

// checkFacts sees that the outcome is what a recount gives.
func (h *harness) checkFacts(a *account) {
	report := h.sparing()
	if len(a.stored) != len(a.facts) {
		return // said already
	}
	for i, counted := range a.facts {
		stored := a.stored[i]
		counted.Flags |= stored.Flags & campaign.FlagWaited // of which there is no other trace
		if a.resend {                                       // unknown stands only once it is not sent again
			counted.Unknown &= stored.Unknown
		}
		if a.transient[i] { // likewise
			counted.Refused |= stored.Refused
		}
		if stored.Parts == 0 { // a skip alone
			counted.Parts = 0
		}
		if stored != counted {
			report("recipient %d of %s: the outcome is %+v, a recount gives %+v", i+1, a.campaign, stored, counted)
		}
	}
}

// checkEnd sees that nobody is left over, and that what became of everybody is possible by the record.
func (h *harness) checkEnd(a *account, record *look) {
	report := h.sparing()
	for i, f := range a.stored {
		person := a.persons[i]
		got, state := record.masks[person], f.State()
		whole := got != 0 && got == uint8(1)<<f.Parts-1
		var ok bool
		switch state {
		case campaign.Delivered, campaign.Sent, campaign.NoReceipt:
			ok = whole
		case campaign.Failed, campaign.Expired:
			ok = got != 0
		case campaign.Rejected:
			ok = record.refused[person]
		case campaign.Suppressed:
			ok = record.stopped[person]
		case campaign.Skipped:
			ok = a.state == campaign.RunCancelled
		case campaign.Unknown:
			ok = true
		}
		if !ok {
			report("person %d of %s ends as %s; the centre accepted parts %03b of %d, refused some: %v, stopped: %v",
				person, a.campaign, state, got, f.Parts, record.refused[person], record.stopped[person])
		}
		if record.stopped[person] && got == 0 && state != campaign.Suppressed && state != campaign.Unknown && state != campaign.Rejected && a.state != campaign.RunCancelled {
			report("person %d of %s said stop, got nothing and ends as %s", person, a.campaign, state)
		}
	}
}
