package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// secondBounds are the upper bounds of what takes from a millisecond to a minute, in nanoseconds.
var secondBounds = []int64{
	int64(time.Millisecond), int64(2500 * time.Microsecond), int64(5 * time.Millisecond), int64(10 * time.Millisecond),
	int64(25 * time.Millisecond), int64(50 * time.Millisecond), int64(100 * time.Millisecond), int64(250 * time.Millisecond),
	int64(500 * time.Millisecond), int64(time.Second), int64(2500 * time.Millisecond), int64(5 * time.Second),
	int64(10 * time.Second), int64(30 * time.Second), int64(time.Minute),
}

// delayBounds are those of what takes from half a second to three days: the way to a handset and back.
var delayBounds = []int64{
	int64(500 * time.Millisecond), int64(time.Second), int64(2 * time.Second), int64(5 * time.Second), int64(10 * time.Second),
	int64(30 * time.Second), int64(time.Minute), int64(5 * time.Minute), int64(15 * time.Minute), int64(time.Hour),
	int64(6 * time.Hour), int64(24 * time.Hour), int64(72 * time.Hour),
}

// mostBounds is the room for counts in a Spread.
const mostBounds = 16

// Spread counts how long things took, for one goroutine; it is merged into a Histogram when there are enough of them to be
// worth a lock. The zero value with bounds is empty.
type Spread struct {
	bounds []int64
	counts [mostBounds]uint64
	n      uint64
	sum    int64 // nanoseconds
}

// Add counts one that took so long.
func (s *Spread) Add(took time.Duration) {
	low, high := 0, len(s.bounds) // the first bound that is not below took
	for low < high {
		if middle := (low + high) / 2; s.bounds[middle] < int64(took) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	s.counts[low]++
	s.n++
	s.sum += int64(took)
}

// Histogram is a Prometheus histogram of durations by one label, into which whole Spreads are merged: the library's own takes
// them one by one, which costs as much as everything else that is done for a part. Any number of goroutines may use it.
type Histogram struct {
	desc   *prometheus.Desc
	bounds []int64

	mu     sync.Mutex
	spread map[string]*Spread // by the label's value
}

func newHistogram(name, help, label string, bounds []int64) *Histogram {
	return &Histogram{desc: prometheus.NewDesc(name, help, []string{label}, nil), bounds: bounds, spread: make(map[string]*Spread)}
}

// Spread returns an empty spread with the histogram's bounds.
func (h *Histogram) Spread() Spread { return Spread{bounds: h.bounds} }

// Merge adds what a spread of this histogram counted to the label's value.
func (h *Histogram) Merge(value string, s *Spread) {
	if s.n == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	own := h.spread[value]
	if own == nil {
		own = &Spread{bounds: h.bounds}
		h.spread[value] = own
	}
	for i, n := range s.counts {
		own.counts[i] += n
	}
	own.n += s.n
	own.sum += s.sum
}

// Describe implements prometheus.Collector.
func (h *Histogram) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }

// Collect implements prometheus.Collector.
func (h *Histogram) Collect(ch chan<- prometheus.Metric) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for value, s := range h.spread {
		buckets := make(map[float64]uint64, len(h.bounds))
		sum := uint64(0)
		for i, bound := range h.bounds {
			sum += s.counts[i]
			buckets[time.Duration(bound).Seconds()] = sum
		}
		ch <- prometheus.MustNewConstHistogram(h.desc, s.n, time.Duration(s.sum).Seconds(), buckets, value)
	}
}
