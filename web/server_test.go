package web

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"pukar/audience"
	"pukar/internal/testenv"
	"pukar/web/api"
	"pukar/web/client"
)

// Whoever watches must not hold the server up when it stops.
func TestStopEndsAWatch(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	key, err := audience.LoadKey(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	s := launched(t)
	path := filepath.Join(folder, "pukar.sock")
	socket, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := New(configFor(t, s.pool, key))
	go func() { ended <- server.Run(ctx, socket) }()
	caller := client.New(path)
	defer caller.Close()
	seen := make(chan struct{}, 100)
	watched := make(chan error, 1)
	go func() {
		watched <- caller.Watch(context.Background(), "onorc-bihar", func(api.CampaignStatus) error {
			select {
			case seen <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	<-seen
	began := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if err := <-watched; err != nil {
		t.Errorf("the watch ended with %v", err)
	}
}

// A server may be started and stopped at any moment, also before it serves.
func TestStartAndStopManyTimes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pukar.sock")
	pool := testenv.DB(t)
	for n := range 30 {
		socket, err := Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Duration(n%5)*time.Millisecond)
		if err := New(configFor(t, pool, audience.Key{})).Run(ctx, socket); err != nil {
			t.Errorf("round %d: %v", n, err)
		}
		stop()
	}
}
