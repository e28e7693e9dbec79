package smpp

import (
	"errors"
	"math/rand/v2"
	"time"

	"pukar/smpp/pdu"
)

const (
	// fatalFirst and fatalLimit bound the waits after a bind that was refused for what we are: only a person can mend that, and
	// a centre locks an account out that keeps trying.
	fatalFirst = time.Minute
	fatalLimit = 15 * time.Minute
	// boundFirst is the first wait after "already bound": the centre has to notice first that our last connection is gone.
	boundFirst = 5 * time.Second
	// steady is how long a session must have been bound for the waits to start from the shortest again.
	steady = 10 * time.Second
)

// backoff chooses the waits between attempts to bind.
type backoff struct {
	first, limit time.Duration
	last         time.Duration
}

// next is the wait after an attempt that ended with err, after being bound for the time given. It lies between half and the whole
// of a time that doubles, so that many binds do not come back at the same moment.
func (b *backoff) next(err error, bound time.Duration) time.Duration {
	if bound >= steady {
		b.last = 0
	}
	first, limit := b.first, b.limit
	switch {
	case bindFatal(err):
		first, limit = fatalFirst, fatalLimit
	case alreadyBound(err):
		first = max(first, boundFirst)
		limit = max(limit, first)
	}
	switch {
	case b.last < first:
		b.last = first
	default:
		b.last = min(2*b.last, limit)
	}
	return b.last/2 + rand.N(b.last/2+1)
}

// bindFatal reports whether the centre refused the bind for credentials or rights.
func bindFatal(err error) bool {
	var refused *StatusError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Status {
	case pdu.StatusBindFailed, pdu.StatusInvalidPassword, pdu.StatusInvalidSystemID:
		return true
	}
	return false
}

func alreadyBound(err error) bool {
	var refused *StatusError
	return errors.As(err, &refused) && refused.Status == pdu.StatusAlreadyBound
}
