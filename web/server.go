package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"pukar/web/api"
)

// drainTime is how long requests that are being served may take to end once the server stops; watches and exports are
// told to end at once.
const drainTime = 4 * time.Second

// Server answers the interface.
type Server struct {
	cfg      Config
	log      *slog.Logger
	api      huma.API
	handler  http.Handler
	stopping chan struct{} // closed by Run when it stops: streams end
	started  time.Time
}

// New builds a server of its parts. It panics on a part that is missing, which is a mistake of the program.
func New(cfg Config) *Server {
	cfg.check()
	s := &Server{cfg: cfg, log: cfg.Log, stopping: make(chan struct{}), started: time.Now()}
	mux := http.NewServeMux()
	s.api = humago.New(mux, describe(cfg.Version))
	s.registerHealth()
	s.registerEndpoints()
	if cfg.Scrape != nil {
		mux.Handle("GET /metrics", cfg.Scrape)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem := api.NewProblem(http.StatusNotFound, api.CodeNotFound, fmt.Sprintf("there is no %s %s", r.Method, r.URL.Path))
		problem.Mend, problem.RequestID = "/openapi.json lists what there is", requestID(r.Context())
		writeProblem(w, problem)
	})
	s.handler = newGuard(s.log, timed(cfg.Metrics, mux))
	return s
}

// describe sets huma up: one document at /openapi.json, no pages that load scripts from elsewhere, no unknown parameters.
func describe(version string) huma.Config {
	config := huma.DefaultConfig("Pukar", version)
	config.Info.Description = "Campaigns by message and call: the interface behind the pukar command. One endpoint serves one command."
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema members in answers
	config.RejectUnknownQueryParameters = true
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	return config
}

// Run serves on the listener until the context ends, then stops taking requests, ends the streams, waits a moment for
// the rest and closes the listener. It returns nil when it was stopped.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1) // buffered: Serve may end after Run stopped waiting
	go func() { served <- server.Serve(listener) }()
	s.log.InfoContext(ctx, "serving", "address", listener.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	close(s.stopping)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := server.Shutdown(drain)
	if err != nil {
		err = server.Close() // what did not end in time is cut off
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// ServeHTTP answers one request; the caller's credentials are those that the connection's context holds.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
