package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// messageBytes is what a message leaves behind in all tables and indexes together, its submission, receipt and outcome
// included, by measurement (docs/decisions/0068-operations.md). The log that PostgreSQL writes ahead is bounded and comes on top.
const messageBytes = 1700

// The least room: below the first something is about to fail, below the second somebody should see to it.
const (
	leastRoom  = 1 << 30
	enoughRoom = 5 << 30
)

// room is what is left on a file system.
type room struct {
	folder                string
	err                   error
	free, size            int64 // octets
	freeInodes, allInodes int64 // 0 of 0 where the system does not count them
}

func examineDisk(_ context.Context, i *installation) []Check {
	checks := judgeRoom("home", roomOf(i.config.Home))
	if i.privatePostgres() {
		checks = append(checks, judgeRoom("database", roomOf(filepath.Dir(i.postgres.Data)))...)
	}
	return checks
}

// roomOf asks for the room at a folder, or at the nearest folder above it that is there.
func roomOf(folder string) room {
	r := room{folder: folder}
	var s unix.Statfs_t
	for at := folder; ; at = filepath.Dir(at) {
		if r.err = unix.Statfs(at, &s); r.err == nil || !errors.Is(r.err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
	}
	r.free, r.size = int64(s.Bavail)*int64(s.Bsize), int64(s.Blocks)*int64(s.Bsize) //nolint:unconvert // widths differ between processors
	r.freeInodes, r.allInodes = int64(s.Ffree), int64(s.Files)
	return r
}

func judgeRoom(name string, r room) []Check {
	if r.err != nil {
		return []Check{problem(name, "run this as root, or as the server's user", "%v", r.err)}
	}
	lasts := fmt.Sprintf("%s of %s are left, enough for about %s messages", bytes(r.free), bytes(r.size), count(r.free/messageBytes))
	mend := "free some, or give it a larger disk"
	var checks []Check
	switch {
	case r.free < leastRoom:
		checks = append(checks, problem(name, mend, "%s", lasts))
	case r.free < enoughRoom || r.free < r.size/20:
		checks = append(checks, warning(name, mend, "%s", lasts))
	default:
		checks = append(checks, ok(name, "%s", lasts))
	}
	if r.allInodes == 0 {
		return checks
	}
	switch {
	case r.freeInodes < 1000:
		checks = append(checks, problem(name+"_inodes", "remove files that are not needed", "%s of %s inodes are left", count(r.freeInodes), count(r.allInodes)))
	case r.freeInodes < r.allInodes/50:
		checks = append(checks, warning(name+"_inodes", "remove files that are not needed", "%s of %s inodes are left", count(r.freeInodes), count(r.allInodes)))
	default:
		checks = append(checks, ok(name+"_inodes", "%s inodes are left", count(r.freeInodes)))
	}
	return checks
}

// bytes writes an amount as people read it.
func bytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.0f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d kB", n>>10)
}

// count writes a large number by its size: thousand, lakh and crore are left to those who print exact ones.
func count(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%d million", n/1_000_000)
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f million", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%d thousand", n/1000)
	}
	return fmt.Sprint(n)
}
