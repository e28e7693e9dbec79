package campaign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pukar/audience"
	"pukar/templates"
)

// reasonNumberRemoved leaves out whom the register no longer has with the number that was written to.
const reasonNumberRemoved = "number_removed"

// selectRetry builds the selection of a retry: the recipients of the first run whose newest attempt ended in
// one of the states, with the words and values that were frozen there. Who they are was decided then; whether
// they may be written to is decided anew.
func selectRetry(tree *Tree, states []State, spec *Spec, template *templates.Template, route RouteTerms, on time.Time) *selection {
	seqs, had := tree.chosen(states)
	s := &selection{}
	root := s.args.add(tree.Root)
	who := fmt.Sprintf("unnest(%s::int4[], %s::int2[])", s.args.add(seqs), s.args.add(had))
	purpose := s.args.add(spec.Purpose)
	today := s.args.add(on.In(India).Format(time.DateOnly))
	reasons := []string{
		"WHEN " + fmt.Sprintf(audience.SuppressedSQL, "r.msisdn_key", purpose) + " THEN '" + reasonSuppressed + "'",
		"WHEN c.msisdn IS DISTINCT FROM r.msisdn THEN '" + reasonNumberRemoved + "'",
		"WHEN c.consent_sms IS FALSE THEN '" + reasonNoConsent + "'",
		"WHEN " + audience.UnderAgeSQL(today+"::date") + " THEN '" + reasonUnder18 + "'",
	}
	if template.Category == templates.Promotional {
		reasons = append(reasons, "WHEN c.consent_sms IS NULL THEN '"+reasonConsentUnknown+"'")
	}
	if !route.Simulated {
		reasons = append(reasons, "WHEN c.invented THEN '"+reasonInvented+"'")
	}
	if limit := spec.PerContact; !limit.IsZero() {
		// What she got of this tree counts too, other than what did not reach her and is now tried again.
		left := fmt.Sprintf("greatest(0, %s::int4 - t.had)", s.args.add(limit.Messages))
		reached := fmt.Sprintf(sqlReached, "r.msisdn", left, s.args.add(limit.Period), "x.root <> "+root)
		reasons = append(reasons, "WHEN "+reached+" THEN '"+reasonContactCap+"'")
	}
	s.sql = `
WITH decided AS MATERIALIZED (
    SELECT r.contact_id AS id, r.msisdn, r.msisdn_key, r.language, r.vars, r.home_state, r.home_district,
           CASE ` + strings.Join(reasons, "\n                ") + ` END AS reason
    FROM ` + who + ` AS t (seq, had)
    JOIN recipient r ON r.run_id = ` + root + ` AND r.seq = t.seq
    LEFT JOIN contact c ON c.id = r.contact_id
)`
	return s
}

// chosen lists who is in one of the states, with how many attempts they had.
func (t *Tree) chosen(states []State) (seqs []int32, had []int16) {
	for i, state := range t.newest {
		if slices.Contains(states, state) {
			seqs, had = append(seqs, int32(i)+1), append(had, int16(t.had[i]))
		}
	}
	return seqs, had
}
