package metrics

import "time"

// Tally counts the parts of one stride. It belongs to one goroutine; Count takes it in.
type Tally struct {
	results [len(Results)]uint32
	took    Spread
}

// Tally returns an empty tally.
func (m *Metrics) Tally() Tally {
	if m == nil {
		return Tally{}
	}
	return Tally{took: m.submits.Spread()}
}

// Add counts a part by its result, one of Results; took is how long its response took, zero without one.
func (t *Tally) Add(result string, took time.Duration) {
	switch result {
	case "accepted":
		t.results[0]++
	case "refused":
		t.results[1]++
	case "throttled":
		t.results[2]++
	case "transient":
		t.results[3]++
	case "not_sent":
		t.results[4]++
	default:
		t.results[5]++
	}
	if took > 0 && t.took.bounds != nil {
		t.took.Add(took)
	}
}

// Count takes in what became of the parts of a stride on a bind. A bind that the configuration does not have is not counted.
func (m *Metrics) Count(bind string, t *Tally) {
	if m == nil {
		return
	}
	b := m.binds[bind]
	if b == nil {
		return
	}
	for i, n := range t.results {
		if n > 0 {
			b.results[i].Add(float64(n))
		}
	}
	m.submits.Merge(b.route, &t.took)
}

// Receipts counts the receipts of one group. It belongs to one goroutine; CountReceipts takes it in.
type Receipts struct {
	binds map[string]*receipts
}

type receipts struct {
	states [len(ReceiptStates)]uint32
	delays Spread
}

// Add counts a receipt that came by a bind; state is delivered, failed, expired, or "" for one that is not final. delay is the
// time since its part was accepted, zero where nobody remembers that.
func (r *Receipts) Add(m *Metrics, bind, state string, delay time.Duration) {
	if m == nil {
		return
	}
	if r.binds == nil {
		r.binds = make(map[string]*receipts)
	}
	b := r.binds[bind]
	if b == nil {
		b = &receipts{delays: m.delays.Spread()}
		r.binds[bind] = b
	}
	at := len(ReceiptStates) - 1
	for i, name := range ReceiptStates {
		if name == state {
			at = i
		}
	}
	b.states[at]++
	if delay > 0 && state != "" {
		b.delays.Add(delay)
	}
}

// CountReceipts takes in the receipts of a group once they are stored.
func (m *Metrics) CountReceipts(r *Receipts) {
	if m == nil {
		return
	}
	for bind, counted := range r.binds {
		b := m.binds[bind]
		if b == nil {
			continue
		}
		for i, n := range counted.states {
			if n > 0 && b.receipts[i] != nil {
				b.receipts[i].Add(float64(n))
			}
		}
		m.delays.Merge(b.route, &counted.delays)
	}
}
