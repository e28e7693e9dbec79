package web

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pukar/web/client"
)

func TestSocketIsOpenToItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "home", "pukar.sock")
	socket, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if folder.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %o, want 700", folder.Mode().Perm())
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		t.Errorf("socket has mode %o: others may call", mode)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".s*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestSocketOfALiveServerIsRefusedAndAStaleOneReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pukar.sock")
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrSocketBusy) {
		t.Fatalf("second server: %v, want ErrSocketBusy", err)
	}
	// A server that was killed leaves the file behind; its locks are gone with it.
	_ = first.Listener.Close()
	first.release()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the stale file: %v", err)
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

func TestSocketAnsweringWithoutALockIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pukar.sock")
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := Listen(path); !errors.Is(err, ErrSocketBusy) {
		t.Fatalf("got %v, want ErrSocketBusy", err)
	}
}

func TestSocketPathThatIsAFileIsNotRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pukar.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Fatalf("got %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("the file: %q, %v", content, err)
	}
}

func TestSocketAtAPathLongerThanAnAddress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 60), "pukar.sock")
	caller := startServer(t, path)
	if _, err := caller.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pukar.sock")
	caller := client.New(path)
	defer caller.Close()
	_, err := caller.Health(context.Background())
	if !errors.Is(err, client.ErrNoServer) {
		t.Fatalf("got %v, want ErrNoServer", err)
	}
	if want := "no pukar server at " + path + ": start one with `pukar serve`, or set PUKAR_HOME"; err.Error() != want {
		t.Errorf("text is %q, want %q", err, want)
	}
}
