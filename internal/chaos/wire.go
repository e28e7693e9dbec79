package chaos

import (
	"net"
	"sync"
	"sync/atomic"
)

// wire is where the message centre listens, with connections that can be cut at a chosen point.
type wire struct {
	net.Listener

	mu    sync.Mutex
	conns map[*wireConn]struct{}
}

func newWire() (*wire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it begins at once
	if err != nil {
		return nil, err
	}
	return &wire{Listener: listener, conns: make(map[*wireConn]struct{})}, nil
}

// Accept gives the centre a connection.
func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &wireConn{Conn: conn, wire: w, cut: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = struct{}{}
	return c, nil
}

// open lists the connections that there are.
func (w *wire) open() []*wireConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*wireConn, 0, len(w.conns))
	for c := range w.conns {
		list = append(list, c)
	}
	return list
}

// wireConn is the centre's end of a connection.
type wireConn struct {
	net.Conn
	wire *wire
	deaf atomic.Bool // the centre reads nothing more
	mute atomic.Bool // what the centre answers gets lost
	last atomic.Bool // its next answer is the last
	cut  chan struct{}
	once sync.Once
}

// Read waits for the end while the connection is deaf: what the other end wrote is never read.
func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.deaf.Load() {
		<-c.cut
		return 0, net.ErrClosed
	}
	return n, err
}

// Write loses what a mute connection should say.
func (c *wireConn) Write(b []byte) (int, error) {
	if c.mute.Load() {
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	if c.last.Load() {
		_ = c.Close()
	}
	return n, err
}

// Close ends the connection.
func (c *wireConn) Close() error {
	c.once.Do(func() {
		close(c.cut)
		c.wire.mu.Lock()
		defer c.wire.mu.Unlock()
		delete(c.wire.conns, c)
	})
	return c.Conn.Close()
}
