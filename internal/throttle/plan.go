package throttle

// bound is a limit as the script sees it. Times are in nanoseconds, ahead is counted from now.
type bound struct {
	ahead    int64 // when its next part is due at its rate; 0 or less: free
	interval int64 // between two parts at its rate, at least 1
	burst    int64 // the most parts at once; of no use in the first bound, which spaces
}

// planned is the answer to a reservation.
type planned struct {
	granted  int64   // parts that get a slot: none, or least and more
	start    int64   // the first slot, from now
	interval int64   // between the slots
	retry    int64   // the wait when nothing was granted
	held     int     // and which bound it is for
	next     []int64 // each bound's ahead after it; nil when nothing was granted
}

// plan is what reserve.lua decides, without Redis.
//
// The first bound spaces the parts, one in each of its intervals. The others count: each part is due one interval after the part before it,
// and may be early by burst-1 intervals. sizes are the parts of each message, in order; where it is not empty, only whole messages are granted.
func plan(bounds []bound, sizes []byte, least, parts, horizon int64) planned {
	spacing := bounds[0]
	p := planned{interval: spacing.interval, start: max(0, min(spacing.ahead, int64(MaxHorizon)+spacing.interval))}
	p.retry = p.start + (least-1)*p.interval - horizon
	granted := min((horizon-p.start)/p.interval+1, parts)
	due := make([]int64, len(bounds))
	for i := 1; i < len(bounds); i++ {
		b := bounds[i]
		burst := max(b.burst, least)
		early, gain := (burst-1)*b.interval, b.interval-p.interval
		ahead := min(b.ahead, int64(MaxHorizon)+max(burst, longestMessage)*b.interval)
		if wait := ahead - early + max(0, (least-1)*gain) - p.start; wait > p.retry {
			p.retry, p.held = wait, i
		}
		due[i] = max(ahead, p.start)
		if gain > 0 {
			granted = min(granted, (p.start+early-due[i])/gain+1)
		}
	}
	if p.retry > 0 {
		return p
	}
	if granted < parts && len(sizes) > 0 {
		granted = whole(sizes, granted)
	}
	p.granted, p.retry, p.held = granted, 0, 0
	last := p.start + (granted-1)*p.interval
	p.next = []int64{last + p.interval}
	for i := 1; i < len(bounds); i++ {
		p.next = append(p.next, max(due[i]+granted*bounds[i].interval, last+bounds[i].interval))
	}
	return p
}

// whole counts the parts of those messages from the front that have at most the given number together.
func whole(sizes []byte, most int64) (parts int64) {
	for _, size := range sizes {
		if parts+int64(size) > most {
			break
		}
		parts += int64(size)
	}
	return parts
}
