package queue

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Bounds of one exchange with Redis. The library's own (5 s to dial, five dials, 3 s to read, three retries) add up to longer than a
// process has to stop.
const (
	dialTimeout   = 2 * time.Second
	ioTimeout     = 2 * time.Second
	retries       = 1
	dialerRetries = 1
)

// ErrInvalidURL is returned for a Redis address that cannot be read.
var ErrInvalidURL = errors.New("invalid redis url")

// Open returns a client for a Redis address, without connecting yet; the caller closes it. The forms are
//
//	redis://[user:password@]host:port[/db]              TCP; options of go-redis may follow as ?name=value
//	rediss://…                                          the same with TLS
//	unix:///path/to/socket?db=N                         a unix socket; redis-socket:///path?db=N is the same
//	redis-sentinel://[:password@]host:port,host:port…?master=NAME[&db=N][&password=P]
//	redis-cluster://[user:password@]host:port,host:port…
//
// A sentinel's password stands before the hosts, as asynq has it, and its master's in the query. Contexts cut exchanges short. The error
// never holds the address, which may hold a password.
func Open(redisURL string) (redis.UniversalClient, error) {
	scheme, _, _ := strings.Cut(redisURL, "://")
	switch scheme {
	case "redis", "rediss", "unix":
		return openSingle(redisURL)
	case "redis-socket":
		return openSingle("unix" + strings.TrimPrefix(redisURL, "redis-socket"))
	case "redis-sentinel":
		return openSentinel(redisURL)
	case "redis-cluster":
		return openCluster(redisURL)
	default:
		return nil, fmt.Errorf("%w: unknown scheme; known are redis, rediss, unix, redis-socket, redis-sentinel, redis-cluster", ErrInvalidURL)
	}
}

func openSingle(redisURL string) (redis.UniversalClient, error) {
	opt, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, invalid(err)
	}
	opt.ContextTimeoutEnabled = true
	opt.DialTimeout = cmp.Or(opt.DialTimeout, dialTimeout)
	opt.ReadTimeout = cmp.Or(opt.ReadTimeout, ioTimeout)
	opt.WriteTimeout = cmp.Or(opt.WriteTimeout, ioTimeout)
	opt.MaxRetries = cmp.Or(opt.MaxRetries, retries)
	opt.DialerRetries = dialerRetries
	return redis.NewClient(opt), nil
}

func openSentinel(redisURL string) (redis.UniversalClient, error) {
	u, hosts, err := splitHosts(redisURL)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	master := query.Get("master")
	if master == "" {
		return nil, fmt.Errorf("%w: redis-sentinel needs ?master=NAME", ErrInvalidURL)
	}
	db, err := strconv.Atoi(cmp.Or(query.Get("db"), "0"))
	if err != nil || db < 0 {
		return nil, fmt.Errorf("%w: db must be a number", ErrInvalidURL)
	}
	sentinelPassword, _ := u.User.Password()
	return redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            master,
		SentinelAddrs:         hosts,
		SentinelPassword:      sentinelPassword,
		Password:              query.Get("password"),
		DB:                    db,
		ContextTimeoutEnabled: true,
		DialTimeout:           dialTimeout,
		ReadTimeout:           ioTimeout,
		WriteTimeout:          ioTimeout,
		MaxRetries:            retries,
		DialerRetries:         dialerRetries,
	}), nil
}

func openCluster(redisURL string) (redis.UniversalClient, error) {
	u, hosts, err := splitHosts(redisURL)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 hosts,
		Username:              u.User.Username(),
		Password:              password,
		ContextTimeoutEnabled: true,
		DialTimeout:           dialTimeout,
		ReadTimeout:           ioTimeout,
		WriteTimeout:          ioTimeout,
		MaxRetries:            retries,
		DialerRetries:         dialerRetries,
	}), nil
}

// splitHosts takes the list of hosts out of an address and parses the rest: net/url refuses more than one port.
func splitHosts(redisURL string) (*url.URL, []string, error) {
	scheme, rest, _ := strings.Cut(redisURL, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@') + 1
	hosts := strings.Split(rest[at:end], ",")
	for _, host := range hosts {
		if host == "" {
			return nil, nil, fmt.Errorf("%w: a host is empty", ErrInvalidURL)
		}
	}
	u, err := url.Parse(scheme + "://" + rest[:at] + "hosts" + rest[end:])
	if err != nil {
		return nil, nil, invalid(err)
	}
	return u, hosts, nil
}

// invalid wraps a parser's error without the address that it quotes.
func invalid(err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return fmt.Errorf("%w: %w", ErrInvalidURL, err)
}
