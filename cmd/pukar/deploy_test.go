package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pukar/internal/config"
)

// TestUnitsRunWhatThereIs holds the units and their settings to the commands and the configuration.
func TestUnitsRunWhatThereIs(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "deploy", "systemd")
	units, err := filepath.Glob(filepath.Join(folder, "*.service"))
	if err != nil || len(units) != 2 {
		t.Fatalf("units %v, %v", units, err)
	}
	root := (&shell{}).root()
	for _, unit := range units {
		for _, line := range linesOf(t, unit) {
			_, command, found := strings.Cut(line, "/usr/local/bin/pukar ")
			if !found {
				continue
			}
			if cmd, _, err := root.Find(strings.Fields(command)); err != nil || cmd == root {
				t.Errorf("%s runs `pukar %s`: %v", filepath.Base(unit), command, err)
			}
		}
		checkSettings(t, unit, linesOf(t, unit), "Environment=")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.env"))
	if err != nil || len(files) != 4 {
		t.Fatalf("settings %v, %v", files, err)
	}
	given := map[string]bool{}
	for _, file := range files {
		for _, role := range checkSettings(t, file, linesOf(t, file), "").Roles {
			if filepath.Base(file) != "all.env" {
				given[role] = true
			}
		}
	}
	for _, role := range config.AllRoles() {
		if !given[role] {
			t.Errorf("no part has the role %s", role)
		}
	}
}

// checkSettings loads a configuration with the variables that lines set.
func checkSettings(t *testing.T, path string, lines []string, prefix string) *config.Config {
	t.Helper()
	var environ []string
	for _, line := range lines {
		if setting, ok := strings.CutPrefix(line, prefix); ok && strings.HasPrefix(setting, "PUKAR_") && !strings.HasPrefix(setting, "PUKAR_CONFIG=") {
			environ = append(environ, setting)
		}
	}
	c, err := config.Load(write(t, "pukar.yaml", "routes: []\n"), environ, map[string]any{"home": t.TempDir()})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return c
}

func linesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}
