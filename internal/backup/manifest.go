package backup

import (
	"errors"
	"time"

	"pukar/internal/auditlog"
)

// format is the number of the file's layout; a reader takes no other.
const format = 1

// Names of the entries of a backup, in the order in which they stand.
const (
	headerName   = "pukar-backup.json"
	keyName      = "key"
	homePrefix   = "home/"
	dumpPrefix   = "database/"
	manifestName = "manifest.json"
)

// header says what the file is.
type header struct {
	Format    int       `json:"format"`
	Program   string    `json:"program"` // version of pukar that wrote it
	CreatedAt time.Time `json:"created_at"`
}

// Manifest says what is in a backup, as of one moment of the database.
type Manifest struct {
	Format    int       `json:"format"`
	Program   string    `json:"program"`    // version of pukar that wrote it
	CreatedAt time.Time `json:"created_at"` // the moment
	Postgres  string    `json:"postgresql"` // version of the server
	Schema    int64     `json:"schema"`     // newest migration
	Contacts  int64     `json:"contacts"`
	Runs      int64     `json:"runs"`
	Stops     int64     `json:"stops"`        // suppressions in force
	Audit     int64     `json:"audit_events"` // in the chain
	// Head is the newest event of the audit chain: the chain that is put back must hold it.
	Head auditlog.Anchor `json:"audit_head"`
	// Sums are the SHA-256 of every entry before this one, in hexadecimal, by its name.
	Sums map[string]string `json:"sha256"`
}

// Errors that callers tell apart.
var (
	// ErrNotABackup says that a file is no backup, or was altered, or broke off.
	ErrNotABackup = errors.New("not a whole backup")
	// ErrNotEmpty says that something is there already where a backup is to be put back.
	ErrNotEmpty = errors.New("there is an installation already")
	// ErrUnfinished says that a restore into this home was broken off.
	ErrUnfinished = errors.New("a restore into this home did not finish: run `pukar restore` again, or remove the home")
)
