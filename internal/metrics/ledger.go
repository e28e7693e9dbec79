package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backlog is what stands in the ledger at one moment.
type Backlog struct {
	Recipients    map[string]int64 // of unfinished runs, by state
	Runs          map[string]int64 // unfinished ones, by state
	BatchesReady  map[string]int64 // of running runs, by lane
	BatchesHinted map[string]int64 // those of them that were hinted in the last minute
	Unsettled     int64            // chunks of the inbox
	UnsettledFor  time.Duration    // since the oldest of them came
	Parked        int64            // receipts that wait for their submission
	Orphans       int64            // receipts that were given up, 100,000 at most
	Restored      bool             // a restoration waits for resume-all
	Stopped       bool             // a stop of everything does
	FailedFirings int64            // campaigns whose last due time failed
}

// Ledger tells what stands in the ledger: the same whichever process is asked.
func (m *Metrics) Ledger(ask func(context.Context) (*Backlog, error)) {
	s := &source{}
	up := s.desc("pukar_database_up", "1 while PostgreSQL answers.")
	recipients := s.desc("pukar_recipients", "Recipients of unfinished runs, by state.", "state")
	runs := s.desc("pukar_runs", "Unfinished runs, by state.", "state")
	ready := s.desc("pukar_batches_ready", "Batches of running runs that have something to send, by lane.", "lane")
	hinted := s.desc("pukar_batches_hinted", "Those batches that are due now: hinted within the last minute, so that their window is open.", "lane")
	unsettled := s.desc("pukar_inbox_unsettled", "Groups of incoming messages that are stored and not settled yet.")
	age := s.desc("pukar_inbox_unsettled_seconds", "Age of the oldest of those groups.")
	parked := s.desc("pukar_parked_receipts", "Receipts without a submission, by state: waiting, orphan (given up; counted up to 100,000).", "state")
	restored := s.desc("pukar_restoration_pending", "1 while everything is paused because the database was restored.")
	stopped := s.desc("pukar_stop_all_in_force", "1 while everything is stopped by a person.")
	failed := s.desc("pukar_schedules_failed", "Scheduled campaigns whose last due time, within a week, was not fired for a failure.")
	asked := &kept[*Backlog]{ask: ask}
	s.collect = func(ch chan<- prometheus.Metric) {
		b, err := asked.get(time.Now())
		ch <- gauge(up, truth(err == nil))
		if err != nil {
			return
		}
		for _, of := range []struct {
			desc   *prometheus.Desc
			counts map[string]int64
		}{{recipients, b.Recipients}, {runs, b.Runs}, {ready, b.BatchesReady}, {hinted, b.BatchesHinted}} {
			for value, n := range of.counts {
				ch <- gauge(of.desc, float64(n), value)
			}
		}
		ch <- gauge(unsettled, float64(b.Unsettled))
		ch <- gauge(age, b.UnsettledFor.Seconds())
		ch <- gauge(parked, float64(b.Parked), "waiting")
		ch <- gauge(parked, float64(b.Orphans), "orphan")
		ch <- gauge(restored, truth(b.Restored))
		ch <- gauge(stopped, truth(b.Stopped))
		ch <- gauge(failed, float64(b.FailedFirings))
	}
	m.registerer.MustRegister(s)
}
