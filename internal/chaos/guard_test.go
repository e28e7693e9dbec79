package chaos

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The guard is what is left of a harness that was killed.
func TestTheGuardClearsAway(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "run")
	if err := os.MkdirAll(filepath.Join(folder, "pg", "servers"), 0o755); err != nil {
		t.Fatal(err)
	}
	end, err := post(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("the guard did not wait: %v", err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}
