package audience

import (
	"context"
	"fmt"
	"time"

	"pukar/internal/pgdb"
)

const sqlLiftOwn = `
UPDATE suppression
SET lifted_at = $2, lifted_by = 'the person', lifted_why = $4
WHERE msisdn_key = $1
  AND source IN ('keyword', 'missed_call', 'ivr')
  AND added_at < $3
  AND lifted_at IS NULL`

// LiftOwn ends the stops that the person with that key gave herself, by message, missed call or key,
// before the time at which she asked to be written to again, and returns how many; what others recorded
// for her (an agent, a complaint, an imported list) stays, and so does a stop that she gave later, in
// whatever order the two arrive. why is the evidence of the new consent.
func LiftOwn(ctx context.Context, db pgdb.DB, key int64, asked time.Time, why string) (int, error) {
	tag, err := db.Exec(ctx, sqlLiftOwn, key, time.Now(), asked, why)
	if err != nil {
		return 0, fmt.Errorf("lift a person's own suppressions: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
