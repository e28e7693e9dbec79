package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// HeldError says that another process works on the home.
type HeldError struct {
	// Home is the folder.
	Home string
	// PID is the process that holds it; 0 where the lock file did not say.
	PID int
}

// Error names the holder and what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("home %s is in use by process %d: stop that one first, or set PUKAR_HOME to another folder", e.Home, e.PID)
}

// hold is the advisory lock on a home. The kernel lets go of it when the process ends in whatever way, so that there
// is no stale lock to clean up.
type hold struct{ file *os.File }

// takeHold locks the home for this process or returns a *HeldError. Children do not inherit the descriptor (Go opens
// files close-on-exec), hence an orphaned server never holds the home.
func takeHold(home string) (*hold, error) {
	file, err := os.OpenFile(filepath.Join(home, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock home: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock home %s: %w", home, err)
		}
		said, _ := io.ReadAll(io.LimitReader(file, 32))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(said)))
		return nil, &HeldError{Home: home, PID: pid}
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock home %s: %w", home, err), file.Close())
	}
	return &hold{file: file}, nil
}

// release gives the home free. The file stays: removing it would let two processes lock two files of one name. Closing
// alone would leave the lock with a child that is between its fork and its exec at this moment.
func (h *hold) release() error {
	return errors.Join(unix.Flock(int(h.file.Fd()), unix.LOCK_UN), h.file.Close())
}
