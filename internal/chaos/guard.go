package chaos

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pukar/internal/embedded"
)

// guard waits for the end of its standard input, which is the end of the harness in whatever way, and then ends what
// outlived it: servers, mount and folder.
func guard(folder string) int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, home := range []string{"redis", "pg"} {
		if err := embedded.StopOrphans(ctx, filepath.Join(folder, home)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue // what it holds is left to be seen
		}
	}
	_ = unix.Unmount(filepath.Join(folder, "pg"), unix.MNT_DETACH)
	if os.RemoveAll(folder) != nil {
		return 1
	}
	return 0
}

// post starts a guard for the folder. Closing what it answers, or dying, lets the guard act.
func post(folder string) (end func() error, err error) {
	cmd := exec.CommandContext(context.Background(), os.Args[0]) //nolint:gosec // it is this program
	cmd.Env = append(withoutOurs(), envGuard+"="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error { return errors.Join(leash.Close(), cmd.Wait()) }, nil
}
