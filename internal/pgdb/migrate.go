package pgdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"pukar/migrations"
)

// ErrSchemaNewer is returned by Migrate where a newer program has already been at work on the database. Going on with
// the older one could write rows that the newer schema forbids or misreads.
var ErrSchemaNewer = errors.New("the database was migrated by a newer pukar: run that version or a later one")

// Migrate brings the schema up to the newest embedded migration and returns when it is there. Any number of processes
// may call it at once: one migrates, the others wait for up to ten minutes and then find nothing to do. A try-lock in
// steps is used instead of a blocking advisory lock, because the latter deadlocks with CREATE INDEX CONCURRENTLY.
func Migrate(ctx context.Context, pool *pgxpool.Pool) (err error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	at, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if at > known {
		return fmt.Errorf("schema version %d, known up to %d: %w", at, known, ErrSchemaNewer)
	}
	return nil
}
