package embedded

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Program finds one of PostgreSQL's client programs, such as pg_dump: the oldest installed one that knows a server of the
// given major version. The error names the package to install and wraps ErrNotInstalled.
func Program(ctx context.Context, name string, server int) (string, error) {
	candidates := []string{}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql*/bin"} {
		found, _ := filepath.Glob(filepath.Join(pattern, name)) // the only error is a malformed pattern
		candidates = append(candidates, found...)
	}
	if path, err := exec.LookPath(name); err == nil {
		candidates = append(candidates, path)
	}
	best, bestMajor := "", 0
	for _, path := range candidates {
		said, err := exec.CommandContext(ctx, path, "--version").Output()
		if err != nil {
			continue
		}
		match := versionPattern.FindSubmatch(said)
		if match == nil {
			continue
		}
		major, err := strconv.Atoi(string(match[1]))
		if err == nil && major >= server && (best == "" || major < bestMajor) {
			best, bestMajor = path, major
		}
	}
	if best == "" {
		return "", fmt.Errorf("%s of PostgreSQL %d or later is %w: run \"apt-get install postgresql-client-%d\"", name, server, ErrNotInstalled, server)
	}
	return best, nil
}
