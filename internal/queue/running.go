package queue

import "sync"

// running counts the handlers at work, also those that asynq has given up. A sync.WaitGroup would not do: asynq may start a last handler
// while the count is waited for.
type running struct {
	mu     sync.Mutex
	count  int
	closed bool
	idle   chan struct{} // closed when nobody is at work and nobody may start
}

func newRunning() *running {
	return &running{idle: make(chan struct{})}
}

// begin counts a handler in; false when none may start any more.
func (r *running) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.count++
	return true
}

// end counts a handler out.
func (r *running) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count--
	if r.closed && r.count == 0 {
		close(r.idle)
	}
}

// close lets no further handler start and returns what is closed when the last has ended, and how many are still at work.
func (r *running) close() (idle <-chan struct{}, left int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		if r.count == 0 {
			close(r.idle)
		}
	}
	return r.idle, r.count
}
