package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pgregory.net/rapid"
	"pukar/internal/testenv"

	"pukar/internal/sample"
	"pukar/smpp/coding"
	"pukar/templates"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	fields := "S 7 100 100 0 -1 4194560 1 2 3 4 250 50 1000 25 20 0 9 0 438367 313344 412"
	for _, c := range []struct {
		name, line string
		want       procStat
		wrong      bool
	}{
		{
			name: "plain", line: "42 (pukar) " + fields + "\n",
			want: procStat{
				pid: 42, parent: 7, command: "pukar", state: 'S', own: 3 * time.Second, reaped: 10250 * time.Millisecond, started: 438367,
			},
		},
		{
			name: "hostile command", line: "42 (a) R 1 (b) " + fields,
			want: procStat{
				pid: 42, parent: 7, command: "a) R 1 (b", state: 'S', own: 3 * time.Second, reaped: 10250 * time.Millisecond, started: 438367,
			},
		},
		{name: "empty", line: "", wrong: true},
		{name: "no command", line: "42 pukar S 7", wrong: true},
		{name: "cut off", line: "42 (pukar) S 7 100", wrong: true},
		{name: "no number", line: "42 (pukar) " + strings.Replace(fields, "250", "x", 1), wrong: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat([]byte(c.line))
			if (err != nil) != c.wrong {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(procStat{})); !c.wrong && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadStatOfThisProcess(t *testing.T) {
	t.Parallel()
	s, err := readStat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if s.pid != os.Getpid() || s.parent != os.Getppid() || s.started == 0 {
		t.Errorf("this process is %d of %d: %+v", os.Getpid(), os.Getppid(), s)
	}
	peak, err := peakMemory(os.Getpid())
	if err != nil || peak < 1<<20 {
		t.Errorf("peak %d, error %v", peak, err)
	}
	u, err := pids{program: os.Getpid()}.usage()
	if err != nil || u.Program < 0 || u.Others <= 0 {
		t.Errorf("usage %+v, error %v", u, err)
	}
}

func TestParseBusy(t *testing.T) {
	t.Parallel()
	got, err := parseBusy([]byte("cpu  100 1 20 9999 777 3 4 5 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if err != nil || got != 1330*time.Millisecond {
		t.Errorf("%s, error %v", got, err)
	}
	for _, wrong := range []string{"", "cpu 1 2", "cpu0 1 1 1 1 1 1 1 1 1 1", "cpu a b c d e f g h i"} {
		if _, err := parseBusy([]byte(wrong)); err == nil {
			t.Errorf("%q: no error", wrong)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	text := []byte("Name:\tpukar\nVmHWM:\t  131072 kB\nVmRSS:\t    5 kB\nThreads:\t9\n")
	if got, err := parseStatus(text, "VmHWM"); err != nil || got != 128<<20 {
		t.Errorf("%d, error %v", got, err)
	}
	for _, name := range []string{"VmPeak", "Threads", "Name"} {
		if _, err := parseStatus(text, name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestUsageFrom(t *testing.T) {
	t.Parallel()
	const s = time.Second
	stats := []procStat{
		{pid: 1, own: 100 * s},
		{pid: 10, parent: 1, own: 5 * s, reaped: 90 * s}, // the program; what it reaped is not its own
		{pid: 11, parent: 10, own: 1 * s, reaped: 7 * s}, // PostgreSQL, with the sessions that have ended
		{pid: 12, parent: 11, own: 2 * s},
		{pid: 13, parent: 11, own: 3 * s},
		{pid: 14, parent: 10, own: 4 * s}, // Redis
		{pid: 20, parent: 1, own: 6 * s},  // the centre
		{pid: 30, parent: 1, own: 50 * s},
	}
	p := pids{program: 10, postgres: 11, redis: 14, centre: 20}
	got := p.usageFrom(stats, 40*s)
	want := usage{Program: 5 * s, PostgreSQL: 13 * s, Redis: 4 * s, Centre: 6 * s, Others: 12 * s}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	phase := newPhase(1000, 14*s, got, 9)
	if phase.CoresBusy != 2 || phase.CPU.Program != 5000 || phase.CPU.sum() != 28000 || phase.Peak != 9 || phase.Things != 1000 {
		t.Errorf("%+v", phase)
	}
	if got := newPhase(0, s, got, 0).CPU; got != (microseconds{}) {
		t.Errorf("nobody used %+v each", got)
	}
}

func TestNumbersAreDifferentAndBelongToTheirPeople(t *testing.T) {
	t.Parallel()
	owner := whose()
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.Int64Range(0, numberCount-1).Draw(t, "person")
		n := number(i)
		if n < firstNumber || n >= firstNumber+numberCount {
			t.Fatalf("number %d of person %d", n, i)
		}
		if back, ok := owner(n); !ok || back != i {
			t.Fatalf("number %d is that of %d (%t), not of %d", n, back, ok, i)
		}
	})
	for _, nobody := range []int64{0, firstNumber - 1, firstNumber + numberCount} {
		if _, ok := owner(nobody); ok {
			t.Errorf("%d belongs to somebody", nobody)
		}
	}
}

func TestWritePeople(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	const n = 3000
	if err := writePeople(path, n); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if lines[0] != sample.Header || len(lines) != n+1 {
		t.Fatalf("%d lines under %q", len(lines)-1, lines[0])
	}
	header := strings.Split(sample.Header, ",")
	at := func(name string) int { return slices.Index(header, name) }
	seen := map[string]bool{}
	for i, line := range lines[1:] {
		fields := strings.Split(line, ",")
		if len(fields) != len(header) {
			t.Fatalf("line %d has %d fields", i+2, len(fields))
		}
		if want := fmt.Sprint(number(int64(i))); fields[at("msisdn")] != want {
			t.Errorf("line %d: number %s, not %s", i+2, fields[at("msisdn")], want)
		}
		if age := fields[at("age")]; age == "16" || age == "17" || fields[at("consent_sms")] == "no" {
			t.Errorf("line %d would be left out: %s", i+2, line)
		}
		if id := fields[at("source_id")]; seen[id] {
			t.Errorf("line %d: %s again", i+2, id)
		} else {
			seen[id] = true
		}
	}
}

func TestMendPeopleRefusesRowsItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	if err := mendPeople(io.Discard, strings.NewReader(sample.Header+"\na,b,c\n")); err == nil {
		t.Error("no error")
	}
}

// The number of parts holds for the shortest and the longest values that the people have.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := templates.Parse([]byte(m.template))
			if err != nil {
				t.Fatal(err)
			}
			for _, vars := range [][]string{{"Ram", "Gaya"}, {"ख़ातून शबनम ख़ातून", "Dr. B.R. Ambedkar Konaseema"}} {
				vars = vars[len(vars)-len(parsed.Variables):]
				text, _, err := parsed.Render(parsed.FallbackLanguage, vars)
				if err != nil {
					t.Fatal(err)
				}
				if encoding, _, parts := coding.Count(text); int64(parts) != m.parts {
					t.Errorf("%d parts of %s, not %d: %s", parts, encoding, m.parts, text)
				}
			}
		})
	}
}

func reportOf(rows ...string) io.Reader {
	return strings.NewReader("seq,msisdn,parts,outcome,final_at\n" + strings.Join(rows, "\n") + "\n")
}

func TestReadReport(t *testing.T) {
	t.Parallel()
	row := func(i int64, parts int, outcome, at string) string {
		return fmt.Sprintf("1,91%d,%d,%s,%s", number(i), parts, outcome, at)
	}
	const at = "2026-11-22T10:00:00+05:30"
	for _, c := range []struct {
		name string
		rows []string
		want []string
	}{
		{"good", []string{row(1, 1, "delivered", at), row(0, 1, "delivered", at)}, nil},
		{"one lost", []string{row(0, 2, "delivered", at)}, []string{"rows of the report: 1, and 2 expected"}},
		{"one twice", []string{row(0, 1, "delivered", at), row(0, 1, "delivered", at)}, []string{"people in the report again: 1, and 0 expected"}},
		{"a stranger", []string{row(0, 1, "delivered", at), row(2, 1, "delivered", at)}, []string{"numbers in the report that nobody has: 1, and 0 expected"}},
		{
			"pending", []string{row(0, 1, "delivered", at), row(1, 0, "pending", "")},
			[]string{
				"parts in the report: 1, and 2 expected", "rows of the report that are not delivered: 1, and 0 expected",
				"rows of the report without the time of the receipt: 1, and 0 expected",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := trial{People: 2, Parts: 2}
			if err := tr.readReport(reportOf(c.rows...)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, tr.Wrong); diff != "" {
				t.Error(diff)
			}
		})
	}
	if err := new(trial).readReport(strings.NewReader("a,b\n")); err == nil {
		t.Error("a report without the columns gave no error")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"--sizes", "100000,2000", "--message", "hindi"}, io.Discard)
	if err != nil || !slices.Equal(o.sizes, []int{2000, 100_000}) || o.limit != 15*time.Minute {
		t.Errorf("%+v, error %v", o, err)
	}
	for _, line := range []string{"--sizes 0", "--sizes -3", "--message long", "--window 0", "--nonsense", "more"} {
		if _, err := parse(strings.Fields(line), io.Discard); err == nil {
			t.Errorf("%s: no error", line)
		}
	}
}

func testResult() result {
	one := func(n int64, seconds float64) trial {
		return trial{
			People: n, Parts: n, Postgres: map[string]string{"fsync": "on"}, Duplicates: 0,
			Send: newPhase(n, time.Duration(seconds*float64(time.Second)), usage{Program: time.Second, PostgreSQL: time.Second}, 100<<20),
		}
	}
	r := result{At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Commit: "abc+", Message: "short", Trials: []trial{one(1000, 1), one(4000, 2)}}
	r.compare()
	return r
}

func TestResult(t *testing.T) {
	t.Parallel()
	r := testResult()
	if r.Trials[0].Relative != 1 || r.Trials[1].Relative != 0.5 {
		t.Errorf("relative %v and %v", r.Trials[0].Relative, r.Trials[1].Relative)
	}
	if err := r.problems(); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := printResult(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"fsync on", "1,000", "2,000", "100 MB", "0.50"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	path, err := r.keep("/nowhere", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(path) != "2026-11-22-abc-changed-short.json" {
		t.Errorf("kept in %s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back result
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Error(diff)
	}
	r.Trials[1].equal("parts", 3, 4)
	if err := r.problems(); err == nil || !strings.Contains(err.Error(), "4,000 people: parts: 3, and 4 expected") {
		t.Errorf("error %v", err)
	}
}

func TestPeerIsPrintedWhereItRan(t *testing.T) {
	t.Parallel()
	r := testResult()
	var out bytes.Buffer
	printPeer(&out, r.Trials)
	if out.Len() > 0 {
		t.Errorf("without Kannel: %s", out.String())
	}
	r.Trials[1].Kannel = &peer{Version: "1.4.5", Messages: 20_000, Receipts: 19_999, PerSecond: 2500, CPU: 231.5, Ratio: 20.4}
	printPeer(&out, r.Trials)
	for _, want := range []string{"1.4.5", "20,000", "19,999", "2,500", "231.5", "20.4"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if got := strings.Count(out.String(), "4,000"); got != 1 || strings.Contains(out.String(), " 1,000 ") {
		t.Errorf("rows for who had no Kannel beside:\n%s", out.String())
	}
}

func TestGatewayCountsReceipts(t *testing.T) {
	t.Parallel()
	var k gateway
	if err := k.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.stop(); err != nil {
			t.Error(err)
		}
	}()
	for range 3 {
		if _, err := get(t.Context(), "http://"+k.sinkAddr+"/"); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.await(t.Context(), 3); err != nil || k.receipts.Load() != 3 {
		t.Errorf("%d receipts, error %v", k.receipts.Load(), err)
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestChild(t *testing.T) {
	t.Parallel()
	start := func(script string) *child {
		c, err := startChild("the script", filepath.Join(t.TempDir(), "log"), "/bin/sh", "-c", script)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.stop(time.Second) })
		return c
	}
	good := start(`trap 'exit 0' TERM; sleep 60 & echo "serves at /a/b"; wait`)
	if at, err := good.await(t.Context(), "serves at "); err != nil || at != "/a/b" {
		t.Fatalf("%q, error %v", at, err)
	}
	if err := good.adopt(); err != nil {
		t.Fatal(err)
	}
	var left int
	testenv.Eventually(t, 10*time.Second, "the script to run its sleep", func() bool {
		var err error
		left, err = good.helper("sleep")
		return err == nil
	})
	if err := good.stop(10 * time.Second); err != nil {
		t.Error(err)
	}
	if s, err := readStat(left); err == nil && s.state != 'Z' && s.command == "sleep" {
		t.Errorf("what it left behind goes on: %+v", s)
	}
	if err := good.stop(time.Second); err != nil {
		t.Errorf("the second stop: %v", err)
	}

	bad := start(`echo good; echo and why >&2; exit 3`)
	_, err := bad.await(t.Context(), "serves at ")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "and why") {
		t.Errorf("error %v", err)
	}
	if bad.running() == nil {
		t.Error("it is said to run")
	}

	deaf := start(`trap '' TERM; echo ready; while :; do sleep 1; done`)
	if _, err := deaf.await(t.Context(), "ready"); err != nil {
		t.Fatal(err)
	}
	if err := deaf.stop(50 * time.Millisecond); err == nil {
		t.Error("a child that had to be killed gave no error")
	}
}
