package queue

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pukar/internal/testenv"
)

// soon is how long a hint may take on a busy machine.
const soon = 20 * time.Second

// start returns a client and a running server on a Redis of their own; both are closed with the test.
func start(t *testing.T, concurrency map[string]int, handler func(context.Context, Hint) error) (*Client, *Server) {
	t.Helper()
	url := testenv.RedisURL(t)
	client, err := NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	server, err := NewServer(url, concurrency, handler, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func hint(t *testing.T, client *Client, queue string, h Hint) {
	t.Helper()
	if err := client.Hint(t.Context(), queue, h); err != nil {
		t.Fatal(err)
	}
}

// receive waits for one value.
func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(soon):
		t.Fatalf("%s: nothing within %v", what, soon)
		panic("unreachable")
	}
}

func TestHintReachesTheHandlerOfItsQueue(t *testing.T) {
	t.Parallel()
	got := make(chan Hint, 10)
	client, _ := start(t, map[string]int{Urgent: 1, Normal: 1, Bulk: 1}, func(ctx context.Context, h Hint) error {
		if left, ok := ctx.Deadline(); !ok || time.Until(left) > Timeout {
			t.Errorf("deadline %v, %v", left, ok)
		}
		got <- h
		return errors.New("handlers' errors end here")
	})
	want := map[Hint]bool{}
	for i, queue := range names {
		h := Hint{Run: 7, Batch: int32(i), No: 1}
		hint(t, client, queue, h)
		want[h] = true
	}
	for range names {
		h := receive(t, "hint", got)
		if !want[h] {
			t.Errorf("hint %v came twice or was never given", h)
		}
		delete(want, h)
	}
	testenv.Eventually(t, soon, "no task is left or archived", func() bool {
		keys, err := client.redis.Keys(t.Context(), "asynq:{*}:t:*").Result()
		return err == nil && len(keys) == 0
	})
}

func TestConflictIsSuccess(t *testing.T) {
	t.Parallel()
	client, err := NewClient(testenv.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 3 {
		hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 3})
	}
	if n := client.redis.LLen(t.Context(), "asynq:{bulk}:pending").Val(); n != 1 {
		t.Errorf("%d tasks wait, want 1", n)
	}
	if err := client.Hint(t.Context(), "express", Hint{}); !errors.Is(err, ErrUnknownQueue) {
		t.Errorf("unknown queue: %v", err)
	}
	if _, err := NewServer("redis://localhost", map[string]int{"express": 1}, nil, slog.Default()); !errors.Is(err, ErrUnknownQueue) {
		t.Errorf("server of an unknown queue: %v", err)
	}
}

func TestEmptiedRedisLosesHintsOnly(t *testing.T) {
	t.Parallel()
	entered, release, done := make(chan Hint), make(chan struct{}), make(chan Hint, 1)
	client, _ := start(t, map[string]int{Bulk: 1}, func(_ context.Context, h Hint) error {
		entered <- h
		<-release
		done <- h
		return nil
	})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 1, No: 1})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 1})
	receive(t, "first hint", entered)
	if err := client.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	close(release)
	if h := receive(t, "the handler that was running", done); h.Batch != 1 {
		t.Errorf("batch %d ended", h.Batch)
	}
	hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 2})
	if h := receive(t, "the hint given again", entered); h != (Hint{Run: 1, Batch: 2, No: 2}) {
		t.Errorf("hint %v", h)
	}
	receive(t, "its end", done)
}

func TestPanicIsRecovered(t *testing.T) {
	t.Parallel()
	got := make(chan int32, 1)
	client, _ := start(t, map[string]int{Normal: 1}, func(_ context.Context, h Hint) error {
		if h.Batch == 1 {
			panic("on purpose")
		}
		got <- h.Batch
		return nil
	})
	hint(t, client, Normal, Hint{Run: 1, Batch: 1, No: 1})
	hint(t, client, Normal, Hint{Run: 1, Batch: 2, No: 1})
	if batch := receive(t, "the hint after the panic", got); batch != 2 {
		t.Errorf("batch %d", batch)
	}
}

func TestFullQueueDoesNotStarveAnother(t *testing.T) {
	t.Parallel()
	release, busy, urgent := make(chan struct{}), make(chan struct{}), make(chan Hint, 1)
	defer close(release)
	client, _ := start(t, map[string]int{Urgent: 1, Bulk: 2}, func(_ context.Context, h Hint) error {
		if h.Run == 1 {
			busy <- struct{}{}
			<-release
			return nil
		}
		urgent <- h
		return nil
	})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 1, No: 1})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 1})
	receive(t, "first bulk handler", busy)
	receive(t, "second bulk handler", busy)
	hint(t, client, Urgent, Hint{Run: 2, Batch: 1, No: 1})
	receive(t, "urgent hint", urgent)
}

func TestStopTakesNoMoreAndShutdownWaits(t *testing.T) {
	t.Parallel()
	entered, release := make(chan Hint, 2), make(chan struct{})
	var ended sync.WaitGroup
	ended.Add(1)
	client, server := start(t, map[string]int{Bulk: 2}, func(ctx context.Context, h Hint) error {
		entered <- h
		<-release
		defer ended.Done()
		return ctx.Err()
	})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 1, No: 1})
	receive(t, "hint", entered)
	server.Stop()
	hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 1})
	shut := make(chan struct{})
	go func() {
		defer close(shut)
		server.Shutdown()
	}()
	select {
	case <-shut:
		t.Error("Shutdown did not wait for the handler")
	case h := <-entered:
		t.Errorf("hint %v taken after Stop", h)
	case <-time.After(time.Second):
	}
	close(release)
	receive(t, "Shutdown", shut)
	ended.Wait()
	if n := client.redis.LLen(t.Context(), "asynq:{bulk}:pending").Val(); n != 1 {
		t.Errorf("%d hints wait for others, want 1", n)
	}
}

// TestShutdownIsBounded has one handler that heeds its context and one that does not.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	entered, release, cancelled, deaf := make(chan struct{}, 2), make(chan struct{}), make(chan error, 1), make(chan struct{})
	client, server := start(t, map[string]int{Normal: 1, Bulk: 1}, func(ctx context.Context, h Hint) error {
		entered <- struct{}{}
		if h.Batch == 1 {
			<-ctx.Done()
			cancelled <- ctx.Err()
			return ctx.Err()
		}
		<-release
		close(deaf)
		return nil
	})
	hint(t, client, Normal, Hint{Run: 1, Batch: 1, No: 1})
	hint(t, client, Bulk, Hint{Run: 1, Batch: 2, No: 1})
	receive(t, "first handler", entered)
	receive(t, "second handler", entered)
	before := time.Now()
	server.Shutdown()
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("Shutdown took %v", took)
	}
	if err := receive(t, "the handler that heeds", cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("its context ended with %v", err)
	}
	close(release)
	receive(t, "the deaf handler", deaf)
}

func TestStartSaysThatRedisIsGone(t *testing.T) {
	t.Parallel()
	url := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	server, err := NewServer(url, map[string]int{Bulk: 1}, func(context.Context, Hint) error { return nil }, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err == nil {
		t.Error("started without Redis")
	}
	server.Stop()
	server.Shutdown()
	client, err := NewClient(url)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Hint(t.Context(), Bulk, Hint{Run: 1, Batch: 1, No: 1}); err == nil {
		t.Error("hinted without Redis")
	}
}

func TestStartAndShutdownManyTimes(t *testing.T) {
	t.Parallel()
	url := testenv.RedisURL(t)
	for range 5 {
		server, err := NewServer(url, map[string]int{Urgent: 1, Normal: 2, Bulk: 3}, func(context.Context, Hint) error { return nil }, testenv.Logger(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(server.Stop)
			group.Go(server.Shutdown)
		}
		group.Wait()
	}
}
