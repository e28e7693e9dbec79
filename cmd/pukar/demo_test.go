package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pukar/report"
)

// openHome is a folder that the account of the private servers can enter, so that they keep their data in it.
func openHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, folder := range []string{filepath.Dir(home), home} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// The demo runs by itself, twice over: first on nothing, then on what it left behind. Without a terminal it prints plain
// lines and asks nothing.
func TestDemo(t *testing.T) {
	t.Parallel()
	home := openHome(t)
	for run := 1; run <= 2; run++ {
		r := pukar(t, "", "demo", "--contacts", "300", "--rate", "0", "--exit", "--pukar-home", home)
		if r.code != exitOK {
			t.Fatalf("demo ended with %d:\n%s%s", r.code, r.out, r.errOut)
		}
		if strings.ContainsAny(r.out+r.errOut, "\x1b\r") {
			t.Errorf("control characters without a terminal:\n%q", r.out+r.errOut)
		}
		path := filepath.Join(home, "demo", "reports", "demo-"+string(rune('0'+run))+".csv")
		if !strings.Contains(r.out, "The delivery report is "+path) {
			t.Errorf("the report's path is not said:\n%s", r.out)
		}
		text, err := os.ReadFile(path + report.ManifestSuffix)
		if err != nil {
			t.Fatal(err)
		}
		m := decode[report.Manifest](t, string(text))
		if m.Run != run || m.RunState != "done" || m.Recipients < 200 || m.Totals["delivered"] < m.Recipients*8/10 || m.Totals["pending"] != 0 {
			t.Errorf("manifest %+v", m)
		}
	}
}

// Ctrl-C while the campaign runs ends the demo in order and well; the next one goes on where it stopped.
func TestDemoStoppedInMidRun(t *testing.T) {
	t.Parallel()
	home := openHome(t)
	ctx, stop := context.WithCancel(context.Background())
	out, errOut := &safeBuffer{}, &safeBuffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"demo", "--contacts", "500", "--rate", "50", "--pukar-home", home}, strings.NewReader(""), out, errOut)
	}()
	limit := time.After(90 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(out.String(), "Launched") {
		select {
		case code := <-ended:
			t.Fatalf("the demo ended with %d:\n%s%s", code, out, errOut)
		case <-limit:
			t.Fatal("the demo does not launch")
		case <-tick.C:
		}
	}
	stop()
	began := time.Now()
	select {
	case code := <-ended:
		if code != exitOK {
			t.Errorf("ended with %d:\n%s%s", code, out, errOut)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the demo does not end")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s to end", took)
	}
	// Receipts that the first simulator owed never come: they are waited for 20 seconds.
	r := pukar(t, "", "demo", "--contacts", "500", "--rate", "0", "--exit", "--pukar-home", home)
	if r.code != exitOK || !strings.Contains(r.out, "Run 1 of the demo before goes on.") {
		t.Errorf("the next demo: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}
