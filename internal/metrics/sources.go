package metrics

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// source is a collector whose values are asked for at the scrape.
type source struct {
	descs   []*prometheus.Desc
	collect func(ch chan<- prometheus.Metric)
}

// Describe implements prometheus.Collector.
func (s *source) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *source) Collect(ch chan<- prometheus.Metric) { s.collect(ch) }

// desc describes a metric of a source and remembers it.
func (s *source) desc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc(name, help, labels, nil)
	s.descs = append(s.descs, d)
	return d
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

// Bind is how a bind stands.
type Bind struct {
	Route, Name   string
	State         string // one of BindStates
	InUse, Window int
	Throttled     bool // its centre holds it back
}

// BindStates are the values of the label state of binds. refused is a bind whose credentials the centre does not take, which a
// person has to mend.
var BindStates = [...]string{"bound", "connecting", "waiting", "refused", "closed"}

// Binds tells at every scrape how the binds of this process stand.
func (m *Metrics) Binds(binds func() []Bind) {
	s := &source{}
	state := s.desc("pukar_bind_state", "1 for the state that a bind is in, 0 for the others.", "route", "bind", "state")
	inUse := s.desc("pukar_window_in_use", "Submits of a bind that await their response.", "route", "bind")
	window := s.desc("pukar_window_size", "Submits of a bind that may await their response at once.", "route", "bind")
	throttled := s.desc("pukar_bind_throttled", "1 while a bind is held back because its centre said that it is too fast.", "route", "bind")
	s.collect = func(ch chan<- prometheus.Metric) {
		for _, b := range binds() {
			for _, name := range BindStates {
				ch <- gauge(state, truth(b.State == name), b.Route, b.Name, name)
			}
			ch <- gauge(inUse, float64(b.InUse), b.Route, b.Name)
			ch <- gauge(window, float64(b.Window), b.Route, b.Name)
			ch <- gauge(throttled, truth(b.Throttled), b.Route, b.Name)
		}
	}
	m.registerer.MustRegister(s)
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Pool tells how the connections of this process to PostgreSQL are used.
func (m *Metrics) Pool(stat func() *pgxpool.Stat) {
	s := &source{}
	most := s.desc("pukar_database_pool_limit", "Connections to PostgreSQL that this process may have.")
	total := s.desc("pukar_database_pool_connections", "Connections to PostgreSQL that this process has.")
	used := s.desc("pukar_database_pool_in_use", "Connections to PostgreSQL that are being used.")
	acquired := s.desc("pukar_database_pool_acquired_total", "How often a connection was asked for and got.")
	waited := s.desc("pukar_database_pool_waited_total", "How often a connection was not there at once.")
	waiting := s.desc("pukar_database_pool_wait_seconds_total", "Time for which connections were waited for.")
	s.collect = func(ch chan<- prometheus.Metric) {
		now := stat()
		ch <- gauge(most, float64(now.MaxConns()))
		ch <- gauge(total, float64(now.TotalConns()))
		ch <- gauge(used, float64(now.AcquiredConns()))
		ch <- counter(acquired, float64(now.AcquireCount()))
		ch <- counter(waited, float64(now.EmptyAcquireCount()))
		ch <- counter(waiting, now.EmptyAcquireWaitTime().Seconds())
	}
	m.registerer.MustRegister(s)
}

// Hints tells how many hints wait in Redis, by lane.
func (m *Metrics) Hints(waiting func(context.Context) (map[string]int, error)) {
	s := &source{}
	hints := s.desc("pukar_queue_hints", "Hints that wait in Redis, by lane; the same whichever process is asked.", "lane")
	up := s.desc("pukar_redis_up", "1 while Redis answers.")
	asked := &kept[map[string]int]{ask: waiting}
	s.collect = func(ch chan<- prometheus.Metric) {
		lanes, err := asked.get(time.Now())
		ch <- gauge(up, truth(err == nil))
		for lane, n := range lanes {
			ch <- gauge(hints, float64(n), lane)
		}
	}
	m.registerer.MustRegister(s)
}

// Disks tells how much room the file systems of the folders have, by what the folder is for.
func (m *Metrics) Disks(folders map[string]string) {
	s := &source{}
	free := s.desc("pukar_disk_free_bytes", "Room that is left where the folder lies, by folder: home, database.", "folder")
	size := s.desc("pukar_disk_size_bytes", "Size of the file system where the folder lies, by folder.", "folder")
	s.collect = func(ch chan<- prometheus.Metric) {
		for name, path := range folders {
			var fs unix.Statfs_t
			if unix.Statfs(path, &fs) != nil {
				continue // away: no value is better than a wrong one
			}
			ch <- gauge(free, float64(fs.Bavail)*float64(fs.Bsize), name)
			ch <- gauge(size, float64(fs.Blocks)*float64(fs.Bsize), name)
		}
	}
	m.registerer.MustRegister(s)
}
