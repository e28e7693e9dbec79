package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// awayRoot is where root's servers keep their files when their account cannot enter the home.
const awayRoot = "/var/lib/pukar-servers"

// placeServers finds the folder for the servers' data and logs: "servers" in the home where their account can get
// there. The home itself is opened for passing through (not for reading) when root started us. Where a folder above
// the home stands in the way, as /root does, the data goes to a fresh folder below awayRoot, and the file
// "servers.location" in the home remembers which: a new home of the same name must not find an old one's database.
func placeServers(home string, who account, log *slog.Logger) (string, error) {
	inside := filepath.Join(home, "servers")
	if !who.drop {
		return inside, who.folder(inside)
	}
	note := filepath.Join(home, "servers.location")
	said, err := os.ReadFile(note)
	if err == nil {
		root := strings.TrimSpace(string(said))
		return root, who.folder(root)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("place private servers: %w", err)
	}
	if !who.canEnter(home) {
		if err := os.Chmod(home, 0o711); err != nil {
			return "", fmt.Errorf("let account %s pass through the home: %w", who.name, err)
		}
	}
	barred := ""
	for dir := home; ; dir = filepath.Dir(dir) {
		if !who.canEnter(dir) {
			barred = dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if barred == "" {
		return inside, who.folder(inside)
	}
	if err := os.MkdirAll(awayRoot, 0o711); err != nil {
		return "", fmt.Errorf("place private servers: account %s cannot enter %s: %w: set PUKAR_HOME to a folder it can enter, such as /var/lib/pukar",
			who.name, barred, err)
	}
	away, err := os.MkdirTemp(awayRoot, shortName(home)+"-")
	if err != nil {
		return "", fmt.Errorf("place private servers: %w", err)
	}
	if err := os.WriteFile(note, []byte(away+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("place private servers: %w", err)
	}
	log.Warn("the servers' account cannot enter the home: their data is kept elsewhere",
		"account", who.name, "barred", barred, "data", away)
	return away, who.folder(away)
}

// maxSocketPath is the longest path that the kernel takes for a unix socket: sun_path holds 108 bytes with its zero.
const maxSocketPath = 107

// longestSocket is the longest file name among the sockets.
const longestSocket = "/.s.PGSQL.5432"

// socketFolder is the folder of the sockets; away says that it is a short one outside the home.
type socketFolder struct {
	path string
	away bool
}

// socketsOf is where the sockets of a home lie.
func socketsOf(home, root string, who account) socketFolder {
	dir := filepath.Join(root, "sock")
	if len(dir)+len(longestSocket) <= maxSocketPath {
		return socketFolder{path: dir}
	}
	base := os.Getenv("XDG_RUNTIME_DIR")
	if who.drop {
		base = "/run"
	}
	if base == "" || len(base) > 60 {
		base = "/tmp"
	}
	return socketFolder{path: filepath.Join(base, fmt.Sprintf("pukar-%d-%s", who.uid, shortName(home))), away: true}
}

// placeSockets prepares the folder for the sockets: "sock" beside the data, or a short one named after the home where
// the path would be too long for the kernel.
func placeSockets(home, root string, who account) (socketFolder, error) {
	at := socketsOf(home, root, who)
	dir := at.path
	if !at.away {
		if err := who.folder(dir); err != nil {
			return socketFolder{}, fmt.Errorf("prepare socket folder: %w", err)
		}
		return at, nil
	}
	// Whoever made the folder first could read along, and in /tmp that can be anybody.
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return socketFolder{}, fmt.Errorf("prepare socket folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return socketFolder{}, fmt.Errorf("prepare socket folder: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || (int(st.Uid) != os.Geteuid() && int(st.Uid) != who.uid) {
		return socketFolder{}, fmt.Errorf("socket folder %s belongs to someone else: remove it, or set PUKAR_HOME to a shorter path", dir)
	}
	if err := who.folder(dir); err != nil {
		return socketFolder{}, fmt.Errorf("prepare socket folder: %w", err)
	}
	return at, nil
}

// remove deletes a folder outside the home; the one inside stays for the next start.
func (f socketFolder) remove() {
	if f.away {
		_ = os.Remove(f.path) // not empty after an unclean end, and then kept
	}
}

// shortName names a home in twelve characters.
func shortName(home string) string {
	sum := sha256.Sum256([]byte(home))
	return hex.EncodeToString(sum[:6])
}
