package campaign

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBacklogCountsWhatIsLeft(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 2500, batch: 1000, priority: "bulk"})
	o.newRun(t, terms{recipients: 300, state: RunPaused})
	done := o.newRun(t, terms{recipients: 70})
	o.exec(t, "UPDATE run SET state = 'done', finished_at = now() WHERE id = $1", done)
	// Two of the first block are through.
	o.exec(t, "UPDATE outcome SET counts[1] = counts[1] - 2, counts[$2] = counts[$2] + 2 WHERE run_id = $1 AND block = 0", run, int32(Delivered)+1)
	o.exec(t, "UPDATE batch SET hinted_at = now() WHERE run_id = $1 AND no = 0", run)
	o.exec(t, "UPDATE batch SET hinted_at = now() - interval '2 minutes' WHERE run_id = $1 AND no = 1", run)
	o.exec(t, "UPDATE batch SET state = 'done' WHERE run_id = $1 AND no = 2", run)
	o.exec(t, "INSERT INTO inbox_chunk (at, settled_at) VALUES (now() - interval '90 seconds', NULL), (now(), NULL), (now() - interval '1 hour', now())")
	o.exec(t, `
INSERT INTO parked (chunk, line, at, centre, bind, smsc_id, msisdn, state, next_try, expires_at, orphan)
SELECT 1, n, now(), '', '', '', 0, '', now(), now(), n > 3 FROM generate_series(1, 5) n`)
	o.exec(t, "INSERT INTO restoration (noticed_at, found) VALUES (now(), 'a test')")
	o.exec(t, "INSERT INTO stop_all (reason, actor, at) VALUES ('a test', 'test', now())")
	o.exec(t, `
INSERT INTO firing (campaign_id, due_at, last_due_at, times, state, actor, decided_at)
SELECT c.id, now() - hours * interval '1 hour', now() - hours * interval '1 hour', 1, CASE WHEN hours = 2 OR c.id = 1 THEN 'failed' ELSE 'skipped' END, 'test', now()
FROM campaign c, generate_series(1, 2) hours
WHERE c.id <= 2`)
	got, err := o.ledger.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &Backlog{
		Recipients: map[string]int64{
			"pending": 2798, "suppressed": 0, "skipped": 0, "unknown": 0, "rejected": 0, "sent": 0, "delivered": 2, "failed": 0, "expired": 0, "no_receipt": 0,
		},
		Runs:          map[string]int64{"running": 1, "pausing": 0, "paused": 1, "settling": 0, "ending": 0, "cancelling": 0},
		BatchesReady:  map[string]int64{"urgent": 0, "normal": 0, "bulk": 2},
		BatchesHinted: map[string]int64{"urgent": 0, "normal": 0, "bulk": 1},
		Unsettled:     2, UnsettledFor: 90 * time.Second, Parked: 3, Orphans: 2, Restored: true, Stopped: true, FailedFirings: 1,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < 20*time.Second })); diff != "" {
		t.Error(diff)
	}
}
