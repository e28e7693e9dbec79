package throttle

// plan is what reserve.lua decides, without Redis: every time is in nanoseconds from now.
//
// ahead holds each limit's next free slot (0 or less: free), intervals the time between two parts of each, at least 1. It returns the
// number of parts that get a slot, least or more or none, the first slot, the time between the slots, the wait when there is none, and the
// new next free slot of each limit (nil when nothing was granted).
func plan(ahead, intervals []int64, least, parts, horizon int64) (granted, start, interval, retry int64, next []int64) {
	for i, own := range intervals {
		interval = max(interval, own)
		start = max(start, min(ahead[i], int64(MaxHorizon)+own))
	}
	if enough := start + (least-1)*interval; enough > horizon {
		return 0, start, interval, enough - horizon, nil
	}
	granted = min((horizon-start)/interval+1, parts)
	last := start + (granted-1)*interval
	for _, own := range intervals {
		next = append(next, last+own)
	}
	return granted, start, interval, 0, next
}
