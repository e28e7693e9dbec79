package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Timeout is how long a handler may take before asynq gives it up. Left at 0 asynq would make it half an hour.
const Timeout = 60 * time.Second

// Client gives hints. It may be used by any number of goroutines.
type Client struct {
	redis redis.UniversalClient
	asynq *asynq.Client
}

// NewClient returns a Client for the Redis at redisURL (forms: see Open), without connecting yet; Close it when done.
func NewClient(redisURL string) (*Client, error) {
	connection, err := Open(redisURL)
	if err != nil {
		return nil, err
	}
	return &Client{redis: connection, asynq: asynq.NewClientFromRedisClient(connection)}, nil
}

// Hint puts a hint into a queue (Urgent, Normal or Bulk). A hint that waits there already is success. An error means that the hint may or
// may not have been given: give another later, under a new number.
func (c *Client) Hint(ctx context.Context, queue string, h Hint) error {
	if !known(queue) {
		return fmt.Errorf("hint %s: %w", h.ID(), unknownQueue(queue))
	}
	id := h.ID()
	_, err := c.asynq.EnqueueContext(ctx, asynq.NewTask(taskType, []byte(id)),
		asynq.Queue(queue), asynq.TaskID(id), asynq.MaxRetry(0), asynq.Retention(0), asynq.Timeout(Timeout))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("hint %s on queue %s: %w", id, queue, err)
	}
	return nil
}

// Ping asks Redis for an answer.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	return nil
}

// Close closes the connections.
func (c *Client) Close() error {
	return c.redis.Close()
}

// ErrUnknownQueue is returned for a queue that no server serves.
var ErrUnknownQueue = errors.New("unknown queue")

func known(queue string) bool {
	for _, name := range names {
		if name == queue {
			return true
		}
	}
	return false
}

func unknownQueue(queue string) error {
	return fmt.Errorf("%w %q: known are %v", ErrUnknownQueue, queue, names)
}
