package audience

import (
	"context"
	"fmt"
	"time"

	"pukar/internal/pgdb"
)

const sqlLiftOwn = `
UPDATE suppression
SET lifted_at = $2, lifted_by = 'the person', lifted_why = $3
WHERE msisdn_key = $1
  AND source IN ('keyword', 'missed_call', 'ivr')
  AND lifted_at IS NULL`

// LiftOwn ends the stops that the person with that key gave herself, by message, missed call or key, and
// returns how many; what others recorded for her (an agent, a complaint, an imported list) stays. why is
// the evidence of the new consent.
func LiftOwn(ctx context.Context, db pgdb.DB, key int64, why string) (int, error) {
	tag, err := db.Exec(ctx, sqlLiftOwn, key, time.Now(), why)
	if err != nil {
		return 0, fmt.Errorf("lift a person's own suppressions: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
