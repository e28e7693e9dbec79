package throttle

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// MaxHorizon is the furthest ahead that a slot can be reserved; a longer horizon is shortened to it. It also bounds how long a limit can
// stall after Redis' clock jumped back. A minute lets a message of 16 parts through a limit of one part in four seconds.
const MaxHorizon = time.Minute

// longestMessage is how many parts the longest message has: what a limit that only counts may be ahead of its rate with one.
const longestMessage = 16

// slowest is the lowest rate that can be kept, in parts a second: one part in about eleven days.
const slowest = 1e-6

// ErrInvalid is returned for a reservation that makes no sense: no route, no parts or fewer than the least, a rate that is not a number, one limit named twice.
var ErrInvalid = errors.New("invalid reservation")

//go:embed reserve.lua
var reserveSource string

// Limit is one rate to be kept.
type Limit struct {
	Name           string  // what is limited, unique within the route: "route", "bind:main-1", "campaign:12"
	PartsPerSecond float64 // 0: no limit
	// Burst is how many parts may come at once in a limit that does not space them, which is every one but the first that is set. Less than
	// a reservation's least counts as that. Over any time t the limit then gives at most PartsPerSecond × t + Burst parts.
	Burst int
}

// Slots is an evenly spaced run of times at which parts may be written.
type Slots struct {
	Granted  int           // parts that got a slot; may be fewer than were asked for
	First    time.Time     // when the first part may be written, in local time with a monotonic reading
	Interval time.Duration // between two parts; 0 when nothing limits them
	RetryIn  time.Duration // with Granted 0: how long to wait before asking again
	Held     string        // with Granted 0: the name of the limit that it is for
}

// At returns the time of slot i, counted from 0.
func (s Slots) At(i int) time.Time {
	return s.First.Add(time.Duration(i) * s.Interval)
}

// Throttle reserves slots through one Redis. It may be used by any number of goroutines, and any number of processes may share the
// limits.
type Throttle struct {
	client redis.UniversalClient
	script *redis.Script
	clock  clock
}

// New returns a Throttle on client, which stays the caller's to close.
func New(client redis.UniversalClient) *Throttle {
	return &Throttle{client: client, script: redis.NewScript(reserveSource)}
}

// Reserve takes slots for up to parts parts in all the limits at once; it is ReserveAtLeast that is content with one.
func (t *Throttle) Reserve(ctx context.Context, route string, limits []Limit, parts int, horizon time.Duration) (Slots, error) {
	return t.ReserveAtLeast(ctx, route, limits, 1, parts, horizon)
}

// ReserveAtLeast takes slots for up to parts parts in all the limits at once, and none at all where it cannot have least: the parts of one
// message go out together, and slots too few for it would be lost.
//
// The first limit that is set spaces the parts; the others count them, and let Burst of them be early. Only parts that can start within
// horizon from now (at most MaxHorizon) get a slot, so Granted may be less than parts; it is 0, with RetryIn set, when not even least can,
// or when a limit that counts has no part to give at the time of the first slot: the slots until it has are left to others. Limits of 0
// are skipped, and when none is left the parts are granted from now on without asking Redis. An error means that nothing is granted and
// nothing may be sent: ErrInvalid for arguments that make no sense, anything else when Redis did not answer.
func (t *Throttle) ReserveAtLeast(ctx context.Context, route string, limits []Limit, least, parts int, horizon time.Duration) (Slots, error) {
	return t.reserve(ctx, route, limits, nil, least, parts, horizon)
}

// ReserveMessages is ReserveAtLeast for messages, given by the number of parts of each (0 to 255): only the parts of whole messages get
// slots, in order from the first, so that none is lost where the horizon cuts. least must be the parts of the first message or of the
// first few.
func (t *Throttle) ReserveMessages(ctx context.Context, route string, limits []Limit, sizes []byte, least int, horizon time.Duration) (Slots, error) {
	parts := 0
	for _, size := range sizes {
		parts += int(size)
	}
	if whole(sizes, int64(least)) != int64(least) {
		return Slots{}, fmt.Errorf("reserve at least %d parts on route %q, which cuts a message: %w", least, route, ErrInvalid)
	}
	return t.reserve(ctx, route, limits, sizes, least, parts, horizon)
}

func (t *Throttle) reserve(ctx context.Context, route string, limits []Limit, sizes []byte, least, parts int, horizon time.Duration) (Slots, error) {
	if least < 1 || parts < least {
		return Slots{}, fmt.Errorf("reserve %d to %d parts on route %q: %w", least, parts, route, ErrInvalid)
	}
	asked := time.Now()
	if !limited(limits) {
		return Slots{Granted: parts, First: asked}, nil
	}
	keys, names, args, err := arguments(route, limits, sizes, least, parts, horizon)
	if err != nil {
		return Slots{}, fmt.Errorf("reserve on route %q: %w", route, err)
	}
	if err := t.warm(ctx); err != nil {
		return Slots{}, fmt.Errorf("reserve on route %q: %w", route, err)
	}
	asked = time.Now()
	answer, err := t.script.Run(ctx, t.client, keys, args...).Int64Slice()
	if err != nil {
		return Slots{}, fmt.Errorf("reserve on route %q: %w", route, err)
	}
	if len(answer) != 6 || answer[5] < 0 || answer[5] >= int64(len(names)) {
		return Slots{}, fmt.Errorf("reserve on route %q: redis answered %v, want six numbers", route, answer)
	}
	now := t.clock.observe(asked, time.Now(), answer[1])
	slots := Slots{
		Granted:  int(answer[0]),
		First:    now.Add(time.Duration(answer[2])),
		Interval: time.Duration(answer[3]),
		RetryIn:  retryIn(answer[4]),
	}
	if slots.Granted == 0 {
		slots.Held = names[answer[5]]
	}
	return slots, nil
}

// limited reports whether any rate is to be kept.
func limited(limits []Limit) bool {
	for i := range limits {
		if limits[i].PartsPerSecond != 0 {
			return true
		}
	}
	return false
}

// warm reads Redis' clock a few times before the first reservation, whose answer waits for a connection to be made and would say little
// about the time in between.
func (t *Throttle) warm(ctx context.Context) error {
	for range warmups {
		if t.clock.ready() {
			return nil
		}
		asked := time.Now()
		now, err := t.client.Time(ctx).Result()
		if err != nil {
			return fmt.Errorf("read the clock: %w", err)
		}
		t.clock.observe(asked, time.Now(), now.UnixMicro())
	}
	return nil
}

// arguments returns the script's KEYS and ARGV, and the names of the limits that the keys are of.
func arguments(route string, limits []Limit, sizes []byte, least, parts int, horizon time.Duration) (keys, names []string, args []any, err error) {
	if route == "" {
		return nil, nil, nil, fmt.Errorf("no route: %w", ErrInvalid)
	}
	horizon = min(max(horizon, 0), MaxHorizon)
	args = []any{parts, int64(horizon), int64(MaxHorizon), least, string(sizes), longestMessage}
	for _, limit := range limits {
		if limit.PartsPerSecond == 0 {
			continue
		}
		own, err := interval(limit)
		if err != nil {
			return nil, nil, nil, err
		}
		if slices.Contains(names, limit.Name) {
			return nil, nil, nil, fmt.Errorf("limit %q is named twice: %w", limit.Name, ErrInvalid)
		}
		if len(keys) == 0 && int64(least-1) > int64(horizon)/own {
			return nil, nil, nil, fmt.Errorf("%d parts never start within %v at the %v parts a second of limit %q: %w",
				least, horizon, limit.PartsPerSecond, limit.Name, ErrInvalid)
		}
		keys, names = append(keys, key(route, limit.Name)), append(names, limit.Name)
		args = append(args, own, max(1, limit.Burst))
	}
	return keys, names, args, nil
}

// interval returns the nanoseconds between two parts of a limit, rounded up so that the rate is never passed.
func interval(limit Limit) (int64, error) {
	rate := limit.PartsPerSecond
	if !(rate >= slowest) || math.IsInf(rate, 0) {
		return 0, fmt.Errorf("limit %q of %v parts a second: %w", limit.Name, rate, ErrInvalid)
	}
	return int64(max(1, math.Ceil(float64(time.Second)/rate))), nil
}

// braces would end the hash tag early and put the keys of one route on different nodes of a cluster.
var braces = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D")

// key names a limit's state in Redis. The hash tag is the route, so that one script can touch all limits of a reservation in a cluster.
func key(route, limit string) string {
	return "pukar:throttle:{" + braces.Replace(route) + "}:" + limit
}

// retryIn turns the script's wait into one that a caller can sleep: never so short that it would spin.
func retryIn(nanos int64) time.Duration {
	if nanos <= 0 {
		return 0
	}
	return max(time.Duration(nanos), time.Millisecond)
}
