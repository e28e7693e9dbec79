package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pukar/internal/doctor"
	"pukar/internal/testenv"
)

func TestDoctorOfARunningServer(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	find := func(subject, name string) doctor.Check {
		t.Helper()
		r := i.run("doctor", "--json")
		report := decode[doctor.Report](t, r.out)
		if report.OK || r.code != exitFailed { // the tests' PostgreSQL runs without fsync
			t.Errorf("exit %d, ok %v", r.code, report.OK)
		}
		for _, c := range report.Checks {
			if c.Subject == subject && c.Name == name {
				return c
			}
			if c.State == doctor.Problem && c.Name != "durability" && c.Subject != "routes" {
				t.Errorf("%+v", c)
			}
		}
		t.Fatalf("no check %s %s", subject, name)
		return doctor.Check{}
	}
	for subject, name := range map[string]string{"server": "version", "database": "migrations", "redis": "eviction", "key": "fits", "ledger": "sweeping"} {
		testenv.Eventually(t, 20*time.Second, subject+" to be well", func() bool { return find(subject, name).State == doctor.OK })
	}
	if c := find("database", "durability"); c.State != doctor.Problem || !strings.Contains(c.Finding, "fsync") {
		t.Errorf("%+v", c)
	}
	if c := find("routes", "bind main-1"); c.State != doctor.OK {
		t.Errorf("%+v", c)
	}
	if err := i.centre.Close(); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, 20*time.Second, "the bind to be down", func() bool { return find("routes", "bind main-1").State == doctor.Problem })
	shown := i.run("doctor").out
	for _, want := range []string{"ok       server", "problem  database", "→ set it on", "problem  routes", "problems, "} {
		if !strings.Contains(shown, want) {
			t.Errorf("the list has no %q:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "\x1b") {
		t.Error("coloured, though nobody looks at a terminal")
	}
}

func TestDoctorWithoutAServer(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "none")
	r := pukar(t, "", "doctor", "--pukar-home", home)
	if r.code != exitOK || !strings.Contains(r.out, "start `pukar serve`") || !strings.Contains(r.out, "No problem, ") {
		t.Errorf("before the first start: exit %d:\n%s%s", r.code, r.out, r.errOut)
	}
	wrong := write(t, "pukar.yaml", "rolls: [api]\nlog_level: loud\n")
	r = pukar(t, "", "doctor", "--pukar-home", home, "--config", wrong)
	if r.code != exitFailed || !strings.Contains(r.out, "pukar.yaml:1") || !strings.Contains(r.out, "pukar.yaml:2") || !strings.Contains(r.out, "disk") {
		t.Errorf("with a wrong configuration: exit %d:\n%s%s", r.code, r.out, r.errOut)
	}
}
