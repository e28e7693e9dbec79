package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"pukar/web/client"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// startServer serves on the path until the test ends and gives a client of it.
func startServer(t *testing.T, path string) *client.Client {
	t.Helper()
	socket, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := New(Config{Version: "test", Log: quiet()})
	go func() { ended <- server.Run(ctx, socket) }()
	caller := client.New(path)
	t.Cleanup(func() {
		caller.Close()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("server ended: %v", err)
		}
	})
	return caller
}

// rawClient calls the socket without the package client.
func rawClient(t *testing.T, path string) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
