package worker

import "sync"

// memorySize is how many accepted parts a process remembers, in two generations: at 48 octets each some
// 25 MB. Receipts of older ones are matched in PostgreSQL.
const memorySize = 500_000

// remembered is an accepted part. It fits into 24 octets.
type remembered struct {
	msisdn   int64
	run, seq int32
	part     int16
	route    uint16 // its place in Drains
	at       uint32 // when it was accepted, in milliseconds that wrap around after 49 days
}

// Memory knows the newest accepted parts by the centre's message id, so that most receipts are matched
// without asking the database. Forgetting costs time, never truth.
type Memory struct {
	mu           sync.Mutex
	young, aging map[int64]remembered
}

// NewMemory returns an empty memory.
func NewMemory() *Memory { return &Memory{young: make(map[int64]remembered)} }

func (m *Memory) remember(key int64, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= memorySize/2 {
		m.aging, m.young = m.young, make(map[int64]remembered, memorySize/2)
	}
	m.young[key] = r
}

// recall answers the part that was accepted under the key, if it went to this number.
func (m *Memory) recall(key, msisdn int64) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.young[key]
	if !ok {
		r, ok = m.aging[key]
	}
	return r, ok && r.msisdn == msisdn
}
