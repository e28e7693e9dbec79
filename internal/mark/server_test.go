package mark

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pukar/internal/embedded"
	"pukar/internal/pgdb"
	"pukar/internal/testenv"
)

// TestACrashIsNoRestoreAndAPromotionIs kills a durable server under the keeper, again and again while it is written to,
// then makes it a standby, then promotes that.
func TestACrashIsNoRestoreAndAPromotionIs(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	folder := t.TempDir()
	for _, dir := range []string{filepath.Dir(folder), folder} { // the server's account must get there
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	servers, err := embedded.Start(ctx, embedded.Options{Home: folder, Log: testenv.Logger(t), Postgres: true, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := servers.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	pool, err := pgdb.Open(ctx, servers.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := pgdb.Migrate(ctx, pool); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(folder, "servers", "postgres", "data")
	crash := func() {
		text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		pid, err := strconv.Atoi(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, time.Minute, "the server to be there again", func() bool {
			now, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
			return err == nil && !strings.HasPrefix(string(now), first+"\n") && pool.Ping(ctx) == nil
		})
	}
	h := newTestHome(t, pool)
	k := h.start("")
	const sqlWrite = `INSERT INTO place_district (code, state, name_en) SELECT $1 * 10000 + n, 1, repeat('x', 1000) FROM generate_series(1, 9999) n`
	exec(t, pool, `INSERT INTO place_state (code, abbreviation, name_en) VALUES (1, 'XX', 'nowhere')`)
	for i := range 3 {
		written := make(chan struct{})
		go func() { // cut off by the crash, as likely as not in the middle of a record
			defer close(written)
			_, _ = pool.Exec(ctx, sqlWrite, i+1)
		}()
		for range 3 {
			if err := k.keep(ctx); err != nil {
				t.Fatal(err)
			}
		}
		crash()
		<-written
		k = h.start("")
	}

	// Without primary_conninfo a standby waits for what nobody sends.
	if err := os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(data); err != nil {
		t.Fatal(err)
	} else if owner := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(data, "standby.signal"), int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	crash()
	before := h.mark()
	if err := k.Check(ctx); !errors.Is(err, ErrStandby) {
		t.Errorf("checked a standby: %v", err)
	}
	if err := k.round(ctx); !errors.Is(err, ErrStandby) {
		t.Errorf("kept a mark of a standby: %v", err)
	}
	if h.mark() != before {
		t.Error("the mark changed")
	}
	exec(t, pool, `SELECT pg_promote()`)
	h.start("timeline is 2, not 1")
	h.start("")
}
