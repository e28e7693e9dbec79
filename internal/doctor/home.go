package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// folder is what is known of the home.
type folder struct {
	path   string
	err    error
	isDir  bool
	mode   fs.FileMode
	owner  int // user id
	us     int // user id of this process
	server int // user id of the running server, -1 where none runs
	system int64
}

func examineHome(_ context.Context, i *installation) []Check {
	f := folder{path: i.config.Home, us: os.Geteuid(), server: -1}
	info, err := os.Stat(f.path)
	if err != nil {
		f.err = err
		return judgeHome(f)
	}
	f.isDir, f.mode = info.IsDir(), info.Mode().Perm()
	if st, known := info.Sys().(*syscall.Stat_t); known {
		f.owner = int(st.Uid)
	}
	var fs unix.Statfs_t
	if f.err = unix.Statfs(f.path, &fs); f.err == nil {
		f.system = int64(fs.Type) //nolint:unconvert // its width differs between processors
	}
	return judgeHome(f)
}

func judgeHome(f folder) []Check {
	switch {
	case errors.Is(f.err, fs.ErrNotExist):
		return []Check{warning("exists", "start `pukar serve`, which makes it, or set PUKAR_HOME to the one that there is", "%s is not there yet", f.path)}
	case f.err != nil:
		return []Check{problem("exists", "run this as the user that the server runs as, or as root", "%v", f.err)}
	case !f.isDir:
		return []Check{problem("exists", "set PUKAR_HOME to a folder", "%s is not a folder", f.path)}
	}
	checks := []Check{ok("exists", "%s", f.path)}
	switch {
	case f.mode&0o022 != 0:
		checks = append(checks, problem("mode", fmt.Sprintf("chmod go-w %s", f.path), "others may write into it (mode %04o), and put a key or a configuration there", f.mode))
	case f.owner != f.us && f.us != 0:
		checks = append(checks, warning("mode", "run this as "+userName(f.owner)+", or as root, to see everything", "it belongs to %s", userName(f.owner)))
	default:
		checks = append(checks, ok("mode", "mode %04o, owned by %s", f.mode, userName(f.owner)))
	}
	return append(checks, judgeFileSystem(f.system))
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(id)
}

// The file systems on which a home is not safe, by the number that statfs gives (linux/magic.h, and the systems' own headers).
var (
	temporary = map[int64]string{unix.TMPFS_MAGIC: "tmpfs", unix.RAMFS_MAGIC: "ramfs"}
	network   = map[int64]string{
		unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "CIFS",
		unix.AFS_SUPER_MAGIC: "AFS", unix.V9FS_MAGIC: "9p", unix.CEPH_SUPER_MAGIC: "Ceph", unix.CODA_SUPER_MAGIC: "Coda",
	}
)

func judgeFileSystem(system int64) Check {
	system &= 0xFFFFFFFF // some processors give it with a sign
	switch {
	case temporary[system] != "":
		return problem("file_system", "set PUKAR_HOME to a folder on a disk", "it lies on %s, whose content goes with the machine: the key and the mark of the database with it", temporary[system])
	case network[system] != "":
		return problem("file_system", "set PUKAR_HOME to a folder on a local disk", "it lies on %s: locks and what was written last cannot be relied on there", network[system])
	case system == unix.OVERLAYFS_SUPER_MAGIC:
		return warning("file_system", "mount a volume at PUKAR_HOME", "it lies in a container's own layer, which goes with the container")
	}
	return ok("file_system", "on a local disk")
}
