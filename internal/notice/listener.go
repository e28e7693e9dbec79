package notice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	beatEvery    = time.Second     // how long silence is trusted before the connection is asked
	beatPatience = time.Second     // how long it may take to answer
	echoPatience = 5 * time.Second // how long its own notice may take on a new connection
	retryFirst   = 50 * time.Millisecond
	retryMost    = time.Second
)

// Listener hears what every process is told, on a connection of its own.
type Listener struct {
	Pool *pgxpool.Pool
	Hear func(Notice)
	// Deaf is called with true when notices may be missed from now on, and with false when they are heard again: what
	// was told in between is lost. It begins deaf.
	Deaf func(deaf bool)
	Log  *slog.Logger
}

// ErrNotHeard says that a connection does not bring what was told: a pooler between here and the server gives each
// transaction another session.
var ErrNotHeard = errors.New("notices do not come through: give database_url the server's own address, or a pooler in session mode")

// Run listens until ctx ends, on a new connection whenever one breaks.
func (l *Listener) Run(ctx context.Context) error {
	wait := retryFirst
	for ctx.Err() == nil {
		heard, err := l.listen(ctx)
		l.Deaf(true)
		if ctx.Err() != nil {
			break
		}
		if heard {
			wait = retryFirst
		}
		l.Log.Warn("what other processes tell is not heard; what this one wrote ahead is given up after a second", "err", err)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		wait = min(2*wait, retryMost)
	}
	return nil //nolint:nilerr // ctx has ended: that is how it stops
}

// listen hears on one connection until that breaks, and answers whether it ever heard anything.
func (l *Listener) listen(ctx context.Context) (heard bool, err error) {
	config := l.Pool.Config().ConnConfig.Copy()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, fmt.Errorf("connect to listen: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatPatience)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false, fmt.Errorf("listen: %w", err)
	}
	if err := l.hearOwn(ctx, conn); err != nil {
		return false, err
	}
	l.Deaf(false)
	for {
		wait, cancel := context.WithTimeout(ctx, beatEvery)
		told, err := conn.WaitForNotification(wait)
		cancel()
		switch {
		case err == nil:
			l.hear(told.Payload)
		case ctx.Err() != nil:
			return true, ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded) || conn.IsClosed():
			return true, fmt.Errorf("wait for notices: %w", err)
		default:
			ask, cancel := context.WithTimeout(ctx, beatPatience)
			err := conn.Ping(ask)
			cancel()
			if err != nil {
				return true, fmt.Errorf("ask the connection of the listener: %w", err)
			}
		}
	}
}

// hearOwn tells something over the pool and waits until it comes back.
func (l *Listener) hearOwn(ctx context.Context, conn *pgx.Conn) error {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	own := hex.EncodeToString(random)
	ctx, cancel := context.WithTimeout(ctx, echoPatience)
	defer cancel()
	if err := Send(ctx, l.Pool, Notice{Echo: own}); err != nil {
		return err
	}
	for {
		told, err := conn.WaitForNotification(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return ErrNotHeard
		}
		if err != nil {
			return fmt.Errorf("wait for notices: %w", err)
		}
		if n := l.hear(told.Payload); n.Echo == own {
			return nil
		}
	}
}

// hear passes a notice on. One that cannot be read, as from a newer version, halts everything: that is never wrong.
func (l *Listener) hear(payload string) Notice {
	var n Notice
	if err := json.Unmarshal([]byte(payload), &n); err != nil {
		n = Notice{Everything: true}
	}
	if n.Echo == "" {
		l.Hear(n)
	}
	return n
}
