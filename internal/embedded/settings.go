package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxSharedBuffers  = 2 << 30
	testSharedBuffers = 256 << 20
	minSharedMemory   = 512 << 20
)

func (p *postgres) settingsFile() string { return filepath.Join(p.folder, "postgresql.conf") }

// writeSettings writes the server's settings anew, so that a newer program's choices reach an old cluster. What the
// administrator wants otherwise goes to local.conf beside it, which is read last and never touched.
func (p *postgres) writeSettings(ctx context.Context) error {
	var b bytes.Buffer
	b.WriteString("# Written at every start. Your own settings belong in local.conf beside this file, which is read last.\n")
	for _, s := range p.settings(ctx) {
		fmt.Fprintf(&b, "%s = '%s'\n", s[0], strings.ReplaceAll(s[1], "'", "''"))
	}
	b.WriteString("include_if_exists 'local.conf'\n")
	if err := p.keepLocalSettings(); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	// Made anew and moved into place: the folder belongs to the servers' account, and root must not follow a link there.
	file, err := os.CreateTemp(p.folder, "postgresql.conf.*")
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	_, err = file.Write(b.Bytes())
	if err == nil && p.who.drop {
		err = file.Chown(p.who.uid, p.who.gid)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), p.settingsFile())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write settings: %w", err), os.Remove(file.Name()))
	}
	return nil
}

// keepLocalSettings makes an empty local.conf where there is none; a missing one would be told in the log at each start.
func (p *postgres) keepLocalSettings() error {
	file, err := os.OpenFile(filepath.Join(p.folder, "local.conf"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.who.drop {
		err = file.Chown(p.who.uid, p.who.gid)
	}
	return errors.Join(err, file.Close())
}

// settings lists name and value of what differs from PostgreSQL's defaults.
func (p *postgres) settings(ctx context.Context) [][2]string {
	memory := memoryBytes()
	buffers, connections, wal := min(memory/4, maxSharedBuffers), 100, "8GB"
	if !p.durable {
		buffers, connections, wal = min(memory/16, testSharedBuffers), 400, "2GB"
	}
	settings := [][2]string{
		{"listen_addresses", ""},
		{"port", postgresPort},
		{"unix_socket_directories", p.sockets},
		{"unix_socket_permissions", "0700"},
		{"max_connections", strconv.Itoa(connections)},
		{"shared_buffers", kilobytes(max(buffers, 16<<20))},
		{"effective_cache_size", kilobytes(max(memory/2, 64<<20))},
		{"work_mem", kilobytes(min(max(memory/128, 4<<20), 64<<20))},
		{"maintenance_work_mem", kilobytes(min(max(memory/16, 32<<20), 512<<20))},
		{"max_wal_size", wal},
		{"checkpoint_timeout", "15min"},
		// The statements are many and small: compiling them costs more than it gains.
		{"jit", "off"},
		// A run's day partitions, all of them in one transaction, need more than the default 64.
		{"max_locks_per_transaction", "256"},
		{"random_page_cost", "1.1"},
		{"timezone", "UTC"},
		{"log_timezone", "UTC"},
		{"log_line_prefix", "%m [%p] "},
		// DETAIL and CONTEXT lines quote rows, and with them phone numbers.
		{"log_error_verbosity", "terse"},
		{"log_parameter_max_length", "0"},
		{"dynamic_shared_memory_type", sharedMemoryType()},
	}
	for name, fallback := range map[string]string{"wal_compression": "on", "default_toast_compression": "pglz"} {
		value := fallback
		if p.accepts(ctx, name, "lz4") {
			value = "lz4"
		}
		settings = append(settings, [2]string{name, value})
	}
	return settings
}

// accepts asks the server program whether it was built to know the value of the setting.
func (p *postgres) accepts(ctx context.Context, name, value string) bool {
	return p.command(ctx, "postgres", "-D", p.data(), "-C", name, "-c", name+"="+value).Run() == nil
}

func kilobytes(bytes int64) string { return strconv.FormatInt(bytes>>10, 10) + "kB" }

// sharedMemoryType avoids /dev/shm where it is as small as containers make it (64 MB): a parallel query would end with
// "could not resize shared memory segment".
func sharedMemoryType() string {
	var shm unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &shm); err != nil || int64(shm.Blocks)*shm.Bsize < minSharedMemory {
		return "sysv"
	}
	return "posix"
}

// memoryBytes is the memory that this process may use: the machine's, or the control group's limit where it is lower.
func memoryBytes() int64 {
	const fallback = 1 << 30
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return fallback
	}
	total := int64(info.Totalram) * int64(info.Unit)
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		said, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(said)), 10, 64); err == nil && limit > 0 {
			total = min(total, limit)
		}
	}
	return total
}
