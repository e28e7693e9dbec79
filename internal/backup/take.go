package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/auditlog"
)

// Source is an installation that is backed up while it works.
type Source struct {
	Pool    *pgxpool.Pool
	Address string // of the database, as Pool was opened with
	Home    string // PUKAR_HOME
	KeyFile string
	Config  string // file of the configuration, wherever it is; empty for pukar.yaml in the home, if it is there
	Program string // version of pukar
}

// homeFiles are what a person may have written into the home, as patterns.
var homeFiles = []string{configName, "holidays/*.yaml", "schemes/*.yaml"}

// configName is what the configuration is called in the home, where a restore puts it.
const configName = "pukar.yaml"

const (
	sqlExport = `SELECT pg_export_snapshot(), now(), current_setting('server_version'), current_setting('server_version_num')::int / 10000`

	// An ordinary look at a table of millions is fine here: the dump reads it too.
	sqlFacts = `
SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied),
       (SELECT count(*) FROM contact),
       (SELECT count(*) FROM run),
       (SELECT count(*) FROM suppression WHERE lifted_at IS NULL),
       (SELECT count(*) FROM audit_event)`
)

// Take writes a backup of one moment to w while everything goes on: the database is read under one snapshot, which the
// dump shares. It needs pg_dump of the server's version or later. What was written before an error is no backup.
func (s Source) Take(ctx context.Context, w io.Writer) (Manifest, error) {
	var m Manifest
	err := pgx.BeginTxFunc(ctx, s.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		m, err = s.take(ctx, tx, w)
		return err
	})
	if err != nil {
		return m, fmt.Errorf("back up: %w", err)
	}
	return m, nil
}

func (s Source) take(ctx context.Context, tx pgx.Tx, w io.Writer) (Manifest, error) {
	m := Manifest{Format: format, Program: s.Program}
	var snapshot string
	var major int
	if err := tx.QueryRow(ctx, sqlExport).Scan(&snapshot, &m.CreatedAt, &m.Postgres, &major); err != nil {
		return m, err
	}
	if err := tx.QueryRow(ctx, sqlFacts).Scan(&m.Schema, &m.Contacts, &m.Runs, &m.Stops, &m.Audit); err != nil {
		return m, err
	}
	var err error
	if m.Head, err = auditlog.Head(ctx, tx); err != nil {
		return m, err
	}
	// Looked for before the first byte: afterwards an error can only be told by breaking off.
	dump, err := client(ctx, "pg_dump", major, s.Address, "--format=custom", "--compress=1", "--no-owner", "--no-privileges", "--snapshot="+snapshot)
	if err != nil {
		return m, err
	}
	out := newWriter(w, m.CreatedAt)
	if err := out.json(headerName, header{Format: format, Program: s.Program, CreatedAt: m.CreatedAt}); err != nil {
		return m, err
	}
	if err := s.writeFiles(out); err != nil {
		return m, err
	}
	if err := writeDump(out, dump); err != nil {
		return m, err
	}
	m.Sums = out.sums
	return m, out.close(m)
}

// writeFiles writes the key and what a person wrote into the home.
func (s Source) writeFiles(out *writer) error {
	key, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	if err := out.entry(keyName, key); err != nil {
		return err
	}
	if s.Config != "" {
		content, err := os.ReadFile(s.Config)
		if err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		if err := out.entry(homePrefix+configName, content); err != nil {
			return err
		}
	}
	for _, pattern := range homeFiles {
		if pattern == configName && s.Config != "" {
			continue
		}
		paths, err := filepath.Glob(filepath.Join(s.Home, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			name, err := filepath.Rel(s.Home, path)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read %s of the home: %w", name, err)
			}
			if err := out.entry(homePrefix+filepath.ToSlash(name), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// dumpWait is how long pg_dump may take to end once it is told to.
const dumpWait = 10 * time.Second

// writeDump has pg_dump read the snapshot. Its own compression is the light one: the disk is seldom what is short.
func writeDump(out *writer, cmd *exec.Cmd) error {
	var complaints bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &complaints, dumpWait
	read, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	written := out.pieces(dumpPrefix, read)
	if written != nil {
		_ = cmd.Process.Kill() // it would wait for somebody to read the rest
	}
	if err := cmd.Wait(); err != nil && written == nil {
		return said("pg_dump", err, complaints.String())
	}
	return written
}
