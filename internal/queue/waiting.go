package queue

import (
	"context"
	"fmt"
)

// Waiting counts the hints that wait in Redis, by queue.
func (c *Client) Waiting(ctx context.Context) (map[string]int, error) {
	waiting := make(map[string]int, len(names))
	for _, queue := range names {
		// asynq keeps the tasks of a queue that nobody has taken yet in this list.
		n, err := c.redis.LLen(ctx, "asynq:{"+queue+"}:pending").Result()
		if err != nil {
			return nil, fmt.Errorf("count the hints of queue %s: %w", queue, err)
		}
		waiting[queue] = int(n)
	}
	return waiting, nil
}
