package sample_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/sample"
	"pukar/internal/testenv"
	"pukar/templates"
)

func importText(t *testing.T, text []byte) (audience.ImportResult, string) {
	t.Helper()
	pool := testenv.DB(t)
	key, err := audience.LoadKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	var rejects strings.Builder
	res, err := audience.Import(t.Context(), pool, key, bytes.NewReader(text), audience.ImportOptions{Source: "sample", Invented: true, Rejects: &rejects})
	if err != nil {
		t.Fatal(err)
	}
	return res, rejects.String()
}

func TestWriteContacts(t *testing.T) {
	t.Parallel()
	const n = 20_000
	var a, b, longer bytes.Buffer
	for _, w := range []struct {
		buf *bytes.Buffer
		n   int
	}{{&a, n}, {&b, n}, {&longer, n + 50}} {
		if err := sample.WriteContacts(w.buf, w.n, 7); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) || !bytes.HasPrefix(longer.Bytes(), a.Bytes()) {
		t.Error("the same seed gives other people")
	}
	var other bytes.Buffer
	if err := sample.WriteContacts(&other, n, 8); err != nil || bytes.Equal(a.Bytes(), other.Bytes()) {
		t.Errorf("another seed gives the same people, %v", err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != n+1 || strings.Join(rows[0], ",") != sample.Header {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	res, _ := importText(t, a.Bytes())
	dirty := res.Refused + res.Warned + res.Unchanged
	if res.Read != n || dirty < n/200 || dirty > n/30 || res.Refused == 0 || res.Warned == 0 || res.Unchanged == 0 {
		t.Errorf("%+v", res)
	}
	if err := sample.WriteContacts(&other, sample.MaxContacts+1, 1); err == nil {
		t.Error("more people than numbers")
	}
	if err := sample.WriteContacts(failing{}, 10, 1); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

var errFull = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestSampleShares holds the shape that demonstrations rely on.
func TestSampleShares(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := sample.WriteContacts(&buf, 20_000, 3); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&buf).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	share := func(column, value string) int {
		i := slices.Index(rows[0], column)
		n := 0
		for _, r := range rows[1:] {
			if r[i] == value {
				n++
			}
		}
		return 100 * n / (len(rows) - 1)
	}
	for _, tt := range []struct {
		column, value string
		low, high     int
	}{
		{"home_state", "Bihar", 24, 34}, {"home_state", "Uttar Pradesh", 20, 30}, {"home_state", "Odisha", 7, 13}, {"current_state", "Maharashtra", 19, 29},
		{"occupation", "construction", 31, 41}, {"gender", "female", 29, 39}, {"consent_sms", "yes", 65, 78}, {"ration_card_type", "PHH", 48, 60},
	} {
		if got := share(tt.column, tt.value); got < tt.low || got > tt.high {
			t.Errorf("%s %s: %d %%, want %d to %d", tt.column, tt.value, got, tt.low, tt.high)
		}
	}
}

func TestFilesAreRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	if err := sample.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	res, rejects := importText(t, read("contacts.csv"))
	if res.Read != 40 || res.Inserted != 39 || res.Refused != 1 || res.Warned != 1 {
		t.Errorf("%+v\n%s", res, rejects)
	}
	tpl, err := templates.Parse(read("onorc-intro.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range tpl.Warnings() {
		t.Log(w)
	}
	for language := range tpl.Languages {
		text, id, err := tpl.Render(language, []string{"Sita Devi", "Patna"})
		if err != nil || id == "" || !strings.Contains(text, "Patna") {
			t.Errorf("%s: %q, %v", language, text, err)
		}
	}
	spec, err := campaign.Parse(read("onorc-bihar.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, "pukar.yaml"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	route, ok := cfg.Route(spec.SMS.Route)
	if !ok || !route.Simulated || spec.SMS.Template != tpl.Name || route.Header != tpl.Header {
		t.Errorf("the files do not belong together: %+v", spec)
	}
	for _, home := range spec.Audience.Home {
		if _, err := audience.KnownPlaces().Resolve(home); err != nil {
			t.Error(err)
		}
	}
}

// Every key of the sample campaign, uncommented where it is not in force; the second of two that exclude each other is tried by itself.
func TestEveryKeyOfTheSampleCampaignIsAccepted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	if err := sample.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "onorc-bihar.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^window:.*$`).ReplaceAllString(string(text), "") // the one with holidays takes its place
	whole = regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:( .*)?)$`).ReplaceAllString(whole, "$1$2")
	spec, err := campaign.Parse([]byte(whole))
	if err != nil {
		t.Fatalf("%v\n%s", err, whole)
	}
	if spec.Window.Holidays != "national,BR" || spec.Unfinished != "continue" || spec.PerContact.Messages != 4 || spec.BudgetINR == 0 || spec.Schedule == nil ||
		spec.Schedule.Until == "" || len(spec.Audience.Language) == 0 {
		t.Errorf("read is %+v", spec)
	}
}

func TestWriteFilesOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "onorc-bihar.yaml")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sample.WriteFiles(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	left, _ := os.ReadDir(dir)
	if text, _ := os.ReadFile(taken); string(text) != "mine" || len(left) != 1 {
		t.Errorf("%d files, %q", len(left), text)
	}
}

func BenchmarkWriteContacts(b *testing.B) {
	for b.Loop() {
		if err := sample.WriteContacts(nowhere{}, 100_000, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
