// Package mark notices that the database is not the one, or is older than the one, that this installation worked with:
// a backup that was put back, a failover that lost commits, another server under the same address.
//
// Every PUKAR_HOME keeps a small file outside of the database: which cluster it is, on which timeline it writes, how far
// its log reached and how many marks this home has committed in it, all of which was on the server's disk before the
// file was written. A sound database can only be further on. See docs/decisions/0006-restored-backups.md.
package mark

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// LSN is a position in PostgreSQL's write-ahead log; its text is PostgreSQL's, "16/B374D848".
type LSN uint64

// String gives PostgreSQL's way to write it.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint32(l)) }

// MarshalText implements encoding.TextMarshaler.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what PostgreSQL writes: two hexadecimal numbers of up to 32 bits with a slash between.
func (l *LSN) UnmarshalText(text []byte) error {
	high, low, ok := strings.Cut(string(text), "/")
	h, err := strconv.ParseUint(high, 16, 32)
	if err == nil && ok {
		var n uint64
		if n, err = strconv.ParseUint(low, 16, 32); err == nil {
			*l = LSN(h<<32 | n)
			return nil
		}
	}
	return fmt.Errorf("%q is no position in a write-ahead log", text)
}

// Position is where a database stands.
type Position struct {
	System   string `json:"system_identifier"` // of the cluster, from pg_control_system()
	Timeline int64  `json:"timeline"`          // on which the server writes; it changes with every promotion
	LSN      LSN    `json:"lsn"`               // the end of a record of the write-ahead log
	Count    int64  `json:"count"`             // marks that the home has committed, 0 where the database knows nothing of the home
}

// OriginSQL is an expression for where a commit goes, as Origin writes it. A standby has none: it gives an error.
const OriginSQL = `(SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) FROM pg_control_system())`

// ReachedSQL is an expression for how far the log of a database reaches, as LSN reads it. It is never before a mark that the
// database has.
const ReachedSQL = `pg_current_wal_insert_lsn()::text`

// Origin names cluster and timeline together: a commit under another origin may stand beside data that is older.
func (p Position) Origin() string { return fmt.Sprintf("%s/%08X", p.System, p.Timeline) }

// Mark is the position that was surely on the server's disk when the file was written.
type Mark struct {
	Home string `json:"home"` // a random name of the PUKAR_HOME
	Position
	At time.Time `json:"at"`
}

// newHome names a home that has no mark yet.
func newHome() Mark { return Mark{Home: rand.Text()} }

// Differs says why the database that stands at now is not the one of the mark, or is older; "" when it is the same and
// not older.
func (m Mark) Differs(now Position) string {
	since := m.At.Format(time.RFC3339)
	switch {
	case now.System != m.System:
		return fmt.Sprintf("it is another cluster: its system identifier is %s, not %s as at %s", now.System, m.System, since)
	case now.Timeline != m.Timeline:
		return fmt.Sprintf("its timeline is %d, not %d as at %s: another server was promoted, or a backup was recovered", now.Timeline, m.Timeline, since)
	case now.LSN < m.LSN:
		return fmt.Sprintf("its write-ahead log ends at %s, before %s which was on disk at %s", now.LSN, m.LSN, since)
	case now.Count < m.Count:
		return fmt.Sprintf("what was committed at %s is not in it", since)
	}
	return ""
}

// load reads a mark. fs.ErrNotExist says that there is none; any other error, that it cannot be trusted.
func load(path string) (Mark, error) {
	var m Mark
	text, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", path, err)
	}
	if m.Home == "" || m.System == "" || m.Timeline <= 0 || m.LSN == 0 || m.Count <= 0 || m.At.IsZero() {
		return m, fmt.Errorf("read %s: it is not whole", path)
	}
	return m, nil
}

// save replaces the file in one step. When it returns the mark is on disk.
func (m Mark) save(path string) (err error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("keep the mark: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep the mark: %w", err)
			if gone := os.Remove(file.Name()); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}()
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
