package mark

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// home is a PUKAR_HOME; found is what its keepers noticed.
type home struct {
	t     *testing.T
	pool  *pgxpool.Pool
	path  string
	found []string
}

func newTestHome(t *testing.T, pool *pgxpool.Pool) *home {
	return &home{t: t, pool: pool, path: filepath.Join(t.TempDir(), FileName)}
}

// start is a process that starts; want is what it is to find.
func (h *home) start(want string) *Keeper {
	h.t.Helper()
	h.found = nil
	k := &Keeper{Pool: h.pool, Path: h.path, Log: testenv.Logger(h.t), Restored: func(_ context.Context, found string) error {
		h.found = append(h.found, found)
		return nil
	}}
	if err := k.Check(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	said := strings.Join(h.found, "; ")
	if (said == "") != (want == "") || !strings.Contains(said, want) {
		h.t.Errorf("found %q, want %q", said, want)
	}
	return k
}

func (h *home) mark() Mark {
	h.t.Helper()
	m, err := load(h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// change rewrites the file, as if the home had seen another database.
func (h *home) change(how func(*Mark)) {
	h.t.Helper()
	m := h.mark()
	how(&m)
	if err := m.save(h.path); err != nil {
		h.t.Fatal(err)
	}
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	h := newTestHome(t, pool)
	h.start("")
	first := h.mark()
	h.start("")
	if again := h.mark(); again.Home != first.Home || again.Count != first.Count+1 || again.LSN <= first.LSN || again.System != first.System {
		t.Errorf("the mark went from %+v to %+v", first, again)
	}
	var origin string
	if err := pool.QueryRow(t.Context(), "SELECT "+OriginSQL).Scan(&origin); err != nil || origin != first.Origin() {
		t.Errorf("the database's origin is %q, %v; the mark's %q", origin, err, first.Origin())
	}
	newTestHome(t, pool).start("") // beside it, with a mark of its own
	h.start("")

	for _, test := range []struct {
		want  string
		older func()
	}{
		{"write-ahead log ends at", func() { h.change(func(m *Mark) { m.LSN += 1 << 40 }) }},
		{"timeline is 1, not 2", func() { h.change(func(m *Mark) { m.Timeline = 2 }) }},
		{"another cluster", func() { h.change(func(m *Mark) { m.System = "42" }) }},
		{"is not in it", func() { exec(t, pool, `UPDATE home_mark SET no = no - 1`) }},
		{"is not in it", func() { exec(t, pool, `DELETE FROM home_mark`) }},
		{"cannot be read", func() {
			if err := os.WriteFile(h.path, []byte("restored\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		test.older()
		h.start(test.want)
		h.start("") // once is enough: what follows is kept in the database
	}
}

// Where nobody could be told, the next start finds it again.
func TestCheckIsNotDoneBeforeItWasTold(t *testing.T) {
	t.Parallel()
	h := newTestHome(t, testenv.DB(t))
	h.start("")
	exec(t, h.pool, `DELETE FROM home_mark`)
	away := errors.New("away")
	k := &Keeper{Pool: h.pool, Path: h.path, Log: testenv.Logger(t), Restored: func(context.Context, string) error { return away }}
	if err := k.Check(t.Context()); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	h.start("is not in it")
}

func TestRoundKeepsTheMarkWhileAnythingIsWritten(t *testing.T) {
	t.Parallel()
	h := newTestHome(t, testenv.DB(t))
	k := h.start("")
	// Transactions are numbered for the whole server, to which other tests write: a quiet round may take several.
	testenv.Eventually(t, 30*time.Second, "a round in which nothing was written to keep nothing", func() bool {
		before := h.mark()
		if err := k.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h.mark() == before
	})
	before := h.mark()
	exec(t, h.pool, `INSERT INTO place_state (code, abbreviation, name_en) VALUES (99, 'XX', 'nowhere')`)
	if err := k.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := h.mark(); after.LSN <= before.LSN || after.Count != before.Count+1 {
		t.Errorf("the mark went from %+v to %+v", before, after)
	}
}

func TestRunEndsWhenTheDataBecomesOlder(t *testing.T) {
	t.Parallel()
	h := newTestHome(t, testenv.DB(t))
	k := h.start("")
	exec(t, h.pool, `DELETE FROM home_mark`)
	if err := k.Run(t.Context()); !errors.Is(err, ErrRestored) || len(h.found) != 1 {
		t.Errorf("got %v, found %q", err, h.found)
	}
	h.start("")
}

func TestRunKeepsALastMark(t *testing.T) {
	t.Parallel()
	h := newTestHome(t, testenv.DB(t))
	k := h.start("")
	before := h.mark()
	exec(t, h.pool, `INSERT INTO place_state (code, abbreviation, name_en) VALUES (99, 'XX', 'nowhere')`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if after := h.mark(); after.LSN <= before.LSN {
		t.Errorf("the mark stayed at %s", after.LSN)
	}
}
