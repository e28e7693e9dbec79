package web

import (
	"context"

	"github.com/jackc/pgx/v5"

	"pukar/internal/auditlog"
)

// change runs one change and the event that records it in one transaction, with the calling user as its actor. A change
// that gives no event changed nothing.
func (s *Server) change(ctx context.Context, do func(tx pgx.Tx) (*auditlog.Event, error)) error {
	return pgx.BeginFunc(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
		event, err := do(tx)
		if err != nil || event == nil {
			return err
		}
		event.Actor = peerFrom(ctx).Name
		return auditlog.Append(ctx, tx, *event)
	})
}
