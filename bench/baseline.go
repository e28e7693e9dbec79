package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// durable are the settings without which an acknowledged message could be lost, and what they must be.
var durable = []string{"fsync", "full_page_writes", "synchronous_commit"}

// shown are further settings that are told with the figures.
var shown = []string{"server_version", "shared_buffers", "max_wal_size", "checkpoint_timeout", "wal_compression", "data_checksums", "jit"}

// settings reads PostgreSQL's settings back from the server.
func (s *stage) settings(ctx context.Context, t *trial, _ options, stderr io.Writer) error {
	t.Postgres = map[string]string{}
	for _, name := range append(durable[:len(durable):len(durable)], shown...) {
		var value string
		if err := s.db.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		t.Postgres[name] = value
	}
	// What counts is what the server's own sessions have, and those could choose otherwise.
	for _, name := range durable {
		if t.Postgres[name] != "on" {
			t.wrong("PostgreSQL has %s %s: what it acknowledges could be lost", name, t.Postgres[name])
		}
	}
	say(stderr, "  PostgreSQL %s: fsync %s, full_page_writes %s, synchronous_commit %s", t.Postgres["server_version"],
		t.Postgres["fsync"], t.Postgres["full_page_writes"], t.Postgres["synchronous_commit"])
	return nil
}

const sqlPosition = `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8`

// walPosition is how many bytes PostgreSQL has written ahead since it was made.
func (s *stage) walPosition(ctx context.Context) (int64, error) {
	var at int64
	err := s.db.QueryRow(ctx, sqlPosition).Scan(&at)
	return at, err
}

const (
	sqlContactsOut = `COPY contact TO STDOUT`
	sqlContactCopy = `CREATE UNLOGGED TABLE contact_copy (LIKE contact)`
	sqlContactsIn  = `COPY contact_copy FROM STDIN`
	sqlContactGone = `DROP TABLE contact_copy`

	sqlRecipientCopy = `CREATE TABLE recipient_copy (LIKE recipient INCLUDING INDEXES)`
	sqlRecipientsIn  = `INSERT INTO recipient_copy SELECT * FROM recipient`
	sqlRecipientGone = `DROP TABLE recipient_copy`

	// The same facts as the delivery report's, as far as one statement has them: a line for each part.
	sqlReportOut = `
COPY (
    SELECT 'bench', 1, r.seq, r.contact_id, r.msisdn, r.language, p.abbreviation, d.name_en, s.parts, i.state, i.err, s.smsc_id, s.at, i.at
    FROM recipient r
    LEFT JOIN place_state p ON p.code = r.home_state
    LEFT JOIN place_district d ON d.code = r.home_district
    LEFT JOIN submission s ON s.run_id = r.run_id AND s.seq = r.seq AND s.result = 'accepted'
    LEFT JOIN inbox i ON i.run_id = s.run_id AND i.seq = s.seq AND i.part = s.part AND i.kind = 'receipt'
    ORDER BY r.seq, s.part
) TO STDOUT WITH (FORMAT csv, HEADER)`
)

// baselines has PostgreSQL alone do what was measured, on the same rows: read and write them without looking at them.
func (s *stage) baselines(ctx context.Context, t *trial, _ options, stderr io.Writer) error {
	wire := s.db.PgConn()
	contacts := filepath.Join(s.folder, "contacts.copy")
	if _, err := copyOut(ctx, wire, sqlContactsOut, contacts); err != nil {
		return err
	}
	err := s.beside(ctx, t, sqlContactCopy, sqlContactGone, &t.CopyIn, func() error {
		file, err := os.Open(contacts)
		if err != nil {
			return err
		}
		defer file.Close()
		said, err := wire.CopyFrom(ctx, file, sqlContactsIn)
		t.equal("contacts copied", said.RowsAffected(), t.People)
		return err
	})
	if err != nil {
		return err
	}
	if psql := s.psql(); psql != "" {
		if err := s.beside(ctx, t, sqlContactCopy, sqlContactGone, &t.PsqlCopy, func() error {
			return psqlCopy(ctx, psql, s.database, contacts)
		}); err != nil {
			return err
		}
	}
	if err := os.Remove(contacts); err != nil {
		return err
	}
	err = s.beside(ctx, t, sqlRecipientCopy, sqlRecipientGone, &t.InsertSelect, func() error {
		said, err := s.db.Exec(ctx, sqlRecipientsIn)
		t.equal("recipients copied", said.RowsAffected(), t.People)
		return err
	})
	if err != nil {
		return err
	}
	file := filepath.Join(s.folder, "report.copy")
	begun := time.Now()
	rows, err := copyOut(ctx, wire, sqlReportOut, file)
	if err != nil {
		return err
	}
	t.CopyOut = float64(t.People) / time.Since(begun).Seconds()
	t.equal("rows of the copied report", rows, t.Parts)
	say(stderr, "  PostgreSQL alone: COPY in %s, INSERT … SELECT %s, COPY out %s rows/s",
		grouped(int64(t.CopyIn)), grouped(int64(t.InsertSelect)), grouped(int64(t.CopyOut)))
	return os.Remove(file)
}

// psql is the client that belongs to the server, or one in PATH; "" when there is none.
func (s *stage) psql() string {
	if server, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", s.pids.postgres)); err == nil {
		if path := filepath.Join(filepath.Dir(server), "psql"); exec.Command(path, "--version").Run() == nil { //nolint:noctx // it prints a line and ends
			return path
		}
	}
	path, err := exec.LookPath("psql")
	if err != nil {
		return ""
	}
	return path
}

func psqlCopy(ctx context.Context, psql, database, file string) error {
	said, err := exec.CommandContext(ctx, psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", `\copy contact_copy from '`+file+`'`, database).CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql: %w: %s", err, said)
	}
	return nil
}

// beside times one step between two statements that are not timed.
func (s *stage) beside(ctx context.Context, t *trial, before, after string, rate *float64, step func() error) error {
	if _, err := s.db.Exec(ctx, before); err != nil {
		return err
	}
	begun := time.Now()
	if err := step(); err != nil {
		return err
	}
	*rate = float64(t.People) / time.Since(begun).Seconds()
	_, err := s.db.Exec(ctx, after)
	return err
}

// copyOut runs a COPY to a file and gives the number of rows.
func copyOut(ctx context.Context, wire *pgconn.PgConn, sql, path string) (int64, error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<18)
	said, err := wire.CopyTo(ctx, out, sql)
	if err != nil {
		return 0, err
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return said.RowsAffected(), file.Close()
}
