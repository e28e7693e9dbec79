package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrSocketBusy says that another server answers on the socket.
var ErrSocketBusy = errors.New("another pukar server answers there")

// Group is the name of the operating system's group whose members may call the server beside its own user and root.
const Group = "pukar"

// probeTimeout bounds the connection attempt that tells a stale socket from a live one.
const probeTimeout = 2 * time.Second

// Socket is a bound unix socket. Closing it removes the file, unless another server has replaced it meanwhile.
type Socket struct {
	net.Listener
	path string
	dir  *os.File // open on the folder: addresses of more than 107 bytes go through it
	lock *os.File
	info os.FileInfo
}

// Listen binds the unix socket at path, whatever the length of the path.
//
// The folder is made with mode 0700 when it is missing. A socket file that nobody answers on is removed; one that
// answers gives ErrSocketBusy. The socket is only ever open to this process' user and, where the group "pukar"
// exists and the process may give files to it, to that group.
func Listen(path string) (*Socket, error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the socket: %w", err)
	}
	s := &Socket{path: path}
	done := false
	defer func() {
		if !done {
			s.release()
		}
	}()
	var err error
	if s.dir, err = os.Open(folder); err != nil {
		return nil, fmt.Errorf("folder of the socket: %w", err)
	}
	if err = s.takeLock(); err != nil {
		return nil, err
	}
	if err = s.removeStale(); err != nil {
		return nil, err
	}
	if err = s.bind(); err != nil {
		return nil, err
	}
	done = true
	return s, nil
}

// takeLock holds PATH.lock for as long as the socket is open, so that of two servers that start at once only one can
// judge the file that it finds.
func (s *Socket) takeLock() error {
	lock, err := os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock of the socket: %w", err)
	}
	s.lock = lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("socket %s: %w", s.path, ErrSocketBusy)
	}
	return nil
}

// removeStale unlinks what an earlier server left at the path, after trying whether somebody answers.
func (s *Socket) removeStale() error {
	info, err := os.Lstat(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("socket %s: %w", s.path, err)
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("%s is not a socket: move it away or choose another socket", s.path)
	}
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(context.Background(), "unix", s.through(filepath.Base(s.path)))
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("socket %s: %w", s.path, ErrSocketBusy)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("probe socket %s: %w", s.path, err)
	}
	if err := os.Remove(s.path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}

// bind opens the socket inside a folder that only this user can enter, sets its mode and moves it to its place. Setting
// the umask instead would touch files that other goroutines make at the same moment.
func (s *Socket) bind() error {
	private, err := os.MkdirTemp(filepath.Dir(s.path), ".s")
	if err != nil {
		return fmt.Errorf("folder of the socket: %w", err)
	}
	defer func() { _ = os.RemoveAll(private) }()
	inner := filepath.Join(filepath.Base(private), "s")
	listener, err := net.Listen("unix", s.through(inner)) //nolint:noctx // binding a unix socket does not wait
	if err != nil {
		return fmt.Errorf("bind socket %s: %w", s.path, err)
	}
	s.Listener = listener
	if unixListener, ok := listener.(*net.UnixListener); ok {
		unixListener.SetUnlinkOnClose(false) // the file moves, and Close removes it there
	}
	at := filepath.Join(private, "s")
	mode := os.FileMode(0o600)
	if gid, ok := groupID(); ok && os.Chown(at, -1, gid) == nil {
		mode = 0o660
	}
	if err := os.Chmod(at, mode); err != nil {
		return fmt.Errorf("mode of the socket: %w", err)
	}
	if err := os.Rename(at, s.path); err != nil {
		return fmt.Errorf("place the socket: %w", err)
	}
	if s.info, err = os.Lstat(s.path); err != nil {
		return fmt.Errorf("socket %s: %w", s.path, err)
	}
	return nil
}

// through names a file of the socket's folder by the open folder, which keeps the address below the kernel's 107 bytes.
func (s *Socket) through(name string) string {
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(s.dir.Fd())), name)
}

// Addr is where the socket lies.
func (s *Socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

// Close stops listening, removes the file if it is still this socket's, and lets another server have the path.
func (s *Socket) Close() error {
	err := s.Listener.Close()
	if info, statErr := os.Lstat(s.path); statErr == nil && s.info != nil && os.SameFile(info, s.info) {
		err = errors.Join(err, os.Remove(s.path))
	}
	s.release()
	return err
}

func (s *Socket) release() {
	if s.dir != nil {
		_ = s.dir.Close()
	}
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// groupID finds the group "pukar", which need not exist.
func groupID() (int, bool) {
	group, err := user.LookupGroup(Group)
	if err != nil {
		return 0, false
	}
	gid, err := strconv.Atoi(group.Gid)
	return gid, err == nil
}
