package notice

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// ear is a listener that runs.
type ear struct {
	heard chan Notice
	deaf  chan bool
	stop  func()
}

func listen(t *testing.T, db *pgxpool.Pool) *ear {
	t.Helper()
	e := &ear{heard: make(chan Notice, 100), deaf: make(chan bool, 100)}
	l := &Listener{Pool: db, Log: testenv.Logger(t), Hear: func(n Notice) { e.heard <- n }, Deaf: func(deaf bool) { e.deaf <- deaf }}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	e.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(e.stop)
	e.becomes(t, false)
	return e
}

// becomes waits until the listener says so.
func (e *ear) becomes(t *testing.T, deaf bool) {
	t.Helper()
	for {
		select {
		case now := <-e.deaf:
			if now == deaf {
				return
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the listener does not become deaf: %v", deaf)
		}
	}
}

func (e *ear) next(t *testing.T) Notice {
	t.Helper()
	select {
	case n := <-e.heard:
		return n
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is heard")
	}
	return Notice{}
}

func TestEveryListenerHearsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testenv.DB(t)
	ears := []*ear{listen(t, db), listen(t, db)}
	undone := errors.New("undone")
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return errors.Join(Send(ctx, tx, Notice{Run: 1}), undone) })
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	many := Notice{}
	for key := range int64(1000) {
		many.Stops = append(many.Stops, Stop{Key: key << 40})
	}
	sent := []Notice{{Run: 2}, {Stops: []Stop{{Key: -5, Purpose: "शिविर"}, {Key: 6}}}, {Everything: true}}
	for _, n := range append(sent, many) {
		if err := Send(ctx, db, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range ears {
		for _, want := range append(sent, Notice{Everything: true}) { // too many stops for one notice
			if diff := cmp.Diff(want, e.next(t)); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		}
	}
}

const sqlCutListener = `
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN %' OR query = '-- ping' AND datname = current_database()`

func TestAListenerThatWasCutOffSaysSoAndHearsAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testenv.DB(t)
	e := listen(t, db)
	if _, err := db.Exec(ctx, sqlCutListener); err != nil {
		t.Fatal(err)
	}
	e.becomes(t, true)
	e.becomes(t, false)
	if err := Send(ctx, db, Notice{Run: 3}); err != nil {
		t.Fatal(err)
	}
	if n := e.next(t); n.Run != 3 {
		t.Errorf("heard %+v", n)
	}
}

func TestWhatCannotBeReadHaltsEverything(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := testenv.DB(t)
	e := listen(t, db)
	if _, err := db.Exec(ctx, sqlNotify, channel, "from another version"); err != nil {
		t.Fatal(err)
	}
	if n := e.next(t); !n.Everything {
		t.Errorf("heard %+v", n)
	}
}
