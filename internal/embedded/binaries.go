package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the first major version that has everything the schema and the settings use.
const oldestPostgres = 14

// postgresPrograms are the programs of one installed version.
type postgresPrograms struct {
	folder string
	major  int
}

func (p postgresPrograms) path(program string) string { return filepath.Join(p.folder, program) }

// findPostgres looks for the programs of the given major version, or of the newest one where major is 0: first where
// Debian and Ubuntu, Red Hat and a build from source put them, then in PATH.
func findPostgres(ctx context.Context, major int) (postgresPrograms, error) {
	var found []postgresPrograms
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql*/bin"} {
		folders, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		for _, folder := range folders {
			if p, ok := examine(ctx, folder); ok {
				found = append(found, p)
			}
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if p, ok := examine(ctx, filepath.Dir(real)); ok {
				found = append(found, p)
			}
		}
	}
	if major != 0 {
		i := slices.IndexFunc(found, func(p postgresPrograms) bool { return p.major == major })
		if i < 0 {
			return postgresPrograms{}, fmt.Errorf("the data was made by PostgreSQL %d, whose programs are %w: run \"apt-get install postgresql-%d\"",
				major, ErrNotInstalled, major)
		}
		return found[i], nil
	}
	best := postgresPrograms{}
	for _, p := range found {
		if p.major > best.major {
			best = p
		}
	}
	if best.major < oldestPostgres {
		return postgresPrograms{}, fmt.Errorf("PostgreSQL %d or later is %w: run \"apt-get install postgresql\", or set PUKAR_DATABASE_URL to a server of yours",
			oldestPostgres, ErrNotInstalled)
	}
	return best, nil
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// examine asks the programs in the folder for their version; false where they are not complete.
func examine(ctx context.Context, folder string) (postgresPrograms, bool) {
	if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
		return postgresPrograms{}, false
	}
	said, err := exec.CommandContext(ctx, filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return postgresPrograms{}, false
	}
	match := versionPattern.FindSubmatch(said)
	if match == nil {
		return postgresPrograms{}, false
	}
	major, err := strconv.Atoi(string(match[1]))
	return postgresPrograms{folder: folder, major: major}, err == nil
}

// dataVersion reads the major version that made the data folder; 0 where there is no data yet.
func dataVersion(data string) (int, error) {
	said, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(said)))
	if err != nil {
		return 0, fmt.Errorf("read version of %s: %w", data, err)
	}
	return major, nil
}

// findRedis looks for redis-server, or for valkey-server, which took over its place in some distributions.
func findRedis() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	for _, path := range []string{"/usr/bin/redis-server", "/usr/local/bin/redis-server"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("redis-server is %w: run \"apt-get install redis-server\", or set PUKAR_REDIS_URL to a server of yours", ErrNotInstalled)
}
