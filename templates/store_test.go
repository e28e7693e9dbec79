package templates

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/internal/testenv"
)

func TestStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := NewStore(testenv.DB(t))
	changed := strings.Replace(intro, "Dear", "Hello", 1)
	for _, step := range []struct {
		source string
		want   int
	}{{intro, 1}, {intro, 1}, {changed, 2}, {changed, 2}, {intro, 3}} {
		name, version, err := store.Add(ctx, []byte(step.source), "asha")
		if err != nil {
			t.Fatal(err)
		}
		if name != "onorc-intro" || version != step.want {
			t.Fatalf("Add() = %s, %d, want version %d", name, version, step.want)
		}
	}
	newest, err := store.Get(ctx, "onorc-intro")
	if err != nil {
		t.Fatal(err)
	}
	if newest.Version != 3 || newest.Source != intro || newest.Actor != "asha" || newest.CreatedAt.IsZero() || newest.Template.Header != "HELPLN" {
		t.Errorf("Get() = %+v", newest)
	}
	second, err := store.GetVersion(ctx, "onorc-intro", 2)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(second.Template.Languages["en"].Text, "Hello") {
		t.Errorf("GetVersion() = %+v", second)
	}
	if _, err := store.Get(ctx, "other"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get of an unknown name: %v", err)
	}
	if _, err := store.GetVersion(ctx, "onorc-intro", 4); !errors.Is(err, ErrNotFound) {
		t.Errorf("GetVersion of an unknown version: %v", err)
	}
	if _, _, err := store.Add(ctx, []byte("name: x"), "asha"); !errors.Is(err, ErrInvalid) {
		t.Errorf("Add of a bad source: %v", err)
	}
}

func TestStoreList(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := NewStore(testenv.DB(t))
	for _, name := range []string{"b", "a", "c"} {
		for _, greeting := range []string{"Dear", "Hello"} {
			source := strings.NewReplacer("onorc-intro", name, "Dear", greeting).Replace(intro)
			if _, _, err := store.Add(ctx, []byte(source), "asha"); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := store.List(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range list {
		got = append(got, fmt.Sprintf("%s %d", v.Name, v.Version))
	}
	if diff := cmp.Diff([]string{"b 2", "c 2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// People who add at the same moment get versions one after the other, and none fails.
func TestStoreAddTogether(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store := NewStore(testenv.DB(t))
	const people = 8
	versions := make([]int, people)
	errs := make([]error, people)
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			source := strings.Replace(intro, "Dear", fmt.Sprintf("Dear %d", i), 1)
			_, versions[i], errs[i] = store.Add(ctx, []byte(source), "asha")
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, v := range versions {
		if v < 1 || v > people || seen[v] {
			t.Fatalf("versions %v", versions)
		}
		seen[v] = true
	}
}

// The store works within a caller's transaction and leaves with it.
func TestStoreInTransaction(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	pool := testenv.DB(t)
	stop := errors.New("stop")
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, _, err := NewStore(tx).Add(ctx, []byte(intro), "asha"); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := NewStore(pool).Get(ctx, "onorc-intro"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get after the rollback: %v", err)
	}
}

func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := testenv.DB(t).Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for i, sql := range statements {
		if _, err := conn.Conn().Prepare(ctx, fmt.Sprintf("s%d", i), sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
