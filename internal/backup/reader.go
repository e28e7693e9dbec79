package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// mostSmall bounds what is read into memory: every entry but the pieces of the dump is small.
const mostSmall = 16 << 20

// Check reads a whole backup, compares every entry with its sum, and gives the manifest. ErrNotABackup says what is wrong.
func Check(r io.Reader) (Manifest, error) {
	var m Manifest
	sums := make(map[string]string)
	pieces := 0
	err := eachEntry(r, func(name string, content io.Reader) error {
		if m.Format != 0 {
			return fmt.Errorf("%w: %s comes after the manifest", ErrNotABackup, name)
		}
		if name == manifestName {
			text, err := io.ReadAll(io.LimitReader(content, mostSmall))
			if err == nil {
				err = json.Unmarshal(text, &m)
			}
			if err == nil && m.Format != format {
				err = errors.ErrUnsupported
			}
			if err != nil {
				return fmt.Errorf("%w: its manifest cannot be read, or is of format %d and this program reads %d: %w", ErrNotABackup, m.Format, format, err)
			}
			return nil
		}
		if strings.HasPrefix(name, dumpPrefix) {
			if want := fmt.Sprintf("%s%06d", dumpPrefix, pieces); name != want {
				return fmt.Errorf("%w: %s stands where %s belongs", ErrNotABackup, name, want)
			}
			pieces++
		}
		whole := sha256.New()
		if _, err := io.Copy(whole, content); err != nil {
			return err
		}
		sums[name] = hex.EncodeToString(whole.Sum(nil))
		return nil
	})
	if err != nil {
		return m, err
	}
	if m.Format == 0 {
		return m, fmt.Errorf("%w: it has no manifest at its end, so it broke off", ErrNotABackup)
	}
	for name, want := range m.Sums {
		if got := sums[name]; got != want {
			return m, fmt.Errorf("%w: %s is missing or was altered", ErrNotABackup, name)
		}
	}
	if len(sums) != len(m.Sums) || sums[keyName] == "" || sums[headerName] == "" || pieces == 0 {
		return m, fmt.Errorf("%w: it holds %d entries and its manifest names %d", ErrNotABackup, len(sums), len(m.Sums))
	}
	return m, nil
}

// eachEntry visits the entries of a backup in order.
func eachEntry(r io.Reader, visit func(name string, content io.Reader) error) error {
	entries := tar.NewReader(r)
	for first := true; ; first = false {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: it was not written by `pukar backup`, or it broke off: %w", ErrNotABackup, err)
		}
		if first && entry.Name != headerName {
			return fmt.Errorf("%w: it was not written by `pukar backup`: it begins with %q", ErrNotABackup, entry.Name)
		}
		if err := visit(entry.Name, entries); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("%w: it broke off: %w", ErrNotABackup, err)
			}
			return err
		}
	}
}

// dump gives the pieces of the database's dump as one stream again; home is told of every other file before them.
func dump(r io.Reader, home func(name string, content []byte) error) (io.Reader, error) {
	entries := tar.NewReader(r)
	for {
		entry, err := entries.Next()
		if err != nil {
			return nil, fmt.Errorf("%w: no dump of the database in it: %w", ErrNotABackup, err)
		}
		if strings.HasPrefix(entry.Name, dumpPrefix) {
			return &pieces{entries: entries}, nil
		}
		content, err := io.ReadAll(io.LimitReader(entries, mostSmall))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", entry.Name, err)
		}
		if err := home(entry.Name, content); err != nil {
			return nil, err
		}
	}
}

// pieces reads the entries of the dump one after another, from within the first.
type pieces struct {
	entries *tar.Reader
	done    bool
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	for !p.done {
		n, err := p.entries.Read(b)
		if errors.Is(err, io.EOF) && n > 0 {
			return n, nil // the end of a piece, not of the dump
		}
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		entry, err := p.entries.Next()
		if err != nil {
			return 0, fmt.Errorf("%w: the dump broke off: %w", ErrNotABackup, err)
		}
		p.done = !strings.HasPrefix(entry.Name, dumpPrefix)
	}
	return 0, io.EOF
}
