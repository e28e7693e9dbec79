package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"pukar/web/api"
)

func (s *Server) registerHealth() {
	handle(s, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/v1/health", Tags: []string{"server"},
		Summary: "Whether the server answers, and which it is",
	}, quick, func(context.Context, *struct{}) (api.Health, error) {
		return api.Health{Status: "ok", Version: s.cfg.Version, StartedAt: api.At(s.started)}, nil
	})
}
