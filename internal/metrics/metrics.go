package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Build says which program this is.
type Build struct{ Version, Revision string }

// Route is a route of the configuration with the names of its binds: the values that the labels route and bind can have.
type Route struct {
	Name     string
	Receipts bool // whether its centre sends any
	Binds    []string
}

// Metrics are what a process counts. Its methods may be called by any number of goroutines, and on a nil *Metrics, which
// counts nothing.
type Metrics struct {
	registerer prometheus.Registerer
	binds      map[string]*bindCounts
	parts      *prometheus.CounterVec
	receipts   *prometheus.CounterVec
	submits    *Histogram
	delays     *Histogram
	waits      *Histogram
	requests   *Histogram
	strides    *prometheus.GaugeVec
	stops      *prometheus.CounterVec
	leader     *prometheus.GaugeVec
}

// bindCounts are the counters of one bind, looked up once.
type bindCounts struct {
	route    string
	results  [len(Results)]prometheus.Counter
	receipts [len(ReceiptStates)]prometheus.Counter
}

// Results are the values of the label result, as the ledger spells them.
var Results = [...]string{"accepted", "refused", "throttled", "transient", "not_sent", "unknown"}

// ReceiptStates are the values of the label state of receipts; the last stands for those that are not final.
var ReceiptStates = [...]string{"delivered", "failed", "expired", "intermediate"}

// The roles that one process at a time has.
const (
	LeaderSweeper   = "sweeper"
	LeaderScheduler = "scheduler"
)

// New makes the metrics of a process and registers them. It panics when they are registered already, which is a mistake of the
// program.
func New(registerer prometheus.Registerer, build Build, routes []Route) *Metrics {
	m := &Metrics{registerer: registerer, binds: make(map[string]*bindCounts)}
	m.parts = counters("pukar_parts_total", "Parts that got a result, by route, bind and result.", "route", "bind", "result")
	m.receipts = counters("pukar_receipts_total", "Receipts that were stored, by route and state.", "route", "state")
	m.stops = counters("pukar_stops_total", "Stops that people sent and that were put into force, by source.", "source")
	m.submits = newHistogram("pukar_submit_seconds", "Time from writing a part to the response of the centre, by route.", "route", secondBounds)
	m.delays = newHistogram("pukar_receipt_delay_seconds", "Time from the acceptance of a part to its final receipt, by route, for parts that this process remembers.", "route", delayBounds)
	m.waits = newHistogram("pukar_throttle_wait_seconds", "Time for which a stride waited for its time slots and for room on the route, by route.", "route", secondBounds)
	m.requests = newHistogram("pukar_http_request_seconds", "Time that requests to the interface took, by endpoint; streams last as long as they are read.", "endpoint", secondBounds)
	m.strides = gauges("pukar_strides_open", "Strides of this process that are on the wire or not recorded yet, by route.", "route")
	m.leader = gauges("pukar_leader", "1 while this process does what only one process at a time does, by role.", "role")
	info := gauges("pukar_build_info", "Always 1; the labels tell which program this is.", "version", "revision", "go_version")
	info.WithLabelValues(build.Version, build.Revision, runtime.Version()).Set(1)
	registerer.MustRegister(m.parts, m.receipts, m.stops, m.submits, m.delays, m.waits, m.requests, m.strides, m.leader, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, route := range routes {
		m.strides.WithLabelValues(route.Name)
		for _, bind := range route.Binds {
			m.binds[bind] = m.resolve(route, bind)
		}
	}
	m.leader.WithLabelValues(LeaderSweeper)
	m.leader.WithLabelValues(LeaderScheduler)
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func (m *Metrics) resolve(route Route, bind string) *bindCounts {
	b := &bindCounts{route: route.Name}
	for i, result := range Results {
		b.results[i] = m.parts.WithLabelValues(route.Name, bind, result)
	}
	if !route.Receipts {
		return b // no series: nobody is to be told that none come
	}
	for i, state := range ReceiptStates {
		b.receipts[i] = m.receipts.WithLabelValues(route.Name, state)
	}
	return b
}

// Opened counts a stride that is handed to its bind.
func (m *Metrics) Opened(route string) {
	if m != nil {
		m.strides.WithLabelValues(route).Inc()
	}
}

// Recorded counts a stride off that Opened counted.
func (m *Metrics) Recorded(route string) {
	if m != nil {
		m.strides.WithLabelValues(route).Dec()
	}
}

// Waited counts how long a stride waited for its time slots.
func (m *Metrics) Waited(route string, waited time.Duration) {
	if m != nil {
		observe(m.waits, route, waited)
	}
}

// Stopped counts a stop, by where it came from: keyword, missed_call, person.
func (m *Metrics) Stopped(source string) {
	if m != nil {
		m.stops.WithLabelValues(source).Inc()
	}
}

// Leads says whether this process leads in a role now.
func (m *Metrics) Leads(role string, leads bool) {
	if m == nil {
		return
	}
	value := 0.0
	if leads {
		value = 1
	}
	m.leader.WithLabelValues(role).Set(value)
}

// Answered counts a request to the interface by the pattern of its endpoint.
func (m *Metrics) Answered(endpoint string, took time.Duration) {
	if m != nil {
		observe(m.requests, endpoint, took)
	}
}

// observe counts a single one, for what happens some times a second.
func observe(h *Histogram, value string, took time.Duration) {
	s := h.Spread()
	s.Add(took)
	h.Merge(value, &s)
}
