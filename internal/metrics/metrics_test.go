package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"pukar/internal/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func routes() []metrics.Route {
	return []metrics.Route{{Name: "main", Receipts: true, Binds: []string{"main-1", "main-2"}}, {Name: "quiet", Binds: []string{"quiet-1"}}}
}

// compare looks at what a scrape of the named metrics gives.
func compare(t *testing.T, r prometheus.Gatherer, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestPartsAreCountedOnceForAStride(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.Build{}, routes())
	for range 2 {
		tally := m.Tally()
		for range 3 {
			tally.Add("accepted", 30*time.Millisecond)
		}
		tally.Add("accepted", 25*time.Millisecond) // the bounds belong to their buckets
		tally.Add("unknown", 0)
		tally.Add("throttled", 2*time.Minute)
		m.Count("main-2", &tally)
		m.Count("of no route", &tally)
	}
	got, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range got {
		for _, sample := range family.GetMetric() {
			key := family.GetName()
			for _, label := range sample.GetLabel() {
				key += " " + label.GetValue()
			}
			if h := sample.GetHistogram(); h != nil {
				counts[key] = float64(h.GetSampleCount())
				for _, bucket := range h.GetBucket() {
					if bucket.GetUpperBound() == 0.025 || bucket.GetUpperBound() == 0.05 || bucket.GetUpperBound() == 60 {
						counts[key+" le "+time.Duration(bucket.GetUpperBound()*1e9).String()] = float64(bucket.GetCumulativeCount())
					}
				}
				continue
			}
			counts[key] = sample.GetCounter().GetValue()
		}
	}
	for key, want := range map[string]float64{
		"pukar_parts_total main-2 accepted main": 8, "pukar_parts_total main-2 unknown main": 2, "pukar_parts_total main-2 throttled main": 2,
		"pukar_parts_total main-1 accepted main": 0, "pukar_submit_seconds main": 10,
		"pukar_submit_seconds main le 25ms": 2, "pukar_submit_seconds main le 50ms": 8, "pukar_submit_seconds main le 1m0s": 8,
	} {
		if counts[key] != want {
			t.Errorf("%s is %v, want %v", key, counts[key], want)
		}
	}
}

func TestReceiptsAreCountedByRoute(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.Build{}, routes())
	var group metrics.Receipts
	for range 3 {
		group.Add(m, "main-1", "delivered", 4*time.Second)
	}
	group.Add(m, "main-2", "failed", 0)
	group.Add(m, "main-2", "", time.Second)
	group.Add(m, "quiet-1", "delivered", 0)
	m.CountReceipts(&group)
	compare(t, r, `
# HELP pukar_receipts_total Receipts that were stored, by route and state.
# TYPE pukar_receipts_total counter
pukar_receipts_total{route="main",state="delivered"} 3
pukar_receipts_total{route="main",state="expired"} 0
pukar_receipts_total{route="main",state="failed"} 1
pukar_receipts_total{route="main",state="intermediate"} 1
`, "pukar_receipts_total")
	compare(t, r, `
# HELP pukar_receipt_delay_seconds Time from the acceptance of a part to its final receipt, by route, for parts that this process remembers.
# TYPE pukar_receipt_delay_seconds histogram
pukar_receipt_delay_seconds_bucket{route="main",le="0.5"} 0
pukar_receipt_delay_seconds_bucket{route="main",le="1"} 0
pukar_receipt_delay_seconds_bucket{route="main",le="2"} 0
pukar_receipt_delay_seconds_bucket{route="main",le="5"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="10"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="30"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="60"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="300"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="900"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="3600"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="21600"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="86400"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="259200"} 3
pukar_receipt_delay_seconds_bucket{route="main",le="+Inf"} 3
pukar_receipt_delay_seconds_sum{route="main"} 12
pukar_receipt_delay_seconds_count{route="main"} 3
`, "pukar_receipt_delay_seconds")
}

func TestBindsAreInOneStateAtATime(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.Build{}, routes())
	m.Binds(func() []metrics.Bind {
		return []metrics.Bind{{Route: "main", Name: "main-1", State: "refused", InUse: 3, Window: 10, Throttled: true}}
	})
	compare(t, r, `
# HELP pukar_bind_state 1 for the state that a bind is in, 0 for the others.
# TYPE pukar_bind_state gauge
pukar_bind_state{bind="main-1",route="main",state="bound"} 0
pukar_bind_state{bind="main-1",route="main",state="closed"} 0
pukar_bind_state{bind="main-1",route="main",state="connecting"} 0
pukar_bind_state{bind="main-1",route="main",state="refused"} 1
pukar_bind_state{bind="main-1",route="main",state="waiting"} 0
# HELP pukar_bind_throttled 1 while a bind is held back because its centre said that it is too fast.
# TYPE pukar_bind_throttled gauge
pukar_bind_throttled{bind="main-1",route="main"} 1
# HELP pukar_window_in_use Submits of a bind that await their response.
# TYPE pukar_window_in_use gauge
pukar_window_in_use{bind="main-1",route="main"} 3
`, "pukar_bind_state", "pukar_window_in_use", "pukar_bind_throttled")
}

func TestTheLedgerIsAskedOnceInFiveSeconds(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.Build{}, routes())
	asked := 0
	m.Ledger(func(ctx context.Context) (*metrics.Backlog, error) {
		asked++
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the question has no deadline")
		}
		return nil, errors.New("away")
	})
	for range 10 {
		compare(t, r, "# HELP pukar_database_up 1 while PostgreSQL answers.\n# TYPE pukar_database_up gauge\npukar_database_up 0\n", "pukar_database_up", "pukar_recipients")
	}
	if asked != 1 {
		t.Errorf("the database was asked %d times for ten scrapes at once", asked)
	}
}

func TestNilCountsNothing(t *testing.T) {
	t.Parallel()
	var m *metrics.Metrics
	tally := m.Tally()
	tally.Add("accepted", time.Second)
	m.Count("main-1", &tally)
	var group metrics.Receipts
	group.Add(m, "main-1", "delivered", time.Second)
	m.CountReceipts(&group)
	m.Opened("main")
	m.Recorded("main")
	m.Waited("main", time.Second)
	m.Stopped("person")
	m.Leads(metrics.LeaderSweeper, true)
	m.Answered("GET /", time.Second)
}

func TestAScrapeGivesEveryMetric(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	m := metrics.New(r, metrics.Build{Version: "1.2", Revision: "abc"}, routes())
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	m.Pool(pool.Stat)
	m.Hints(func(context.Context) (map[string]int, error) { return map[string]int{"bulk": 7}, nil })
	m.Disks(map[string]string{"home": t.TempDir(), "database": "/nowhere"})
	m.Ledger(func(context.Context) (*metrics.Backlog, error) {
		return &metrics.Backlog{Recipients: map[string]int64{"pending": 5}, Orphans: 2}, nil
	})
	m.Opened("main")
	m.Leads(metrics.LeaderSweeper, true)
	m.Answered("GET /v1/routes", time.Second)
	answer := httptest.NewRecorder()
	metrics.Handler(r, slog.New(slog.DiscardHandler)).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`pukar_build_info{go_version="go`, `revision="abc",version="1.2"} 1`, "go_goroutines ", "process_cpu_seconds_total ",
		`pukar_queue_hints{lane="bulk"} 7`, "pukar_redis_up 1", `pukar_recipients{state="pending"} 5`, `pukar_parked_receipts{state="orphan"} 2`,
		`pukar_strides_open{route="main"} 1`, `pukar_leader{role="sweeper"} 1`, `pukar_http_request_seconds_count{endpoint="GET /v1/routes"} 1`,
		"pukar_database_pool_limit ", `pukar_disk_free_bytes{folder="home"} `,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("a scrape has no %q", want)
		}
	}
	if strings.Contains(string(text), `folder="database"`) {
		t.Error("a folder that is not there has room")
	}
}

// A part costs its share of a stride of 250: under 50 ns, or the metrics slow the sending down.
func BenchmarkPart(b *testing.B) {
	m := metrics.New(prometheus.NewRegistry(), metrics.Build{}, routes())
	const stride = 250
	for b.Loop() {
		tally := m.Tally()
		for i := range stride {
			tally.Add("accepted", time.Duration(i)*time.Millisecond)
		}
		m.Count("main-1", &tally)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/stride, "ns/part")
}

func BenchmarkReceipt(b *testing.B) {
	m := metrics.New(prometheus.NewRegistry(), metrics.Build{}, routes())
	const group = 250
	for b.Loop() {
		var receipts metrics.Receipts
		for i := range group {
			receipts.Add(m, "main-1", "delivered", time.Duration(i)*time.Second)
		}
		m.CountReceipts(&receipts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/group, "ns/receipt")
}
