package app

import (
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// line is a connection to Redis that can be cut.
type line struct {
	url string

	t        testing.TB
	to       *redis.Options
	mu       sync.Mutex
	whole    bool
	listener net.Listener
	ends     map[net.Conn]struct{}
	serving  sync.WaitGroup
}

// newLine leads to the Redis of the given address.
func newLine(t testing.TB, address string) *line {
	t.Helper()
	to, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, to: to, whole: true, listener: listener, ends: make(map[net.Conn]struct{})}
	user := url.UserPassword(to.Username, to.Password)
	l.url = (&url.URL{Scheme: "redis", User: user, Host: listener.Addr().String(), Path: "/" + strconv.Itoa(to.DB)}).String()
	l.serving.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		l.serving.Wait()
	})
	return l
}

func (l *line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial(l.to.Network, l.to.Addr)
		if err != nil {
			l.t.Errorf("Redis does not answer behind the line: %v", err)
			_ = near.Close()
			continue
		}
		l.join(near, far)
	}
}

func (l *line) join(near, far net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.whole {
		_, _ = near.Close(), far.Close()
		return
	}
	l.ends[near], l.ends[far] = struct{}{}, struct{}{}
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		l.serving.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = near.Close(), far.Close()
			l.mu.Lock()
			defer l.mu.Unlock()
			delete(l.ends, way[0])
		})
	}
}

// cut breaks every connection and lets none come about.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = false
	for end := range l.ends {
		_ = end.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = true
}
