package testenv_test

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pukar/internal/testenv"
)

func TestMain(m *testing.M) {
	if err := os.Setenv("PUKAR_HOME", "/a/home/of/the/developer's"); err != nil {
		panic(err)
	}
	testenv.Main(m)
}

func TestTheDevelopersOwnHomeIsForgotten(t *testing.T) {
	t.Parallel()
	if home := os.Getenv("PUKAR_HOME"); home != "" {
		t.Errorf("tests would work in %s", home)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			pool := testenv.DB(t)
			if _, err := pool.Exec(t.Context(), "CREATE TABLE mine (n int)"); err != nil {
				t.Fatal(err)
			}
			var name, again string
			if err := pool.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
				t.Fatal(err)
			}
			if err := testenv.DB(t).QueryRow(t.Context(), "SELECT current_database()").Scan(&again); err != nil {
				t.Fatal(err)
			}
			if name != again {
				t.Errorf("the same test got %s and %s", name, again)
			}
		})
	}
}

func TestDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	var contacts int
	if err := testenv.DB(t).QueryRow(t.Context(), "SELECT count(*) FROM contact").Scan(&contacts); err != nil {
		t.Fatal(err)
	}
	if contacts != 0 {
		t.Errorf("a fresh database has %d contacts", contacts)
	}
}

func TestRedisDatabasesAreApart(t *testing.T) {
	t.Parallel()
	var taken sync.Map
	for i := range 4 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			address := testenv.RedisURL(t)
			if before, loaded := taken.LoadOrStore(address, i); loaded {
				t.Logf("test %v gave %s back before", before, address)
			}
			client := testenv.Redis(t)
			keys, err := client.DBSize(t.Context()).Result()
			if err != nil || keys != 0 {
				t.Fatalf("%d keys, %v, want an empty database", keys, err)
			}
			if fresh, err := client.SetNX(t.Context(), "mine", i, 0).Result(); err != nil || !fresh {
				t.Fatalf("the key was there before: %v", err)
			}
		})
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	testenv.Eventually(t, time.Minute, "third time", func() bool { return asked.Add(1) == 3 })
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestServersStartAndLeaveNothing(t *testing.T) {
	t.Parallel()
	s, err := testenv.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.DatabaseURL == "" || s.RedisURL == "" {
		t.Errorf("addresses %q and %q", s.DatabaseURL, s.RedisURL)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
