package campaign

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Drain is how long a route took of late from the centre's response to the handset.
type Drain struct {
	Route      string
	Median     time.Duration
	Samples    int64 // receipts that it is the median of, the older ones counted less
	MeasuredAt time.Time
}

const (
	// assumedDrain holds for a route of which too little is known. A message of a route without a queue is
	// there within seconds.
	assumedDrain = 10 * time.Second
	// leastSamples is below what number of receipts a median says nothing: one phone that was off would make it.
	leastSamples = 20
	// drainMargin leaves time for the stride and the line beside what was measured.
	drainMargin = 3 * time.Second
	// mostDrain bounds what a congested route may take off a window. What is later still runs into the end of its
	// validity.
	mostDrain = 30 * time.Minute
)

// Time is how long before a window's end submission by the route stops: the median and a quarter of it, and a few
// seconds, at most half an hour.
func (d Drain) Time() time.Duration {
	if d.Samples < leastSamples {
		return assumedDrain
	}
	return min(d.Median+d.Median/4+drainMargin, mostDrain)
}

const (
	// A process that saw few receipts leaves the word to one that saw many, unless that one has fallen silent.
	sqlWriteDrain = `
INSERT INTO route_drain (route, median, samples, measured_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (route) DO UPDATE
SET median = excluded.median, samples = excluded.samples, measured_at = excluded.measured_at
WHERE 2 * excluded.samples >= route_drain.samples OR route_drain.measured_at < excluded.measured_at - interval '1 minute'`

	sqlDrains = `
SELECT route, median, samples, measured_at
FROM route_drain`
)

// WriteDrain shares what this process measured with the others.
func (l *Ledger) WriteDrain(ctx context.Context, d Drain) error {
	if _, err := l.pool.Exec(ctx, sqlWriteDrain, d.Route, d.Median, d.Samples, d.MeasuredAt); err != nil {
		return fmt.Errorf("write the drain time of route %s: %w", d.Route, err)
	}
	return nil
}

// Drains reads what is known of the routes.
func (l *Ledger) Drains(ctx context.Context) (map[string]Drain, error) {
	rows, err := l.pool.Query(ctx, sqlDrains)
	if err != nil {
		return nil, fmt.Errorf("read drain times: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Drain])
	if err != nil {
		return nil, fmt.Errorf("read drain times: %w", err)
	}
	drains := make(map[string]Drain, len(list))
	for _, d := range list {
		drains[d.Route] = d
	}
	return drains, nil
}

// RouteDrains reads how long the routes took of late to deliver, by name.
func (s *Service) RouteDrains(ctx context.Context) (map[string]Drain, error) {
	return s.ledger.Drains(ctx)
}

// drainOf is how long before a window's end submission by the route stops.
func (s *Service) drainOf(ctx context.Context, route string) (time.Duration, error) {
	drains, err := s.ledger.Drains(ctx)
	if err != nil {
		return 0, err
	}
	return drains[route].Time(), nil
}
