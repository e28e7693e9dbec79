package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// books is what stands in the ledger that somebody should know of.
type books struct {
	Unpartitioned      []string // days of the week to come that have no partition, as table_day
	InDefault          []string // default partitions that hold something
	Parked, Orphans    int64
	OldStrides         int64 // open for more than a minute
	Unsettled          float64
	Restoration        string
	StopReason, StopBy string
	Sweeps             bool // a process holds the sweeper's lock
	Failed             []string
	Refused            error // the schema is not there
	serverRuns         bool
}

const (
	sqlUnpartitioned = `
SELECT parent || ' of ' || to_char(day, 'YYYY-MM-DD')
FROM unnest(ARRAY['submission', 'inbox']) parent,
     generate_series(date_trunc('day', $1::timestamptz AT TIME ZONE 'UTC'),
                     date_trunc('day', $1::timestamptz AT TIME ZONE 'UTC') + interval '3 days', interval '1 day') day
WHERE to_regclass(parent || '_' || to_char(day, 'YYYYMMDD')) IS NULL
ORDER BY day, parent`

	sqlInDefault = `
SELECT 'submission' WHERE EXISTS (SELECT 1 FROM submission_default)
UNION ALL
SELECT 'inbox' WHERE EXISTS (SELECT 1 FROM inbox_default)`

	// A firing that failed counts until a later one of its campaign did not.
	sqlFailedFirings = `
SELECT c.name || ' at ' || to_char(f.due_at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI') || ': ' || f.reason
FROM firing f
JOIN campaign c ON c.id = f.campaign_id
WHERE f.state = 'failed' AND f.due_at > $1::timestamptz - interval '7 days'
  AND NOT EXISTS (SELECT 1 FROM firing later WHERE later.campaign_id = f.campaign_id AND later.due_at > f.due_at AND later.state <> 'failed')
ORDER BY f.due_at DESC
LIMIT 10`

	// 7821002 is the lock under which one process sweeps (worker.sweeperLock).
	sqlBooks = `
SELECT (SELECT count(*) FROM (SELECT 1 FROM parked WHERE NOT orphan LIMIT 100000) AS waiting),
       (SELECT count(*) FROM (SELECT 1 FROM parked WHERE orphan LIMIT 100000) AS given_up),
       (SELECT count(*) FROM stride WHERE closed_at IS NULL AND opened_at < $1::timestamptz - interval '1 minute'),
       coalesce((SELECT extract(epoch FROM $1::timestamptz - min(at)) FROM inbox_chunk WHERE settled_at IS NULL), 0)::float8,
       coalesce((SELECT found FROM restoration WHERE cleared_at IS NULL), ''),
       coalesce((SELECT reason FROM stop_all WHERE lifted_at IS NULL), ''),
       coalesce((SELECT actor FROM stop_all WHERE lifted_at IS NULL), ''),
       EXISTS (SELECT 1 FROM pg_locks
               WHERE locktype = 'advisory' AND classid = 0 AND objid = 7821002 AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
)

func examineLedger(ctx context.Context, i *installation) []Check {
	if i.database == nil {
		return []Check{unknown("books", "PostgreSQL")}
	}
	b := books{serverRuns: i.healthErr == nil}
	now := i.now()
	b.Refused = pgx.BeginTxFunc(ctx, i.database, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return b.read(ctx, tx, now) })
	return judgeBooks(b)
}

func (b *books) read(ctx context.Context, tx pgx.Tx, now time.Time) error {
	for _, list := range []struct {
		into *[]string
		sql  string
		args []any
	}{{&b.Unpartitioned, sqlUnpartitioned, []any{now}}, {&b.InDefault, sqlInDefault, nil}, {&b.Failed, sqlFailedFirings, []any{now}}} {
		rows, err := tx.Query(ctx, list.sql, list.args...)
		if err != nil {
			return err
		}
		if *list.into, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
	}
	return tx.QueryRow(ctx, sqlBooks, now).Scan(&b.Parked, &b.Orphans, &b.OldStrides, &b.Unsettled, &b.Restoration, &b.StopReason, &b.StopBy, &b.Sweeps)
}

func judgeBooks(b books) []Check {
	if b.Refused != nil {
		return []Check{problem("books", "run `pukar migrate`, or start the server", "the ledger cannot be read: %v", b.Refused)}
	}
	checks := []Check{judgePartitions(b), judgeDefaults(b.InDefault), judgeParked(b.Parked, b.Orphans), judgeStrides(b.OldStrides, b.Sweeps)}
	if b.Unsettled > 60 {
		checks = append(checks, problem("settling", "see that a process with the role worker runs, and what its log says", "receipts have been waiting for %s to be settled", age(time.Duration(b.Unsettled*float64(time.Second)))))
	} else {
		checks = append(checks, ok("settling", "receipts are settled as they come"))
	}
	if b.serverRuns && !b.Sweeps {
		checks = append(checks, problem("sweeping", "start a process with the role scheduler; the log of one that runs says why it does not lead", "no process moves runs along"))
	} else {
		checks = append(checks, ok("sweeping", "%s", map[bool]string{true: "one process does", false: "no process, as long as no server runs"}[b.Sweeps]))
	}
	return append(checks, judgeHeld(b)...)
}

func judgePartitions(b books) Check {
	const name, mend = "partitions", "run a process with the role scheduler: it makes them every hour, or says in its log why not"
	switch {
	case len(b.Unpartitioned) > 0 && b.serverRuns:
		return problem(name, mend, "there is no partition for %s", strings.Join(b.Unpartitioned, ", "))
	case len(b.Unpartitioned) > 0:
		return warning(name, mend, "there is no partition for %s: the next start makes them", strings.Join(b.Unpartitioned, ", "))
	}
	return ok(name, "those of the coming days are there")
}

func judgeDefaults(full []string) Check {
	if len(full) > 0 {
		return warning("default_partitions", "nothing is lost, and that day stays there; look at the clocks, and at the log for why the day's partition was not there in time",
			"the default partition of %s holds something: it came at a time for which there was none", strings.Join(full, " and "))
	}
	return ok("default_partitions", "empty")
}

// What counts as many: a phone that is off parks nothing, since its receipt comes later and fits.
const (
	manyParked  = 1000
	manyOrphans = 100
)

func judgeParked(parked, orphans int64) Check {
	const mend = "ask the operator whether another system sends with this system_id, and whether message ids are written the same in responses and receipts; a route to the same centre under another name needs the same centre"
	switch {
	case parked >= manyParked:
		return warning("parked", mend, "%s receipts fit no message and wait", count(parked))
	case orphans >= manyOrphans:
		return warning("parked", mend, "%s receipts fit no message and were given up", count(orphans))
	}
	return ok("parked", "%d receipts wait for their message, %d were given up", parked, orphans)
}

func judgeStrides(old int64, sweeps bool) Check {
	switch {
	case old > 0 && sweeps:
		return problem("strides", "look into the log of the process that sweeps", "%d strides have been open for more than a minute, and nobody closes them", old)
	case old > 0:
		return warning("strides", "start a process with the role scheduler: what has no answer becomes unknown, and the rest goes on", "%d strides were left open by a process that died", old)
	}
	return ok("strides", "none is open for long")
}

// judgeHeld tells what keeps everything from being sent.
func judgeHeld(b books) []Check {
	checks := []Check{ok("restoration", "none is pending"), ok("stop_all", "nothing is stopped"), ok("schedules", "none failed")}
	if b.Restoration != "" {
		checks[0] = problem("restoration", "compare what was sent with the operator's record, then `pukar resume-all --after-restore`", "every run is paused because the database was restored: %s", b.Restoration)
	}
	if b.StopReason != "" {
		checks[1] = warning("stop_all", "`pukar resume-all`, once the reason is gone", "%s stopped everything: %s", b.StopBy, b.StopReason)
	}
	if len(b.Failed) > 0 {
		checks[2] = problem("schedules", "mend the reason; `pukar campaign calendar` says when the next firing is due", "did not fire: %s", strings.Join(b.Failed, "; "))
	}
	return checks
}
