// Package pgdb opens PostgreSQL for the program: one way to connect, to bring the schema up to date and to tell an
// unreachable server from a wrong statement.
package pgdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is what a store needs of PostgreSQL. A pool, a single connection and a transaction all satisfy it, so that a
// store opened on a transaction takes part in that transaction.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

var (
	_ DB = (*pgxpool.Pool)(nil)
	_ DB = (*pgx.Conn)(nil)
	_ DB = (pgx.Tx)(nil)
)

// defaultMaxConns bounds a process' pool where the URL does not say pool_max_conns. pgx would take the number of CPUs,
// which on a small machine is fewer than the program has long-lived users of a connection.
const defaultMaxConns = 24

// Open connects a pool to the server at url (a postgres:// URL or a key=value string) and asks it SELECT 1, so that a
// wrong address fails here and not at the first statement. Sessions run in UTC under the application name "pukar"
// unless the URL says otherwise. The caller closes the pool.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database url: %w", err)
	}
	params := cfg.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "pukar"
	}
	if params["timezone"] == "" {
		params["timezone"] = "UTC"
	}
	if params["idle_in_transaction_session_timeout"] == "" {
		// A process that was stopped or cut off in the middle of a transaction must not hold its locks for ever.
		params["idle_in_transaction_session_timeout"] = "20s"
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = defaultMaxConns
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	var one int
	if err := pool.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s at %s: %w", cfg.ConnConfig.Database, cfg.ConnConfig.Host, err)
	}
	return pool, nil
}
