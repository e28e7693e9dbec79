package metrics_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"pukar/internal/metrics"
)

// listed is a registerer that only looks at what is registered.
type listed struct{ names map[string]bool }

var fqName = regexp.MustCompile(`fqName: "([a-z0-9_]+)"`)

func (l *listed) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = l.Register(c)
	}
}

func (l *listed) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() { c.Describe(descs); close(descs) }()
	for d := range descs {
		if match := fqName.FindStringSubmatch(d.String()); match != nil {
			l.names[match[1]] = true
		}
	}
	return nil
}

func (l *listed) Unregister(prometheus.Collector) bool { return false }

// everything registers every metric that a process has.
func everything(r prometheus.Registerer) *metrics.Metrics {
	m := metrics.New(r, metrics.Build{Version: "test"}, []metrics.Route{{Name: "main", Receipts: true, Binds: []string{"main-1"}}})
	m.Binds(func() []metrics.Bind { return nil })
	m.Pool(func() *pgxpool.Stat { return nil })
	m.Hints(func(context.Context) (map[string]int, error) { return nil, nil })
	m.Ledger(func(context.Context) (*metrics.Backlog, error) { return &metrics.Backlog{}, nil })
	m.Disks(nil)
	return m
}

// registered are the names of the metrics of ours.
func registered(t *testing.T) []string {
	t.Helper()
	l := &listed{names: make(map[string]bool)}
	everything(l)
	var names []string
	for name := range l.names {
		if strings.HasPrefix(name, "pukar_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) < 25 {
		t.Fatalf("only %d metrics are registered", len(names))
	}
	return names
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOperationsHasALineForEveryMetricAndNoOther(t *testing.T) {
	t.Parallel()
	var documented []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(pukar_[a-z_]+)(?:\\{[a-z_, ]+\\})?` \\|").FindAllStringSubmatch(read(t, "docs", "operations.md"), -1) {
		documented = append(documented, match[1])
	}
	slices.Sort(documented)
	names := registered(t)
	for _, name := range names {
		if !slices.Contains(documented, name) {
			t.Errorf("docs/operations.md has no line for %s", name)
		}
	}
	for i, name := range documented {
		if !slices.Contains(names, name) {
			t.Errorf("docs/operations.md has a line for %s, which is not registered", name)
		}
		if i > 0 && documented[i-1] == name {
			t.Errorf("docs/operations.md has two lines for %s", name)
		}
	}
}

// Every alert looks at metrics that are there, and is explained.
func TestAlertsNameMetricsThatAreThereAndAreExplained(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy", "prometheus", "pukar.rules.yml")), &rules); err != nil {
		t.Fatal(err)
	}
	names, document := registered(t), read(t, "docs", "operations.md")
	known := map[string]bool{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			known[rule.Alert] = true
			used := regexp.MustCompile(`pukar_[a-z_]+`).FindAllString(rule.Expr, -1)
			if len(used) == 0 || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
				t.Errorf("%s is not whole", rule.Alert)
			}
			for _, name := range used {
				if !slices.Contains(names, name) {
					t.Errorf("%s looks at %s, which is not registered", rule.Alert, name)
				}
			}
			if !strings.Contains(document, "| "+rule.Alert+" |") {
				t.Errorf("docs/operations.md does not explain %s", rule.Alert)
			}
		}
	}
	if len(known) < 10 {
		t.Errorf("only %d alerts", len(known))
	}
	for _, match := range regexp.MustCompile(`(?m)^\| (Pukar[A-Za-z]+) \|`).FindAllStringSubmatch(document, -1) {
		if !known[match[1]] {
			t.Errorf("docs/operations.md explains %s, which is no alert", match[1])
		}
	}
}
