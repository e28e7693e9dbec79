package worker

import "testing"

func TestMemory(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	first := remembered{msisdn: 919800000001, run: 1, seq: 2, part: 3}
	m.remember(1, first)
	if got, ok := m.recall(1, 919800000001); !ok || got != first {
		t.Errorf("recalled %+v, %v", got, ok)
	}
	if _, ok := m.recall(1, 919800000002); ok {
		t.Error("a part was recalled for another number: centres use ids again")
	}
	if _, ok := m.recall(2, 919800000001); ok {
		t.Error("something was recalled that never was")
	}
	// A generation later it is still known, two later it is forgotten.
	fill := func(from int64) {
		m.remember(from, remembered{msisdn: from})
		for key := from + 1; len(m.young) < memorySize/2; key++ {
			m.young[key] = remembered{msisdn: key} // without the lock, which takes most of the time
		}
	}
	fill(1_000_000)
	if _, ok := m.recall(1, 919800000001); !ok {
		t.Error("forgotten after one generation")
	}
	fill(2_000_000)
	m.remember(3_000_000, remembered{msisdn: 3_000_000})
	if _, ok := m.recall(1, 919800000001); ok {
		t.Error("remembered after two generations")
	}
	if _, ok := m.recall(3_000_000, 3_000_000); !ok {
		t.Error("the newest are forgotten")
	}
	if size := len(m.young) + len(m.aging); size > memorySize {
		t.Errorf("%d parts are remembered, want at most %d", size, memorySize)
	}
}
