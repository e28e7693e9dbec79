package smsc

import "time"

const (
	tick       = 10 * time.Millisecond
	wheelSlots = 1024
	chunkSize  = 256
)

// chunks are slices of deliveries that can be used again.
type chunks struct{ spare [][]delivery }

func (c *chunks) get() []delivery {
	if n := len(c.spare); n > 0 {
		last := c.spare[n-1]
		c.spare[n-1], c.spare = nil, c.spare[:n-1]
		return last
	}
	return make([]delivery, 0, chunkSize)
}

func (c *chunks) put(chunk []delivery) {
	if len(c.spare) < 256 {
		c.spare = append(c.spare, chunk[:0])
	}
}

// wheel holds deliveries until they are due: a slot for each tick of the next ten seconds, in which what is due in a later
// round stays.
type wheel struct {
	slots [wheelSlots][]delivery
	at    int64 // the tick that was emptied last
	n     int
	*chunks
}

func (w *wheel) add(d *delivery) {
	t := max(int64((d.due+tick-1)/tick), w.at+1)
	slot := &w.slots[t%wheelSlots]
	if *slot == nil {
		*slot = w.get()
	}
	*slot = append(*slot, *d)
	w.n++
}

// advance moves what is due by now to the queue and reports whether there was any.
func (w *wheel) advance(now time.Duration, to *queue) bool {
	target := int64(now / tick)
	if w.n == 0 {
		w.at = max(w.at, target)
		return false
	}
	// After a long sleep one round empties everything.
	w.at = max(w.at, target-wheelSlots)
	moved := false
	for w.at < target && w.n > 0 {
		w.at++
		slot := w.slots[w.at%wheelSlots]
		if len(slot) == 0 {
			continue
		}
		kept := slot[:0]
		for i := range slot {
			if slot[i].due <= now {
				to.push(&slot[i])
			} else {
				kept = append(kept, slot[i])
			}
		}
		moved = moved || len(kept) < len(slot)
		w.n -= len(slot) - len(kept)
		w.slots[w.at%wheelSlots] = kept
		if len(kept) == 0 {
			w.put(slot)
			w.slots[w.at%wheelSlots] = nil
		}
	}
	w.at = max(w.at, target)
	return moved
}

// queue is first in, first out.
type queue struct {
	list [][]delivery
	head int // the next one in list[0]
	n    int
	*chunks
}

func (q *queue) push(d *delivery) {
	last := len(q.list) - 1
	if last < 0 || len(q.list[last]) == cap(q.list[last]) {
		q.list = append(q.list, q.get())
		last++
	}
	q.list[last] = append(q.list[last], *d)
	q.n++
}

// pop copies the first delivery out.
func (q *queue) pop(into *delivery) bool {
	if q.n == 0 {
		return false
	}
	first := q.list[0]
	*into = first[q.head]
	q.head++
	q.n--
	if q.head == len(first) {
		q.put(first)
		q.list[0] = nil
		q.list, q.head = q.list[1:], 0
	}
	return true
}
