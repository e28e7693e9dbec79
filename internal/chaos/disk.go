package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// disk is what PostgreSQL's data lies on. Where we may mount, it is a file system in memory, whose size can be changed
// while it is in use: then a full disk is a real one (ENOSPC). Elsewhere PostgreSQL's processes are forbidden to let any file
// grow beyond a megabyte (RLIMIT_FSIZE), which they meet as EFBIG.
type disk struct {
	folder  string
	mounted bool
}

const fileLimit = 1 << 20 // of a file without a mount

func newDisk(folder string) (*disk, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	d := &disk{folder: folder}
	err := unix.Mount("pukar-chaos", folder, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=75%,mode=0755")
	d.mounted = err == nil
	return d, nil
}

// how names the way in which the disk is full.
func (d *disk) how() string {
	if d.mounted {
		return "ENOSPC on a file system of its own"
	}
	return "EFBIG by RLIMIT_FSIZE: mounting is not permitted here"
}

// fill leaves no room. postmaster is the process id of PostgreSQL's head.
func (d *disk) fill(postmaster int) error {
	if !d.mounted {
		return limitFiles(postmaster, strconv.Itoa(fileLimit))
	}
	var now unix.Statfs_t
	if err := unix.Statfs(d.folder, &now); err != nil {
		return err
	}
	if err := d.resize(strconv.FormatUint((now.Blocks-now.Bfree)*uint64(now.Bsize), 10)); err != nil {
		return err
	}
	return d.takeTheRest()
}

// clear gives the room back.
func (d *disk) clear(postmaster int) error {
	if !d.mounted {
		return limitFiles(postmaster, "unlimited")
	}
	return errors.Join(d.resize("75%"), os.Remove(d.ballast()))
}

func (d *disk) ballast() string { return filepath.Join(d.folder, "ballast") }

// takeTheRest uses up what the kernel, which counts such sizes roughly, leaves beyond.
func (d *disk) takeTheRest() error {
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	page := make([]byte, os.Getpagesize())
	for err == nil {
		_, err = file.Write(page)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return err
}

func (d *disk) resize(size string) error {
	if err := unix.Mount("pukar-chaos", d.folder, "tmpfs", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, "size="+size); err != nil {
		return fmt.Errorf("resize %s to %s: %w", d.folder, size, err)
	}
	return nil
}

// limitFiles bounds the files of a process and its children. It is done by the account that they run as: root without
// CAP_SYS_RESOURCE may not.
func limitFiles(head int, size string) error {
	pids, err := family(head)
	if err != nil {
		return err
	}
	var errs []error
	for _, pid := range pids {
		owner := &syscall.Stat_t{}
		if err := syscall.Stat(filepath.Join("/proc", strconv.Itoa(pid)), owner); err != nil {
			continue // it has ended
		}
		cmd := exec.Command("prlimit", "--pid", strconv.Itoa(pid), "--fsize="+size+":") //nolint:noctx // it ends at once
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
		}
		if err := said(cmd); err != nil && pid == head {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// family lists a process and its children.
func family(head int) ([]int, error) {
	pids := []int{head}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", head, head))
	if err != nil {
		return nil, err
	}
	for _, word := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func (d *disk) remove() error {
	if !d.mounted {
		return nil
	}
	d.mounted = false
	return unix.Unmount(d.folder, unix.MNT_DETACH)
}
