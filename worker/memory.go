package worker

import "sync"

const (
	// memorySets sets of memoryWays parts are what a process remembers: 2^20 of 32 octets, of which the system gives
	// what was touched. Receipts of older ones are matched in PostgreSQL.
	memorySets = 1 << memoryBits
	memoryBits = 18
	memoryWays = 4
)

// remembered is an accepted part. With its key it fits into 32 octets.
type remembered struct {
	msisdn   int64
	run, seq int32
	at       uint32 // when it was accepted, in milliseconds that wrap around after 49 days
	part     int16
	route    uint16 // its place in Drains
}

// memory is a part under its key; one of run 0 is none.
type memory struct {
	key int64
	remembered
}

// Memory knows the newest accepted parts by the centre's message id, so that most receipts are matched
// without asking the database. Forgetting costs time, never truth.
type Memory struct {
	mu   sync.Mutex
	sets [][memoryWays]memory
}

// NewMemory returns an empty memory.
func NewMemory() *Memory { return &Memory{sets: make([][memoryWays]memory, memorySets)} }

// set is where a key is kept. Keys of one centre may lie close together, hence the multiplication (by 2^64 over the
// golden ratio), whose highest bits hang on all of theirs.
func (m *Memory) set(key int64) *[memoryWays]memory {
	return &m.sets[uint64(key)*0x9E3779B97F4A7C15>>(64-memoryBits)]
}

// remember keeps a part in the place of the one under the same key, or of none, or of the oldest in its set.
func (m *Memory) remember(key int64, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	set := m.set(key)
	place := &set[0]
	for i := range set {
		one := &set[i]
		if one.key == key || one.run == 0 {
			place = one
			break
		}
		if int32(one.at-place.at) < 0 {
			place = one
		}
	}
	*place = memory{key: key, remembered: r}
}

// recall answers the part that was accepted under the key, if it went to this number.
func (m *Memory) recall(key, msisdn int64) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	set := m.set(key)
	for i := range set {
		if one := &set[i]; one.key == key && one.run != 0 {
			return one.remembered, one.msisdn == msisdn
		}
	}
	return remembered{}, false
}
