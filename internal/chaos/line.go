package chaos

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// line is the way from the processes to PostgreSQL. It can be cut as a whole, and at the moment of a COMMIT: before
// the server hears of it, or after it did and before its answer is heard.
type line struct {
	folder   string // of its socket: the host of a database URL
	to       string // the server's socket
	listener net.Listener
	serving  sync.WaitGroup

	before, after atomic.Int64 // COMMITs that are still to be cut

	mu    sync.Mutex
	whole bool
	ends  map[net.Conn]struct{}
}

// commit is the message of the simple protocol by which a driver ends its transaction.
var commit = []byte("Q\x00\x00\x00\x0bcommit\x00")

const socketName = ".s.PGSQL.5432"

func newLine(folder, server string) (*line, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(folder, socketName)) //nolint:noctx // it begins at once
	if err != nil {
		return nil, err
	}
	l := &line{folder: folder, to: filepath.Join(server, socketName), listener: listener, whole: true, ends: make(map[net.Conn]struct{})}
	l.serving.Go(l.accept)
	return l, nil
}

func (l *line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", l.to) //nolint:noctx // a local socket answers at once
		if err != nil {
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
	var deaf atomic.Bool // the answer to a COMMIT is not to be heard
	l.serving.Go(func() {
		defer l.drop(near, far)
		l.ask(near, far, &deaf)
	})
	l.serving.Go(func() {
		defer l.drop(near, far)
		buf := make([]byte, 32<<10)
		for {
			n, err := far.Read(buf)
			if err != nil || deaf.Load() {
				return
			}
			if _, err := near.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

// ask carries what a process says to the server.
func (l *line) ask(near, far net.Conn, deaf *atomic.Bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := near.Read(buf)
		if err != nil {
			return
		}
		if bytes.HasSuffix(buf[:n], commit) {
			if take(&l.before) {
				return
			}
			if take(&l.after) {
				deaf.Store(true)
			}
		}
		if _, err := far.Write(buf[:n]); err != nil {
			return
		}
	}
}

// take uses one up, if there is any.
func take(n *atomic.Int64) bool {
	for left := n.Load(); left > 0; left = n.Load() {
		if n.CompareAndSwap(left, left-1) {
			return true
		}
	}
	return false
}

func (l *line) drop(near, far net.Conn) {
	_, _ = near.Close(), far.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, near)
	delete(l.ends, far)
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
	l.before.Store(0)
	l.after.Store(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = true
}

func (l *line) close() error {
	err := l.listener.Close()
	l.cut()
	l.serving.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
