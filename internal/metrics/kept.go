package metrics

import (
	"context"
	"sync"
	"time"
)

const (
	// keptFor is how long an answer from elsewhere is good for: several scrapers ask no more often than one would.
	keptFor = 5 * time.Second
	// askFor bounds a question, well below the ten seconds that Prometheus gives a scrape.
	askFor = 3 * time.Second
)

// kept remembers the answer to a question that costs something.
type kept[T any] struct {
	ask func(context.Context) (T, error)

	mu     sync.Mutex
	at     time.Time
	answer T
	err    error
}

// get answers what was asked a moment ago, or asks. An error is kept too: a database that is away is not asked by every scrape.
func (k *kept[T]) get(now time.Time) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.at.IsZero() && now.Sub(k.at) < keptFor {
		return k.answer, k.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	k.answer, k.err = k.ask(ctx)
	k.at = now
	return k.answer, k.err
}
