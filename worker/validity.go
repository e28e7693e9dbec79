package worker

import (
	"fmt"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
)

const (
	// validityMost is within what time a window must close for its end to be given to the centre. Later than that the
	// centre's own validity, which is a day or two, ends first.
	validityMost = 48 * time.Hour
	// validityTransit allows for the way to the centre, from whose receipt a relative validity counts.
	validityTransit = time.Second
)

// validity is the validity_period of a message that is written by sendBy at the latest and must not reach a handset
// after ends: SMPP 3.4, section 7.1.1. A relative one does not depend on the centre's time zone nor on its clock. It is
// empty where the window does not close in the next two days, or the route's setting is none.
func validity(form string, ends, sendBy time.Time) string {
	left := ends.Sub(sendBy)
	if form == config.ValidityNone || ends.IsZero() || left > validityMost {
		return ""
	}
	if form == config.ValidityAbsolute {
		at := ends.In(campaign.India)
		return at.Format("060102150405") + "022+" // no tenths of a second; 22 quarters of an hour ahead of UTC
	}
	seconds := max(1, int((left-validityTransit)/time.Second)) // whole ones, rounded down
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", seconds/86400, seconds/3600%24, seconds/60%60, seconds%60)
}
