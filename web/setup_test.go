package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/web/client"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// startServer serves on the path until the test ends and gives a client of it. Its database is away: only what needs
// none works.
func startServer(t *testing.T, path string) *client.Client {
	t.Helper()
	config, err := pgxpool.ParseConfig("host=" + t.TempDir() + " dbname=nowhere")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return serve(t, path, configFor(t, pool, audience.Key{}))
}

// bundle is a server with a database of its own.
type bundle struct {
	*client.Client
	pool *pgxpool.Pool
	key  audience.Key
}

func setup(t *testing.T, changes ...func(*Config)) bundle {
	t.Helper()
	folder := t.TempDir()
	key, err := audience.LoadKey(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := testenv.DB(t)
	if err := audience.LoadPlaces(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	if err := campaign.NewLedger(pool).EnsurePartitions(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	cfg := configFor(t, pool, key)
	for _, change := range changes {
		change(&cfg)
	}
	return bundle{Client: serve(t, filepath.Join(folder, "pukar.sock"), cfg), pool: pool, key: key}
}

// configFor is a server's configuration with one route and one number of our own; nothing is ever sent.
func configFor(t *testing.T, pool *pgxpool.Pool, key audience.Key) Config {
	t.Helper()
	schemes, err := audience.LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	places := audience.KnownPlaces()
	return Config{
		Version: "test", Log: testenv.Logger(t), Pool: pool, Key: key, Places: places, Schemes: schemes,
		Routes:  []config.Route{{Name: "main", Header: "HELPLN", InrPerPart: "0.1450", Receipts: true, Binds: []config.Bind{{Name: "main-1", Window: 10}}}},
		Inbound: []config.Inbound{{Number: "919811122233"}},
		Campaigns: campaign.NewService(campaign.Config{
			Pool: pool, Key: key, Places: places, Schemes: schemes, TestNumbers: []int64{919800000001},
			Routes: map[string]campaign.RouteTerms{"main": {Name: "main", INRPerPart: 145000, Receipts: true}},
			Hint:   func(context.Context, int32) error { return nil },
		}),
	}
}

func serve(t *testing.T, path string, cfg Config) *client.Client {
	t.Helper()
	socket, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := New(cfg)
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
