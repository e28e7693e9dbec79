package smpp

// settled is a result on its way to the one who waits for it.
type settled struct {
	send   *sending              // nil where late is set
	late   func(i int, r Result) // the part was given up before, and holds no window slot
	part   int32
	result Result
}

// settle calls Done and Late, so that neither the reader nor the writer waits for the application. A slot is given back after its Done.
func (s *session) settle(finished <-chan struct{}) {
	var batch []settled
	for over := false; ; {
		s.mu.Lock()
		batch, s.settled = s.settled, batch[:0]
		s.mu.Unlock()
		if len(batch) == 0 {
			if over {
				return
			}
			select {
			case <-s.wakeSettler:
			case <-finished:
				over = true
			}
			continue
		}
		slots := 0
		for i := range batch {
			d := &batch[i]
			if d.late != nil {
				d.late(int(d.part), d.result)
				continue
			}
			slots++
			d.send.batch.Done(int(d.part), d.result)
		}
		clear(batch)
		s.release(slots)
	}
}

func (s *session) release(slots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots -= slots
	if len(s.queue.list) > 0 {
		signal(s.wakeWriter)
	}
	if s.slots == 0 {
		signal(s.quiet)
	}
}
