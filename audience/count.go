package audience

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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

// ClauseCount is how one condition of a cohort judges the people that home and
// language pick: which gap in the register costs most, which rule shuts out most.
type ClauseCount struct {
	Source  string `json:"source"` // criterion, exclusion or where
	ID      string `json:"id"`
	Rule    string `json:"rule"` // as written
	Words   Words  `json:"words"`
	Against int64  `json:"against"` // it is not met
	Unknown int64  `json:"unknown"` // too little is known
}

const sqlCountClauses = `
SELECT ARRAY[%s]::int8[]
FROM contact c
WHERE %s`

// CountClauses counts, for every condition of scheme and where, the people
// that home and language pick whom it speaks against and of whom it is
// unknown. One person can be counted at several conditions.
func CountClauses(ctx context.Context, db pgdb.DB, cohort Cohort, places *Places, schemes Schemes, on time.Time) ([]ClauseCount, error) {
	c, err := compile(cohort, places, schemes, on, 1)
	if err != nil {
		return nil, err
	}
	var counts []ClauseCount
	var sums []string
	for _, clause := range c.clauses {
		if clause.source == fromHome || clause.source == fromLanguage {
			continue
		}
		counts = append(counts, ClauseCount{Source: clause.source, ID: clause.id, Rule: clause.text, Words: clause.words})
		sums = append(sums, "count(*) FILTER (WHERE NOT "+clause.sql+")", "count(*) FILTER (WHERE "+clause.sql+" IS NULL)")
	}
	if len(counts) == 0 {
		return nil, nil
	}
	rows, err := db.Query(ctx, fmt.Sprintf(sqlCountClauses, strings.Join(sums, ", "), c.predicate().Narrow), c.params.args...)
	if err != nil {
		return nil, fmt.Errorf("count clauses: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]int64])
	if err != nil {
		return nil, fmt.Errorf("count clauses: %w", err)
	}
	for i := range counts {
		counts[i].Against, counts[i].Unknown = found[2*i], found[2*i+1]
	}
	return counts, nil
}
