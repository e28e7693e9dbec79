package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pukar/internal/app"
	"pukar/internal/backup"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	i.ok("optout", "add", "9812345604", "--evidence", "a letter")
	folder := t.TempDir()
	for path := folder; path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil { // the private servers' account passes through
			t.Fatal(err)
		}
	}
	file := filepath.Join(folder, "pukar.tar")
	taken := decode[backup.Manifest](t, i.ok("backup", file, "--json"))
	if taken.Stops != 1 || taken.Audit == 0 {
		t.Errorf("taken: %+v", taken)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if r := i.run("backup", file); r.code != exitUsage || !strings.Contains(r.errOut, "is there already") {
		t.Errorf("over another backup: %+v", r)
	}
	if r := i.run("backup", "-"); r.code != exitOK || !strings.HasPrefix(r.out, "pukar-backup.json") {
		t.Errorf("to standard output: exit %d, %s", r.code, r.errOut)
	}

	home := filepath.Join(folder, "other")
	config := write(t, "pukar.yaml", "routes: []\n")
	r := pukar(t, "", "restore", file, "--pukar-home", home, "--config", config, "--json")
	if r.code != exitOK {
		t.Fatalf("restore: %+v", r)
	}
	done := decode[app.RestoredBackup](t, r.out)
	if done.Backup.Stops != 1 || !done.Audit.OK() || done.Audit.Events != taken.Audit {
		t.Errorf("restored: %+v", done)
	}
	if kept, err := os.ReadFile(filepath.Join(home, "pukar.yaml")); err != nil || !strings.Contains(string(kept), "HELPLN") {
		t.Errorf("the configuration came back as %q, %v", kept, err)
	}
	if r := pukar(t, "", "restore", file, "--pukar-home", home, "--config", config); r.code != exitConflict {
		t.Errorf("over an installation: %+v", r)
	}
	if r := pukar(t, "", "restore", config, "--pukar-home", filepath.Join(folder, "third"), "--config", config); r.code != exitFailed ||
		!strings.Contains(r.errOut, "not a whole backup") {
		t.Errorf("a file that is no backup: %+v", r)
	}
}
