package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// pieceSize is how much of the dump an entry holds: a tar wants to know the size of an entry before its bytes, and nobody
// knows that of a dump.
const pieceSize = 8 << 20

// writer writes the entries of a backup and keeps their sums.
type writer struct {
	tar  *tar.Writer
	at   time.Time
	sums map[string]string
}

func newWriter(w io.Writer, at time.Time) *writer {
	return &writer{tar: tar.NewWriter(w), at: at, sums: make(map[string]string)}
}

// entry writes one file.
func (w *writer) entry(name string, content []byte) error {
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: w.at.Truncate(time.Second), Format: tar.FormatUSTAR})
	if err == nil {
		_, err = w.tar.Write(content)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.Sum256(content)
	w.sums[name] = hex.EncodeToString(sum[:])
	return nil
}

// json writes one file of JSON.
func (w *writer) json(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return w.entry(name, append(text, '\n'))
}

// pieces writes a stream of unknown length as entries one after another.
func (w *writer) pieces(prefix string, r io.Reader) error {
	piece := make([]byte, pieceSize)
	for n := 0; ; n++ {
		size, err := io.ReadFull(r, piece)
		if size > 0 {
			if err := w.entry(fmt.Sprintf("%s%06d", prefix, n), piece[:size]); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

// close writes the manifest, which makes the file whole.
func (w *writer) close(m Manifest) error {
	m.Sums = w.sums
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	sums := w.sums
	w.sums = make(map[string]string) // the manifest has no sum of itself
	defer func() { w.sums = sums }()
	if err := w.entry(manifestName, append(bytes.TrimSpace(text), '\n')); err != nil {
		return err
	}
	return w.tar.Close()
}
