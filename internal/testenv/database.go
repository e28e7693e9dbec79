package testenv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/pgdb"
	"pukar/migrations"
)

// templateLock is the advisory lock under which a template is built; any number no one else uses.
const templateLock = 7_852_701

// setupWait bounds the making of a database, which waits for other packages' tests on a loaded machine.
const setupWait = 3 * time.Minute

// DB gives the test a pool on a database of its own with every migration applied. Asked again by the same test it
// gives another pool on the same database. Pools are closed and the database dropped when the test ends.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupWait)
	defer cancel()
	pool, err := pgdb.Open(ctx, DatabaseURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// databases remembers which database a test got.
var databases sync.Map // testing.TB -> url string

// DatabaseURL gives the address of the test's own database, making it on the first call.
func DatabaseURL(t testing.TB) string {
	t.Helper()
	if known, ok := databases.Load(t); ok {
		return known.(string)
	}
	s, err := servers()
	if err != nil {
		t.Fatalf("no PostgreSQL for the tests: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupWait)
	defer cancel()
	name, err := clone(ctx, s.DatabaseURL)
	if err != nil {
		t.Fatalf("make test database: %v", err)
	}
	t.Cleanup(func() {
		databases.Delete(t)
		ctx, cancel := context.WithTimeout(context.Background(), setupWait)
		defer cancel()
		err := administer(ctx, s.DatabaseURL, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
			return err
		})
		if err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	address, err := onDatabase(s.DatabaseURL, name)
	if err != nil {
		t.Fatal(err)
	}
	databases.Store(t, address)
	return address
}

// administer runs do on a connection of its own to the database that the servers' URL names.
func administer(ctx context.Context, address string, do func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return do(conn)
}

// clone makes a database from the template of the present migrations and returns its name.
func clone(ctx context.Context, address string) (name string, err error) {
	hash, err := migrationsHash()
	if err != nil {
		return "", err
	}
	template := "pukar_template_" + hash
	err = administer(ctx, address, func(conn *pgx.Conn) error {
		if err := ensureTemplate(ctx, conn, address, template); err != nil {
			return fmt.Errorf("template %s: %w", template, err)
		}
		var id string
		if err := conn.QueryRow(ctx, "SELECT replace(gen_random_uuid()::text, '-', '')").Scan(&id); err != nil {
			return err
		}
		name = "pukar_test_" + id
		_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{template}.Sanitize())
		return err
	})
	return name, err
}

// ensureTemplate builds the template unless it is there. It counts as built once it is marked as a template; before
// that it may be the leftover of a killed run.
func ensureTemplate(ctx context.Context, conn *pgx.Conn, address, template string) error {
	var built bool
	const sqlBuilt = "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate)"
	if err := conn.QueryRow(ctx, sqlBuilt, template).Scan(&built); err != nil || built {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil { // released with the connection
		return err
	}
	if err := conn.QueryRow(ctx, sqlBuilt, template).Scan(&built); err != nil || built {
		return err
	}
	quoted := pgx.Identifier{template}.Sanitize()
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+quoted); err != nil {
		return err
	}
	there, err := onDatabase(address, template)
	if err != nil {
		return err
	}
	pool, err := pgdb.Open(ctx, there)
	if err != nil {
		return err
	}
	err = pgdb.Migrate(ctx, pool)
	pool.Close()
	if err != nil {
		return err
	}
	// Without connections nothing, autovacuum included, can stand in the way of a clone.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quoted+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return err
}

// onDatabase is the servers' URL with another database.
func onDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", EnvDatabase, err)
	}
	u.Path = "/" + name
	if u.Host == "" { // keep the three slashes of an address whose host is a folder in the query
		return "postgres:///" + name + "?" + u.RawQuery, nil
	}
	return u.String(), nil
}

// migrationsHash names the schema: any change to a migration gives another template.
var migrationsHash = sync.OnceValues(func() (string, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range names {
		text, err := migrations.FS.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
})
