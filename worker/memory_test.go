package worker

import (
	"testing"
	"unsafe"
)

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
	if _, ok := m.recall(0, 0); ok {
		t.Error("an empty place was recalled")
	}
	again := remembered{msisdn: 919800000002, run: 2, seq: 7, part: 1}
	m.remember(1, again)
	if got, ok := m.recall(1, 919800000002); !ok || got != again {
		t.Errorf("after its id was used again %+v, %v", got, ok)
	}
	if size := unsafe.Sizeof(memory{}); size != 32 {
		t.Errorf("a part takes %d octets", size)
	}
}

// TestMemoryForgetsTheOldestFirst remembers twice as many parts as there is room for, with the clock about to wrap around.
func TestMemoryForgetsTheOldestFirst(t *testing.T) {
	t.Parallel()
	const room = memorySets * memoryWays
	m := NewMemory()
	at := ^uint32(0) - room/1000 // a thousand parts in each millisecond
	for i := range int64(2 * room) {
		m.remember(i, remembered{msisdn: i, run: 1, seq: int32(i), at: at + uint32(i/1000)})
	}
	known := func(from, to int64) (share float64) {
		n := 0
		for i := from; i < to; i++ {
			if r, ok := m.recall(i, i); ok && r.seq == int32(i) {
				n++
			}
		}
		return float64(n) / float64(to-from)
	}
	if share := known(2*room-room/2, 2*room); share < 0.9 {
		t.Errorf("of the newer half of what there is room for %.3f are known", share)
	}
	if share := known(2*room-room/4, 2*room); share < 0.99 {
		t.Errorf("of the newest quarter %.4f are known", share)
	}
	if share := known(0, room); share > 0.05 {
		t.Errorf("of what is long past %.3f are known", share)
	}
}

func BenchmarkMemory(b *testing.B) {
	m := NewMemory()
	for i := int64(0); b.Loop(); i++ {
		m.remember(i*7919, remembered{msisdn: i, run: 1, at: uint32(i / 50)})
		m.recall((i-100_000)*7919, i-100_000)
	}
}
