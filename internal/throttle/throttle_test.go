package throttle

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"pukar/internal/testenv"
)

// TestScriptDecidesAsPlan holds reserve.lua to its mirror over random reservations.
func TestScriptDecidesAsPlan(t *testing.T) {
	t.Parallel()
	ctx, client := t.Context(), testenv.Redis(t)
	script := redis.NewScript(reserveSource)
	random := rand.New(rand.NewPCG(1, 2))
	keys := []string{key("main", "a"), key("main", "b"), key("main", "c")}
	granted, refused := int64(0), make([]int64, len(keys))
	for i := range 2000 {
		used := keys[:1+random.IntN(3)]
		if random.IntN(40) == 0 {
			now, err := client.Time(ctx).Result()
			if err != nil {
				t.Fatal(err)
			}
			client.Set(ctx, used[0], fmt.Sprintf("%d:%d", now.Add(time.Hour).UnixMicro(), random.IntN(1000)), 0)
		}
		stored := make([]string, len(used))
		bounds := make([]bound, len(used))
		least := 1 + random.Int64N(16)
		parts, horizon := least+random.Int64N(300), random.Int64N(int64(5*time.Second))
		sizes := randomSizes(random, least, parts)
		args := []any{parts, horizon, int64(MaxHorizon), least, string(sizes), longestMessage}
		for k := range used {
			stored[k] = client.Get(ctx, used[k]).Val()
			bounds[k].interval, bounds[k].burst = 1+random.Int64N(20_000_000), 1+random.Int64N(60)
			args = append(args, bounds[k].interval, bounds[k].burst)
		}
		got, err := script.Run(ctx, client, used, args...).Int64Slice()
		if err != nil {
			t.Fatal(err)
		}
		now := got[1]
		for k, value := range stored {
			bounds[k].ahead = parseSlot(value, now)
		}
		p := plan(bounds, sizes, least, parts, horizon)
		if diff := cmp.Diff([]int64{p.granted, now, p.start, p.interval, p.retry, int64(p.held)}, got); diff != "" {
			t.Fatalf("reservation %d, bounds %+v, sizes %v, parts %d to %d, horizon %d: (-plan +script)\n%s", i, bounds, sizes, least, parts, horizon, diff)
		}
		granted += p.granted
		refused[p.held] += min(1, p.retry)
		for k := range p.next {
			if after := parseSlot(client.Get(ctx, used[k]).Val(), now); after != p.next[k] {
				t.Fatalf("reservation %d: key %d holds %d, plan %d", i, k, after, p.next[k])
			}
			if ttl := client.PTTL(ctx, used[k]).Val(); ttl <= 0 || ttl > MaxHorizon+time.Minute {
				t.Fatalf("key %d expires in %v", k, ttl)
			}
		}
		// Time stands still for the script unless the slots are taken back by what they took.
		for k := range used {
			if random.IntN(4) == 0 {
				client.Del(ctx, keys[k])
			}
		}
	}
	if granted == 0 || slices.Min(refused) == 0 {
		t.Errorf("%d parts were granted, and %v refused by each limit: the test shows too little", granted, refused)
	}
}

// randomSizes are messages of so many parts together, the first of least parts; sometimes none, where any number will do.
func randomSizes(random *rand.Rand, least, parts int64) []byte {
	if random.IntN(2) == 0 {
		return nil
	}
	sizes := []byte{byte(least)}
	for left := parts - least; left > 0; {
		size := min(left, random.Int64N(17))
		sizes = append(sizes, byte(size))
		left -= size
	}
	return sizes
}

// parseSlot returns a stored next free slot in nanoseconds from now, 0 when absent.
func parseSlot(value string, now int64) int64 {
	var micros, nanos int64
	if _, err := fmt.Sscanf(value, "%d:%d", &micros, &nanos); err != nil {
		return 0
	}
	return (micros-now)*1000 + nanos
}

func TestReserveWithoutLimitsDoesNotAskRedis(t *testing.T) {
	t.Parallel()
	throttle := New(nil)
	before := time.Now()
	slots, err := throttle.Reserve(t.Context(), "main", []Limit{{Name: "route"}, {Name: "bind:main-1"}}, 500, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if slots.Granted != 500 || slots.Interval != 0 || slots.First.Before(before) || slots.At(499) != slots.First {
		t.Errorf("slots %+v", slots)
	}
}

func TestReserveRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	throttle := New(nil)
	tests := []struct {
		name, route string
		limits      []Limit
		parts       int
	}{
		{"no parts", "main", []Limit{{Name: "route", PartsPerSecond: 10}}, 0},
		{"no route", "", []Limit{{Name: "route", PartsPerSecond: 10}}, 1},
		{"negative rate", "main", []Limit{{Name: "route", PartsPerSecond: -10}}, 1},
		{"a limit twice", "main", []Limit{{Name: "route", PartsPerSecond: 10}, {Name: "route", PartsPerSecond: 20}}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if slots, err := throttle.Reserve(t.Context(), test.route, test.limits, test.parts, time.Second); !errors.Is(err, ErrInvalid) {
				t.Errorf("slots %+v, error %v, want ErrInvalid", slots, err)
			}
		})
	}
}

func TestReserveAtLeast(t *testing.T) {
	t.Parallel()
	throttle := New(testenv.Redis(t))
	limits := []Limit{{Name: "route", PartsPerSecond: 0.2}}
	reserve := func(least, parts int, horizon time.Duration) (Slots, error) {
		return throttle.ReserveAtLeast(t.Context(), "main", limits, least, parts, horizon)
	}
	if slots, err := reserve(3, 5, 20*time.Second); err != nil || slots.Granted != 5 {
		t.Errorf("free: %+v, %v", slots, err)
	}
	// The next slot is 25 s ahead: one part would fit into 30 s, three do not.
	none, err := reserve(3, 5, 30*time.Second)
	if err != nil || none.Granted != 0 || none.RetryIn <= 0 || none.RetryIn > 5*time.Second {
		t.Errorf("too few slots: %+v, %v", none, err)
	}
	if slots, err := reserve(1, 1, 30*time.Second); err != nil || slots.Granted != 1 {
		t.Errorf("nothing was lost by asking: %+v, %v", slots, err)
	}
	if _, err := reserve(3, 5, 9*time.Second); !errors.Is(err, ErrInvalid) {
		t.Errorf("never possible: %v, want ErrInvalid", err)
	}
	if _, err := reserve(3, 2, time.Second); !errors.Is(err, ErrInvalid) {
		t.Errorf("fewer than the least: %v, want ErrInvalid", err)
	}
}

func TestReserveMessages(t *testing.T) {
	t.Parallel()
	throttle := New(testenv.Redis(t))
	limits := []Limit{{Name: "route", PartsPerSecond: 0.2}, {Name: "campaign:1", PartsPerSecond: 0.05, Burst: 4}}
	reserve := func(sizes []byte, least int) (Slots, error) {
		return throttle.ReserveMessages(t.Context(), "main", limits, sizes, least, 20*time.Second)
	}
	if slots, err := reserve([]byte{2, 0, 2, 3}, 2); err != nil || slots.Granted != 4 || slots.Interval != 5*time.Second {
		t.Errorf("five slots for messages of 2, 2 and 3 parts: %+v, %v", slots, err)
	}
	if slots, err := reserve([]byte{2}, 2); err != nil || slots.Granted != 0 || slots.Held != "campaign:1" {
		t.Errorf("no slot left in either limit, the campaign's for longer: %+v, %v", slots, err)
	}
	limits = limits[:1]
	if slots, err := reserve([]byte{2}, 2); err != nil || slots.Granted != 0 || slots.Held != "route" {
		t.Errorf("no slot left on the route: %+v, %v", slots, err)
	}
	if _, err := reserve([]byte{2, 2}, 3); !errors.Is(err, ErrInvalid) {
		t.Errorf("a least that cuts a message: %v, want ErrInvalid", err)
	}
}

func TestReserveGrantsNothingWhenRedisIsGone(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: t.TempDir() + "/none.sock", MaxRetries: -1})
	defer client.Close()
	slots, err := New(client).Reserve(t.Context(), "main", []Limit{{Name: "route", PartsPerSecond: 10}}, 5, time.Second)
	if err == nil || slots.Granted != 0 {
		t.Errorf("slots %+v, error %v, want nothing granted and an error", slots, err)
	}
}

func TestReserveHonoursTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(testenv.Redis(t)).Reserve(ctx, "main", []Limit{{Name: "route", PartsPerSecond: 10}}, 5, time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestReserveContinuesBehindItself(t *testing.T) {
	t.Parallel()
	throttle := New(testenv.Redis(t))
	limits := []Limit{{Name: "route", PartsPerSecond: 50}}
	first, err := throttle.Reserve(t.Context(), "main", limits, 100, MaxHorizon)
	if err != nil {
		t.Fatal(err)
	}
	second, err := throttle.Reserve(t.Context(), "main", limits, 100, MaxHorizon)
	if err != nil {
		t.Fatal(err)
	}
	if first.Granted != 100 || first.Interval != 20*time.Millisecond {
		t.Errorf("first %+v", first)
	}
	if gap := second.First.Sub(first.At(99)); gap < 19*time.Millisecond {
		t.Errorf("second starts %v after the first's last part, want 20ms", gap)
	}
	none, err := throttle.Reserve(t.Context(), "main", limits, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	if none.Granted != 0 || none.RetryIn <= 0 || none.RetryIn > 4100*time.Millisecond {
		t.Errorf("without a horizon: %+v, want nothing now and a retry within 4s", none)
	}
	other, err := throttle.Reserve(t.Context(), "other", limits, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if other.Granted != 1 {
		t.Errorf("another route waits: %+v", other)
	}
}

// TestClientsShareALimit lets several processes' worth of clients take slots of one limit at full speed for a while and looks at every
// second of what they got.
func TestClientsShareALimit(t *testing.T) {
	t.Parallel()
	const rate, clients, want = 4000, 6, 8000
	client := testenv.Redis(t)
	var mu sync.Mutex
	var times []time.Time
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			throttle := New(client)
			limits := []Limit{{Name: "route", PartsPerSecond: rate}, {Name: fmt.Sprintf("bind:%d", c), PartsPerSecond: rate}}
			for {
				slots, err := throttle.Reserve(t.Context(), "main", limits, 25+c, 300*time.Millisecond)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i := range slots.Granted {
					times = append(times, slots.At(i))
				}
				full := len(times) >= want
				mu.Unlock()
				if full {
					return
				}
				if slots.Granted == 0 {
					select {
					case <-time.After(slots.RetryIn):
					case <-t.Context().Done():
						return
					}
				}
			}
		})
	}
	group.Wait()
	slices.SortFunc(times, time.Time.Compare)
	// Each client reads Redis' clock through its own round trips: its slots may be off by one of those, not more with every call.
	const clocks = 20 * time.Millisecond
	for i := 0; i+rate < len(times); i++ {
		if d := times[i+rate].Sub(times[i]); d < time.Second-clocks {
			t.Fatalf("%d parts within %v from part %d", rate+1, d, i)
		}
	}
	got := float64(len(times)-1) / times[len(times)-1].Sub(times[0]).Seconds()
	if got < rate*0.98 || got > rate*1.01 {
		t.Errorf("%.0f parts a second, want %d", got, rate)
	}
}

func TestKeyKeepsOneHashTag(t *testing.T) {
	t.Parallel()
	got := key("ma{i}n", "bind:ma{i}n-1")
	open, shut := strings.Index(got, "{"), strings.Index(got, "}")
	if got[open+1:shut] != "ma%7Bi%7Dn" {
		t.Errorf("key %q", got)
	}
}

func BenchmarkReserve(b *testing.B) {
	throttle := New(testenv.Redis(b))
	limits := []Limit{{Name: "route", PartsPerSecond: 1e6}, {Name: "bind:main-1", PartsPerSecond: 1e6}, {Name: "campaign:1", PartsPerSecond: 1e6}}
	for b.Loop() {
		if _, err := throttle.Reserve(b.Context(), "main", limits, 250, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}
