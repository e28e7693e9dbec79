package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/pgdb"
)

// unfinishedName is a file that stands in a home from the first step of a restore to the last.
const unfinishedName = "restore.unfinished"

// Target is an empty place that a backup is put back to.
type Target struct {
	Pool    *pgxpool.Pool // of an empty database
	Address string        // as Pool was opened with
	Home    string        // PUKAR_HOME
	KeyFile string
}

// Unfinished gives ErrUnfinished when a restore into the home was broken off: what is there is not all.
func Unfinished(home string) error {
	_, err := os.Stat(filepath.Join(home, unfinishedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(ErrUnfinished, err)
}

// Claim marks a home as one that a backup is being put back to. ErrNotEmpty says that it holds an installation; one that
// an earlier restore left half-way may be claimed again. Call it before anything is started in the home.
func Claim(home, keyFile string) error {
	if err := Unfinished(home); err == nil {
		for _, path := range []string{keyFile, filepath.Join(home, "servers"), filepath.Join(home, "servers.location"), filepath.Join(home, "database.mark")} {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				return errors.Join(fmt.Errorf("%w: %s: restore into an empty home, with --pukar-home or after moving this one away", ErrNotEmpty, path), err)
			}
		}
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("make the home folder: %w", err)
	}
	return os.WriteFile(filepath.Join(home, unfinishedName), []byte("A restore began and has not finished.\n"), 0o600)
}

const (
	sqlTables = `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`

	sqlServer = `SELECT current_setting('server_version_num')::int / 10000`
)

// Restore puts a checked backup back: the home's files that are not there yet, the key, and the database in one
// transaction, so that a restore that breaks off can be begun again. m is what Check found. The home stays marked as
// unfinished until Finish.
func (t Target) Restore(ctx context.Context, r io.Reader, m Manifest) error {
	var tables, major int
	if err := t.Pool.QueryRow(ctx, sqlTables).Scan(&tables); err != nil {
		return fmt.Errorf("restore: look at the database: %w", err)
	}
	if tables > 0 {
		return fmt.Errorf("%w: the database has %d tables: restore into an empty one", ErrNotEmpty, tables)
	}
	if err := t.Pool.QueryRow(ctx, sqlServer).Scan(&major); err != nil {
		return fmt.Errorf("restore: look at the database: %w", err)
	}
	content, err := dump(r, t.writeFile)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	cmd, err := client(ctx, "pg_restore", major, t.Address, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = content, &complaints, dumpWait
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("restore: %w", said("pg_restore", err, complaints.String()))
	}
	if err := pgdb.Migrate(ctx, t.Pool); err != nil { // the backup may be of an earlier version
		return fmt.Errorf("restore: %w", err)
	}
	if _, err := t.Pool.Exec(ctx, `ANALYZE`); err != nil { // a dump brings no statistics
		return fmt.Errorf("restore: %w", err)
	}
	return t.compare(ctx, m)
}

// compare holds what is in the database now to the manifest.
func (t Target) compare(ctx context.Context, m Manifest) error {
	var got Manifest
	if err := t.Pool.QueryRow(ctx, sqlFacts).Scan(&got.Schema, &got.Contacts, &got.Runs, &got.Stops, &got.Audit); err != nil {
		return fmt.Errorf("restore: count what is there: %w", err)
	}
	if got.Contacts != m.Contacts || got.Runs != m.Runs || got.Stops != m.Stops || got.Audit != m.Audit {
		return fmt.Errorf("restore: %w: it has %d contacts, %d runs, %d stops and %d audit events, and %d, %d, %d and %d were backed up",
			ErrNotABackup, got.Contacts, got.Runs, got.Stops, got.Audit, m.Contacts, m.Runs, m.Stops, m.Audit)
	}
	return nil
}

// writeFile puts a file of the home back. What a person has put there already, such as a configuration that names
// the new database, is kept.
func (t Target) writeFile(name string, content []byte) error {
	path := t.KeyFile
	if name != keyName {
		rest, ours := strings.CutPrefix(name, homePrefix)
		if !ours || !filepath.IsLocal(rest) {
			return nil
		}
		path = filepath.Join(t.Home, filepath.FromSlash(rest))
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// Finish takes the mark of an unfinished restore away.
func (t Target) Finish() error { return os.Remove(filepath.Join(t.Home, unfinishedName)) }
