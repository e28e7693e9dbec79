package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the servers run as.
type account struct {
	name     string
	uid, gid int
	// drop says that this process is root and must start the servers as someone else, because PostgreSQL refuses root.
	drop bool
}

// serviceAccount is the process' own account, or for root the one that distributions make for PostgreSQL, or nobody.
func serviceAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "self", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID != nil || errGID != nil {
			return account{}, fmt.Errorf("account %s has the ids %s and %s: numbers expected", name, u.Uid, u.Gid)
		}
		return account{name: name, uid: uid, gid: gid, drop: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither an account postgres nor nobody: " +
		"run pukar as another user, or create one with \"useradd --system postgres\"")
}

// prepare makes cmd run as the account, in a process group of its own so that signals from the terminal do not reach it.
func (a account) prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.drop {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	// The environment of the caller may carry PGDATA, PGPORT and the like, which the servers would obey.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
}

// folder makes path a folder that only the account (and root) can enter.
func (a account) folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	if a.drop {
		if err := os.Chown(path, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(path, 0o700)
}

// canEnter reports whether the account may pass through the folder.
func (a account) canEnter(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	mode := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if int(st.Uid) == a.uid {
			return mode&0o100 != 0
		}
		if int(st.Gid) == a.gid {
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}
