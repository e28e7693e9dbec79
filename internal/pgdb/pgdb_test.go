package pgdb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"pukar/internal/pgdb"
	"pukar/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestOpen(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	var zone, application string
	err := pool.QueryRow(t.Context(), "SELECT current_setting('timezone'), current_setting('application_name')").Scan(&zone, &application)
	if err != nil {
		t.Fatal(err)
	}
	if zone != "UTC" || application != "pukar" {
		t.Errorf("session runs in zone %q as %q, want UTC as pukar", zone, application)
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	t.Parallel()
	if _, err := pgdb.Open(t.Context(), "postgres://%zz"); err == nil || pgdb.Unavailable(err) {
		t.Errorf("a malformed url gives %v, want an error that no waiting mends", err)
	}
	_, err := pgdb.Open(t.Context(), "postgres:///pukar?host="+t.TempDir())
	if !pgdb.Unavailable(err) {
		t.Errorf("a folder without a server gives %v, want it to count as unavailable", err)
	}
}

func TestMigrateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	if _, err := pool.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 2 {
		go func() { done <- pgdb.Migrate(context.WithoutCancel(t.Context()), pool) }()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var tables int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables < 2 {
		t.Errorf("%d tables after migrating from nothing", tables)
	}
}

func TestMigrateRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	if _, err := pool.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)"); err != nil {
		t.Fatal(err)
	}
	if err := pgdb.Migrate(t.Context(), pool); !errors.Is(err, pgdb.ErrSchemaNewer) {
		t.Errorf("got %v, want ErrSchemaNewer", err)
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	server := func(code string) error { return fmt.Errorf("count contacts: %w", &pgconn.PgError{Code: code}) }
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"shut down by the administrator", server("57P01"), true},
		{"starting up", server("57P03"), true},
		{"too many connections", server("53300"), true},
		{"disk full", server("53100"), true},
		{"connection failure", server("08006"), true},
		{"statement cancelled", server("57014"), false},
		{"unique violation", server("23505"), false},
		{"syntax", server("42601"), false},
		{"wrong password", server("28P01"), false},
		{"line cut", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{"connection closed", pgconn.ErrConnClosed, true},
		{"cancelled by us", context.Canceled, false},
		{"our deadline", fmt.Errorf("x: %w", context.DeadlineExceeded), false},
		{"no rows", pgx.ErrNoRows, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := pgdb.Unavailable(tt.err); got != tt.want {
				t.Errorf("Unavailable(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}
