package audience

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyBytes = 32

// Key is the secret under which numbers are hashed, so that a suppression outlives the erasure of
// the person. It lies in a file of the program's home and never in the database: whoever has only
// the database cannot try all numbers against the hashes. The value is read-only after it is made
// and may be used by any number of goroutines.
type Key struct {
	// inner and outer are the key with HMAC's two pads (RFC 2104), one SHA-256 block each.
	inner, outer [sha256.BlockSize]byte
	set          bool
}

// NewKey makes a key from 32 secret bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != keyBytes {
		return Key{}, fmt.Errorf("number key: %d bytes, want %d", len(secret), keyBytes)
	}
	k := Key{set: true}
	copy(k.inner[:], secret)
	copy(k.outer[:], secret)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k, nil
}

// IsZero reports whether the key was never loaded. Hashing with it would protect nobody.
func (k Key) IsZero() bool { return !k.set }

// String hides the key from logs and messages.
func (k Key) String() string { return "***" }

// GoString hides the key from %#v.
func (k Key) GoString() string { return "audience.Key(***)" }

// Number returns the keyed hash of a number: the first 8 bytes, big-endian, of HMAC-SHA256 over its
// E.164 digits without the plus. It needs no memory of its own and about a quarter of a microsecond.
func (k Key) Number(msisdn int64) int64 {
	var block [sha256.BlockSize + 20]byte
	n := copy(block[:], k.inner[:])
	n += len(appendInt(block[n:n], msisdn))
	sum := sha256.Sum256(block[:n])
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	copy(outer[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(outer[:])
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // the bits are wanted, not the value
}

// appendInt appends the decimal digits of n, which is not negative, to dst.
func appendInt(dst []byte, n int64) []byte {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
		if n <= 0 {
			return append(dst, digits[i:]...)
		}
	}
}

// LoadKey reads the key file and makes it, with mode 0600, when it is absent. The file holds 64
// hexadecimal digits. Two processes that start together get the same key. A file that others may
// read is refused, and so is one that is cut short: a new key in its place would unlock every
// suppression, so the mend is to restore it.
func LoadKey(path string) (Key, error) {
	k, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := createKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("create number key %s: %w", path, err)
	}
	return readKey(path)
}

func readKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("read number key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("read number key %s: others may read it (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read number key: %w", err)
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) != keyBytes {
		return Key{}, fmt.Errorf("read number key %s: not 64 hexadecimal digits: restore the file from a backup, because the opt-outs in the database hang on it", path)
	}
	return NewKey(secret)
}

// OpenKey reads the key file as LoadKey does, and leaves it absent where it is.
func OpenKey(path string) (Key, error) { return readKey(path) }

// nobody is a number that nobody has; its hash tells one key from another.
const nobody = 910000000000

// Witness is what a database keeps of the key that its numbers were hashed with, to be compared and of no other use.
func (k Key) Witness() []byte { return fmt.Appendf(nil, "%d", k.Number(nobody)) }

// createKey writes a complete file beside the path and links it into place, so that nobody ever
// reads half a key and the first of two makers wins.
func createKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	secret := make([]byte, keyBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*") // CreateTemp makes the file with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}
