package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"pukar/internal/logs"
)

// Times of a Server.
const (
	checkInterval = 200 * time.Millisecond // how often an empty queue is looked at
	checkUrgent   = 50 * time.Millisecond  // and the urgent one, whose hints are waited for by somebody
	pingTimeout   = 5 * time.Second
	drainTimeout  = 5 * time.Second // asynq waits so long for handlers before it cancels their contexts
	endTimeout    = 2 * time.Second // what a handler has to end after that
	shutdownLimit = 9 * time.Second // the whole of Shutdown
)

// Server runs a handler for every hint that comes. Start it once, Stop it to take no more, Shutdown it to wait for the handlers; it cannot
// be started again.
type Server struct {
	redis   redis.UniversalClient
	servers map[string]*asynq.Server
	handler func(context.Context, Hint) error
	running *running
	log     *slog.Logger
	trouble logs.Repeated // of handlers: while a server is away, every batch says the same

	stopping sync.Once
	ending   sync.Once
}

// NewServer returns a Server for the Redis at redisURL (forms: see Open), without connecting yet. concurrency says how many handlers may
// run at once for each queue; a queue without a positive number is not served here. The handler gets a context that ends after Timeout,
// at Shutdown, or when asynq loses the task's lease; it may be called for the same hint twice, even at once. Its error or panic is logged.
func NewServer(redisURL string, concurrency map[string]int, handler func(ctx context.Context, h Hint) error, log *slog.Logger) (*Server, error) {
	for queue := range concurrency {
		if !known(queue) {
			return nil, unknownQueue(queue)
		}
	}
	connection, err := Open(redisURL)
	if err != nil {
		return nil, err
	}
	s := &Server{
		redis:   connection,
		servers: make(map[string]*asynq.Server),
		handler: handler,
		running: newRunning(),
		log:     log,
	}
	for _, queue := range names {
		if concurrency[queue] <= 0 {
			continue
		}
		check := checkInterval
		if queue == Urgent {
			check = checkUrgent
		}
		s.servers[queue] = asynq.NewServerFromRedisClient(connection, asynq.Config{
			Concurrency:       concurrency[queue],
			Queues:            map[string]int{queue: 1},
			TaskCheckInterval: check,
			ShutdownTimeout:   drainTimeout,
			Logger:            &asynqLogger{log: s.log, queue: queue, now: time.Now},
			LogLevel:          asynq.InfoLevel,
		})
	}
	return s, nil
}

// Start connects and begins to take hints. When it returns an error nothing was started, and the Server is closed.
func (s *Server) Start() error {
	ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
	defer cancel()
	if err := s.redis.Ping(ctx).Err(); err != nil {
		s.Shutdown()
		return fmt.Errorf("start the queue: %w", err)
	}
	for queue, server := range s.servers {
		if err := server.Start(asynq.HandlerFunc(s.process)); err != nil {
			s.Shutdown()
			return fmt.Errorf("start the queue %s: %w", queue, err)
		}
	}
	return nil
}

// Stop takes no further hints. Handlers go on; hints that wait stay for others. It returns when no new handler can start, within the time
// of one exchange with Redis.
func (s *Server) Stop() {
	s.stopping.Do(func() {
		s.all((*asynq.Server).Stop)
	})
}

// Shutdown stops, waits for the handlers, cancels the contexts of those that are not done after 5 seconds, and closes the connections. It
// returns within 10 seconds and logs what it had to leave behind.
func (s *Server) Shutdown() {
	s.ending.Do(func() {
		limit, cancel := context.WithTimeout(context.Background(), shutdownLimit)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Stop()
			s.all((*asynq.Server).Shutdown)
		}()
		select {
		case <-ended:
		case <-limit.Done():
			s.log.Warn("queue servers did not shut down in time")
		}
		idle, left := s.running.close()
		if left > 0 {
			wait, cancel := context.WithTimeout(limit, endTimeout)
			defer cancel()
			select {
			case <-idle:
			case <-wait.Done():
				_, left = s.running.close()
				s.log.Warn("handlers are still running after shutdown", "handlers", left)
			}
		}
		if err := s.redis.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
			s.log.Debug("close redis", "err", err)
		}
	})
}

// all calls f for every server at once and waits for all.
func (s *Server) all(f func(*asynq.Server)) {
	var group sync.WaitGroup
	for _, server := range s.servers {
		group.Go(func() { f(server) })
	}
	group.Wait()
}

// process runs the handler for one task. It never returns an error: asynq would archive the task, and the archive would only fill up.
func (s *Server) process(ctx context.Context, task *asynq.Task) error {
	if !s.running.begin() {
		return nil
	}
	defer s.running.end()
	hint, err := parseHint(string(task.Payload()))
	if err != nil {
		s.log.Warn("dropped a task", "err", err)
		return nil
	}
	err = s.call(ctx, hint)
	switch {
	case err == nil, errors.Is(err, errPanic):
	case ctx.Err() != nil:
		s.log.Debug("handler was cut short", "run", hint.Run, "batch", hint.Batch, "err", err)
	default:
		s.trouble.Warn(s.log, "handler returned an error", err, "run", hint.Run, "batch", hint.Batch)
	}
	return nil
}

// call runs the handler and turns a panic into an error, logged with its stack.
func (s *Server) call(ctx context.Context, hint Hint) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("handler panicked", "run", hint.Run, "batch", hint.Batch, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return s.handler(ctx, hint)
}

// errPanic stands for a panic that was logged where it was caught.
var errPanic = errors.New("handler panicked")
