package worker

import "time"

const (
	burstSeconds = 10 // what a burst is looked for in
	burstLeast   = 20 // failures that are one
)

// burst counts the results of a run, and those that failed for what all its messages have in common, over the last ten
// seconds. Failures of single numbers are results like others.
type burst struct {
	slots   [burstSeconds]struct{ second, results, failed int64 }
	results int64 // since it began
	failed  int64
	codes   map[string]int64
}

// add counts results that came at a time, and reports whether there are too many failures: twenty that are half of the last
// ten seconds' results, or as soon as there are twenty and nothing else ever came.
func (b *burst) add(at time.Time, results, failed int64, codes map[string]int64) (trips bool) {
	second := at.Unix()
	slot := &b.slots[second%burstSeconds]
	if slot.second != second {
		slot.second, slot.results, slot.failed = second, 0, 0
	}
	slot.results += results
	slot.failed += failed
	b.results += results
	b.failed += failed
	recent, bad := b.recent(second)
	if bad == 0 {
		clear(b.codes)
	}
	for code, n := range codes {
		if b.codes == nil {
			b.codes = make(map[string]int64)
		}
		b.codes[code] += n
	}
	if failed == 0 {
		return false
	}
	return bad >= burstLeast && 2*bad >= recent || b.failed >= burstLeast && b.failed == b.results
}

// recent sums up the ten seconds that end with this one.
func (b *burst) recent(second int64) (results, failed int64) {
	for _, slot := range b.slots {
		if slot.second > second-burstSeconds && slot.second <= second {
			results += slot.results
			failed += slot.failed
		}
	}
	return results, failed
}

// worst is the code that came most often.
func (b *burst) worst() (code string, times int64) {
	for c, n := range b.codes {
		if n > times || n == times && c < code {
			code, times = c, n
		}
	}
	return code, times
}
