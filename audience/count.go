package audience

import (
	"context"
	"fmt"
	"time"

	"pukar/internal/pgdb"
)

// Count is how many people a cohort has and how its rules judge the people
// that home and language pick: Eligible + NotEligible + Unknown are all of them.
type Count struct {
	Count       int64 `json:"count"`        // whom the cohort's eligibility targets
	Eligible    int64 `json:"eligible"`     // the rules are TRUE of them
	NotEligible int64 `json:"not_eligible"` // the rules are FALSE of them
	Unknown     int64 `json:"unknown"`      // too little is known of them
}

// sqlCount asks the rules once for each person: the sum carries those of whom
// they are TRUE in its lower 32 bits and those of whom they are FALSE above them.
const sqlCount = `
SELECT count(*), COALESCE(sum(CASE %s WHEN TRUE THEN 1::int8 WHEN FALSE THEN 4294967296::int8 END), 0)::int8
FROM contact c
WHERE %s`

// CountCohort counts the people of a cohort on the day of on in India.
// Suppressions and consent are not looked at: they are a campaign's matter.
func CountCohort(ctx context.Context, db pgdb.DB, cohort Cohort, places *Places, schemes Schemes, on time.Time) (Count, error) {
	p, err := Compile(cohort, places, schemes, on, 1)
	if err != nil {
		return Count{}, err
	}
	var all, packed int64
	if err := db.QueryRow(ctx, fmt.Sprintf(sqlCount, p.SQL, p.Narrow), p.Args...).Scan(&all, &packed); err != nil {
		return Count{}, fmt.Errorf("count cohort: %w", err)
	}
	c := Count{Eligible: packed & (1<<32 - 1), NotEligible: packed >> 32}
	c.Unknown = all - c.Eligible - c.NotEligible
	switch cohort.Eligibility {
	case UnknownOnly:
		c.Count = c.Unknown
	case EligibleOrNot:
		c.Count = c.Eligible + c.Unknown
	default:
		c.Count = c.Eligible
	}
	return c, nil
}
