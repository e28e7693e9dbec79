package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/internal/testenv"
	"pukar/smpp/smsc"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { testenv.Main(m) }

// golden compares with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update writes it anew:\n%s", path, diff)
	}
}

// result is what a command line did.
type result struct {
	code        int
	out, errOut string
}

func pukar(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// installation is a server of `pukar serve` with a message centre of its own.
type installation struct {
	database string // its URL
	t        *testing.T
	home     string
	stop     func() int
	centre   *smsc.Centre
	record   *safeBuffer // what the centre got, as CSV
	log      *safeBuffer // of the server
}

const serveConfig = `home: %q
database_url: %q
redis_url: %q
routes:
  - name: main
    binds:
      - {addr: %q, system_id: foo, password: bar, type: transceiver, window: 100}
    parts_per_second: %g
    inr_per_part: "0.1450"
    simulated: true
    header: HELPLN
test_numbers: ["919800000001"]
inbound: [{number: "919811100000"}]
`

func install(t *testing.T, partsPerSecond float64) *installation {
	t.Helper()
	return installWith(t, partsPerSecond, "")
}

// installWith adds lines to the configuration.
func installWith(t *testing.T, partsPerSecond float64, more string) *installation {
	t.Helper()
	record := &safeBuffer{}
	centre := smsc.New(smsc.Options{Credentials: map[string]string{"foo": "bar"}, ReceiptDelay: 10 * time.Millisecond, Record: record}, testenv.Logger(t))
	if err := centre.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = centre.Close() })
	i := &installation{t: t, home: t.TempDir(), centre: centre, record: record, database: testenv.DatabaseURL(t)}
	path := filepath.Join(i.home, "pukar.yaml")
	text := fmt.Sprintf(serveConfig, i.home, i.database, testenv.RedisURL(t), centre.Addr(), partsPerSecond) + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	out := &safeBuffer{}
	log := &safeBuffer{}
	i.log = log
	ended := make(chan int, 1)
	server := &shell{stdin: strings.NewReader(""), stdout: out, stderr: log, volatile: true} // as the tests' database is
	go func() { ended <- server.run(ctx, []string{"serve", "--config", path}) }()
	i.stop = sync.OnceValue(func() int {
		cancel()
		select {
		case code := <-ended:
			return code
		case <-time.After(30 * time.Second):
			t.Error("the server does not stop")
			return -1
		}
	})
	t.Cleanup(func() {
		if code := i.stop(); code != exitOK {
			t.Errorf("serve ended with %d:\n%s", code, log)
		}
	})
	testenv.Eventually(t, 60*time.Second, "the server to serve", func() bool { return strings.Contains(out.String(), "serves at") })
	return i
}

// exec changes the database behind the program's back.
func (i *installation) exec(sql string) {
	i.t.Helper()
	conn, err := pgx.Connect(i.t.Context(), i.database)
	if err != nil {
		i.t.Fatal(err)
	}
	_, err = conn.Exec(i.t.Context(), sql)
	if err := errors.Join(err, conn.Close(i.t.Context())); err != nil {
		i.t.Fatal(err)
	}
}

// ok runs a command that must succeed and gives its output.
func (i *installation) ok(args ...string) string {
	i.t.Helper()
	r := i.run(args...)
	if r.code != exitOK {
		i.t.Fatalf("pukar %s: exit %d: %s%s", strings.Join(args, " "), r.code, r.out, r.errOut)
	}
	return r.out
}

// run runs a command with flags after its arguments, as people type them.
func (i *installation) run(args ...string) result {
	i.t.Helper()
	return pukar(i.t, "", append(args, "--pukar-home", i.home)...)
}

// safeBuffer may be written and read at once.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
