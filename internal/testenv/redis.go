package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis gives the test a client on a numbered Redis database of its own, emptied. The client is closed and the
// database given back when the test ends.
func Redis(t testing.TB) redis.UniversalClient {
	t.Helper()
	opt, err := redis.ParseURL(RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	t.Cleanup(func() {
		if err := client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
			t.Errorf("close redis client: %v", err)
		}
	})
	return client
}

// redisURLs remembers which Redis database a test got.
var redisURLs sync.Map // testing.TB -> url string

// claimKey marks a numbered database as taken. The marks live in database 0, which no test gets.
func claimKey(n int) string { return "pukar:test:claimed:" + strconv.Itoa(n) }

const (
	claimTime = time.Hour // after which a killed run's claim lapses
	claimPoll = 100 * time.Millisecond
)

// RedisURL gives the address of the test's own numbered Redis database, claiming and emptying it on the first call.
func RedisURL(t testing.TB) string {
	t.Helper()
	if known, ok := redisURLs.Load(t); ok {
		return known.(string)
	}
	s, err := servers()
	if err != nil {
		t.Fatalf("no Redis for the tests: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupWait)
	defer cancel()
	n, err := claim(ctx, s.RedisURL)
	if err != nil {
		t.Fatalf("claim a Redis database: %v", err)
	}
	t.Cleanup(func() {
		redisURLs.Delete(t)
		ctx, cancel := context.WithTimeout(context.Background(), setupWait)
		defer cancel()
		if err := giveBack(ctx, s.RedisURL, n); err != nil {
			t.Errorf("give back Redis database %d: %v", n, err)
		}
	})
	address, err := numbered(s.RedisURL, n)
	if err != nil {
		t.Fatal(err)
	}
	redisURLs.Store(t, address)
	return address
}

// claim takes a free numbered database, waiting for one where tests of other packages have them all.
func claim(ctx context.Context, address string) (int, error) {
	client, err := connect(address, 0)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	count := 16
	if said, err := client.ConfigGet(ctx, "databases").Result(); err == nil {
		if n, err := strconv.Atoi(said["databases"]); err == nil {
			count = n
		}
	}
	for {
		for n := 1; n < count; n++ {
			took, err := client.SetNX(ctx, claimKey(n), "taken", claimTime).Result()
			if err != nil {
				return 0, err
			}
			if took {
				return n, empty(ctx, address, n)
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("all %d databases stay taken: %w", count, ctx.Err())
		case <-time.After(claimPoll):
		}
	}
}

func giveBack(ctx context.Context, address string, n int) error {
	if err := empty(ctx, address, n); err != nil {
		return err
	}
	client, err := connect(address, 0)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Del(ctx, claimKey(n)).Err()
}

func empty(ctx context.Context, address string, n int) error {
	client, err := connect(address, n)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.FlushDB(ctx).Err()
}

func connect(address string, n int) (*redis.Client, error) {
	opt, err := redis.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", EnvRedis, err)
	}
	opt.DB = n
	opt.ContextTimeoutEnabled = true
	return redis.NewClient(opt), nil
}

// numbered is the servers' URL with another numbered database.
func numbered(address string, n int) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", EnvRedis, err)
	}
	if u.Scheme != "unix" {
		u.Path = "/" + strconv.Itoa(n)
		return u.String(), nil
	}
	q := u.Query()
	q.Set("db", strconv.Itoa(n))
	u.RawQuery = q.Encode()
	return u.String(), nil
}
