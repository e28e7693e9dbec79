// Package notice tells every process at once of what must not wait for the next stride: that sending was halted, and
// who said stop. It travels by PostgreSQL's NOTIFY, in the transaction that makes it true, and so never comes without it.
//
// A notice only hastens what the database says already. Who missed some asks nothing back: it gives up everything that
// it opened before it could hear again.
package notice

import (
	"context"
	"encoding/json"
	"fmt"

	"pukar/internal/pgdb"
)

// channel is where notices travel.
const channel = "pukar_notice"

// mostOctets is what fits into one notice; PostgreSQL takes less than 8000.
const mostOctets = 7900

// Notice is what every process is told.
type Notice struct {
	Everything bool   `json:"everything,omitempty"` // whatever was opened before is given up
	Run        int32  `json:"run,omitempty"`        // what was opened for this run before is given up
	Stops      []Stop `json:"stops,omitempty"`      // these numbers are written to no more
	Echo       string `json:"echo,omitempty"`       // a listener's own, by which it knows that it hears
}

// Stop is a number by its key, and the purpose for which it must not be written to, "" being every one.
type Stop struct {
	Key     int64  `json:"key"`
	Purpose string `json:"purpose,omitempty"`
}

const sqlNotify = `SELECT pg_notify($1, $2)`

// Send tells every process, once db's transaction commits. PostgreSQL commits such transactions one after the other, so
// it belongs only into rare ones. What is too long for a notice becomes Everything, which is true as well.
func Send(ctx context.Context, db pgdb.DB, n Notice) error {
	payload, err := json.Marshal(n)
	if err == nil && len(payload) > mostOctets {
		payload, err = json.Marshal(Notice{Everything: true})
	}
	if err != nil {
		return fmt.Errorf("encode a notice: %w", err)
	}
	if _, err := db.Exec(ctx, sqlNotify, channel, string(payload)); err != nil {
		return fmt.Errorf("tell every process: %w", err)
	}
	return nil
}
