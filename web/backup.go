package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
	"pukar/internal/embedded"
	"pukar/web/api"
)

func (s *Server) registerBackup() {
	handleStream(s, huma.Operation{
		OperationID: "backup", Method: http.MethodGet, Path: "/v1/backup", Tags: []string{"operations"},
		Summary: "The whole installation as of one moment: database, key and configuration",
		Description: "A tar whose last entry is manifest.json; without it the file broke off. It holds every number, the key under which numbers are " +
			"hashed and the passwords of the configuration, so only root and the server's own user get it.",
	}, "application/x-tar", s.backup)
}

func (s *Server) backup(ctx context.Context, _ *struct{}, out *stream) error {
	peer := peerFrom(ctx)
	if !peer.Administrator {
		problem := api.NewProblem(http.StatusForbidden, api.CodeRefused, "a backup holds every number and the key: only root and the server's own user may take one")
		problem.Mend = "call as root or as the user that runs the server"
		return problem
	}
	if s.cfg.Backup == nil {
		return api.NewProblem(http.StatusNotImplemented, api.CodeRefused, "this server takes no backups")
	}
	// Before the snapshot, so that the backup itself says that it was taken.
	event := auditlog.Event{Actor: peer.Name, Action: "database.backup", Subject: "database"}
	if err := pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error { return auditlog.Append(ctx, tx, event) }); err != nil {
		return err
	}
	_, err := s.cfg.Backup.Take(ctx, out)
	if errors.Is(err, embedded.ErrNotInstalled) {
		return api.NewProblem(http.StatusServiceUnavailable, api.CodeUnavailable, err.Error())
	}
	return err
}
