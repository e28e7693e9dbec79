package worker

import (
	"time"

	"pukar/internal/queue"
)

// lane is how pressing a run is; the smaller, the more.
type lane int

const (
	urgent lane = iota
	normal
	bulk
)

// laneTerms are what a lane may have of a route.
var laneTerms = [...]struct {
	priority string
	// weight is its share of the parts among the lanes of this process that have any to send.
	weight float64
	// ahead is how far ahead its first slot may lie. Between processes it decides: the lane that reaches further gets its slots, however
	// many of the others ask.
	ahead time.Duration
	// growth is how much further it may lie for each second in which the lane was given none, so that none waits for ever.
	growth float64
	// turn is how long a handler keeps a batch: the more pressing, the sooner another run of the lane has the handler.
	turn time.Duration
}{
	urgent: {queue.Urgent, 16, 500 * time.Millisecond, 1, 2 * time.Second},
	normal: {queue.Normal, 4, 375 * time.Millisecond, 0.5, 5 * time.Second},
	bulk:   {queue.Bulk, 1, 250 * time.Millisecond, 0.25, 10 * time.Second},
}

// laneOf is the lane of a campaign's priority.
func laneOf(priority string) lane {
	for l := range laneTerms {
		if laneTerms[l].priority == priority {
			return lane(l)
		}
	}
	return bulk
}

const (
	// farthest is how far ahead a slot may lie at most, however long a lane has waited.
	farthest = 1500 * time.Millisecond
	// refusedFor is how long a lane that is given no slots, and does not ask, counts as waiting: batches rest for two seconds.
	refusedFor = 5 * time.Second
)

// reach is how far ahead the first slot of a lane may lie that has been given none for a while.
func (l lane) reach(waited time.Duration) time.Duration {
	terms := laneTerms[l]
	return min(terms.ahead+time.Duration(terms.growth*float64(waited)), farthest)
}
