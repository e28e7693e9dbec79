package smpp

import "time"

// sending is one call of Send on its way through a session.
type sending struct {
	batch *Batch
	next  int           // the first part that is neither claimed nor given up; guarded by the session's mutex
	done  chan struct{} // closed by the writer after the last part was written
}

// sendQueue holds the calls of Send that have parts left, in the order of their arrival. The session's mutex guards it.
type sendQueue struct {
	list  []*sending
	turn  int // whose turn it is: callers take turns, part by part
	parts int // parts left in all of them
}

func (q *sendQueue) push(send *sending) {
	q.list = append(q.list, send)
	q.parts += len(send.batch.Parts) - send.next
}

// due returns the next caller whose next part's slot has come. Where there is none, it returns the time of the nearest slot, or zero
// where no part is left.
func (q *sendQueue) due(now time.Time) (*sending, time.Time) {
	var nearest time.Time
	for range q.list {
		if q.turn >= len(q.list) {
			q.turn = 0
		}
		send := q.list[q.turn]
		slot := send.batch.Parts[send.next].NotBefore
		if !slot.After(now) {
			return send, time.Time{}
		}
		if nearest.IsZero() || slot.Before(nearest) {
			nearest = slot
		}
		q.turn++
	}
	return nil, nearest
}

// advance takes the next part of the caller whose turn it is, which due returned, and passes the turn on.
func (q *sendQueue) advance() (part int, last bool) {
	send := q.list[q.turn]
	part = send.next
	send.next++
	q.parts--
	if last = send.next == len(send.batch.Parts); last {
		q.cut(q.turn)
	} else {
		q.turn++
	}
	return part, last
}

// giveUp takes all parts that are left to a caller out of the queue, and returns the first of them.
func (q *sendQueue) giveUp(send *sending) (first int) {
	first = send.next
	send.next = len(send.batch.Parts)
	for i := range q.list {
		if q.list[i] == send {
			q.parts -= send.next - first
			q.cut(i)
			break
		}
	}
	return first
}

func (q *sendQueue) cut(i int) {
	copy(q.list[i:], q.list[i+1:])
	q.list[len(q.list)-1] = nil
	q.list = q.list[:len(q.list)-1]
	if i < q.turn {
		q.turn--
	}
}
