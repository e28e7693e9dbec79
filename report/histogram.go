package report

import (
	"math"
	"math/bits"
	"time"
)

// histogram counts durations in buckets of a sixteenth of an octave of milliseconds, so that its memory does not grow and a quantile is
// off by 5 % at most.
type histogram struct {
	counts [64 * 16]int64
	total  int64
}

// add counts a duration; one below 0, of clocks that differ, counts as 0.
func (h *histogram) add(d micros) {
	ms := uint64(max(d, 0) / 1000)
	h.counts[bucket(ms)]++
	h.total++
}

func bucket(ms uint64) int {
	if ms < 16 {
		return int(ms)
	}
	octave := bits.Len64(ms) - 5 // at least 0; ms>>octave is 16 to 31
	return octave*16 + int(ms>>octave)
}

// quantile returns the duration, in seconds to the millisecond, that a share of those counted did not pass; 0 when none was counted.
func (h *histogram) quantile(share float64) float64 {
	if h.total == 0 {
		return 0
	}
	want, seen := int64(math.Ceil(share*float64(h.total))), int64(0)
	for i, n := range h.counts {
		if seen += n; seen >= want {
			return float64(middle(i)) / 1000
		}
	}
	return 0
}

// middle returns the middle of a bucket in milliseconds.
func middle(i int) uint64 {
	if i < 32 {
		return uint64(i)
	}
	octave := i/16 - 1
	return uint64(i%16+16)<<octave + uint64(1)<<octave/2
}

// time returns a moment for people in India, nil for none.
func (m micros) time() *time.Time {
	if m == 0 {
		return nil
	}
	t := time.UnixMicro(int64(m) + epoch*int64(second)).In(india)
	return &t
}
