package doctor

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"pukar/internal/queue"
)

// openRedis connects to the configured Redis, or to the private one if it runs.
func (i *installation) openRedis(ctx context.Context) (redis.UniversalClient, error) {
	url := i.config.RedisURL.Reveal()
	if url == "" {
		if url = i.redisOwn.URL; url == "" {
			return nil, errNotRunning
		}
	}
	c, err := queue.Open(url)
	if err != nil {
		return nil, err
	}
	if err := c.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// store is what is known of Redis.
type store struct {
	version, policy string
	used, most      int64 // octets; most 0 is no limit
	latency         time.Duration
	looked, foreign int // keys that were looked at, and those of them that are not ours
}

// oldestRedis is the first version that has every command that the queue and the throttle use.
const oldestRedis = 6

// pings is how often the time of an exchange is measured; the middle one counts.
const pings = 9

func examineRedis(ctx context.Context, i *installation) []Check {
	if i.redis == nil {
		return []Check{judgeNoRedis(i.redisErr, i.health != nil && i.healthErr == nil)}
	}
	var s store
	took := make([]time.Duration, pings)
	for n := range took {
		began := time.Now()
		if err := i.redis.Ping(ctx).Err(); err != nil {
			return []Check{judgeNoRedis(err, true)}
		}
		took[n] = time.Since(began)
	}
	slices.Sort(took)
	s.latency = took[pings/2]
	info, err := i.redis.Info(ctx, "server").Result()
	if err == nil {
		var memory string
		memory, err = i.redis.Info(ctx, "memory").Result()
		info += memory
	}
	if err != nil {
		return []Check{problem("answers", "let the account run INFO", "Redis does not say how it stands: %v", err)}
	}
	fields := infoFields(info)
	s.version, s.policy = fields["redis_version"], fields["maxmemory_policy"]
	s.used, _ = strconv.ParseInt(fields["used_memory"], 10, 64)
	s.most, _ = strconv.ParseInt(fields["maxmemory"], 10, 64)
	keys, _, err := i.redis.Scan(ctx, 0, "", 1000).Result()
	if err == nil {
		s.looked = len(keys)
		for _, key := range keys {
			if !strings.HasPrefix(key, "asynq:") && !strings.HasPrefix(key, "pukar:") {
				s.foreign++
			}
		}
	}
	return judgeStore(s)
}

// infoFields reads what INFO answers: name:value on each line.
func infoFields(info string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields
}

func judgeNoRedis(err error, serverRuns bool) Check {
	switch {
	case errors.Is(err, errNotRunning) && serverRuns:
		return problem("answers", "look into the server's log; it starts its Redis again by itself", "the private Redis does not run although the server does")
	case errors.Is(err, errNotRunning):
		return warning("answers", "start `pukar serve`, which starts it", "the private Redis does not run, as long as no server does")
	}
	return problem("answers", "start it, or correct redis_url and the network on the way: without it routes with a rate send nothing", "Redis does not answer: %v", err)
}

func judgeStore(s store) []Check {
	checks := []Check{ok("answers", "Redis %s", s.version)}
	if major, _, _ := strings.Cut(s.version, "."); major != "" {
		if n, err := strconv.Atoi(major); err == nil && n < oldestRedis {
			checks[0] = problem("answers", "upgrade it to 6 or later", "Redis %s is too old", s.version)
		}
	}
	switch {
	case s.policy != "noeviction":
		checks = append(checks, problem("eviction", "set maxmemory-policy noeviction", "maxmemory-policy is %s: it may drop the state of the throttles, and rates are exceeded", s.policy))
	case s.most > 0 && s.used > s.most/10*9:
		checks = append(checks, problem("eviction", "raise maxmemory, or give Pukar a Redis of its own", "it uses %s of the %s that it may: soon it takes nothing more", bytes(s.used), bytes(s.most)))
	default:
		checks = append(checks, ok("eviction", "noeviction"))
	}
	if s.foreign > 0 {
		checks = append(checks, warning("keys", "give Pukar a numbered database or a Redis of its own: others may fill or empty this one", "%d of %d keys that were looked at belong to other programs", s.foreign, s.looked))
	} else {
		checks = append(checks, ok("keys", "no other program's"))
	}
	mend := "put Redis nearer: every stride asks it for time slots"
	switch took := s.latency.Round(10 * time.Microsecond); {
	case s.latency > 100*time.Millisecond:
		checks = append(checks, problem("latency", mend, "an exchange takes %s", took))
	case s.latency > 10*time.Millisecond:
		checks = append(checks, warning("latency", mend, "an exchange takes %s", took))
	default:
		checks = append(checks, ok("latency", "an exchange takes %s", took))
	}
	return checks
}
