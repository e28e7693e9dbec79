package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pukar/report"
	"pukar/web/api"
)

func TestMessagesByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	send := func(key, to string, more ...string) []string {
		return append([]string{"message", "send", "--template", "intro", "--route", "main", "--to", to, "--purpose", "grievances", "--key", key,
			"--var", "name=Asha Devi"}, more...)
	}
	m := decode[api.Message](t, i.ok(send("g-1", "9812345678", "--wait", "30s", "--json")...))
	if m.ID != 1 || m.Key != "g-1" || m.State != "delivered" || m.To != "91******5678" || len(m.MessageIDs) != 1 {
		t.Errorf("sent: %+v", m)
	}
	if said := i.ok(send("g-1", "9812345678")...); !strings.Contains(said, "Message 1 (g-1): known already, nothing was done; 1 part, Rs 0.1450.") {
		t.Errorf("again: %s", said)
	}
	i.ok(send("g-2", "9812345679", "--wait", "30s", "--language", "hi")...)
	if shown := i.ok("message", "status", "g-2"); !strings.Contains(shown, "message       2, key g-2") || !strings.Contains(shown, "delivered") {
		t.Errorf("status:\n%s", shown)
	}
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{send("g-1", "9812345670"), exitConflict, "other content"},
		{send("g-3", "12"), exitFailed, "10"},
		{send("", "9812345678"), exitUsage, "--key is missing"},
		{send("g-3", "9812345678", "--var", "name"), exitUsage, "name=value"},
		{send("g-3", "9812345678", "--valid-for", "5s"), exitFailed, "from 1m to 72h"},
		{send("g-3", "9812345678", "--wait", "-1s"), exitUsage, "--wait"},
		{[]string{"message", "status", "g-3"}, exitNotFound, "g-3"},
		{[]string{"message", "status", ""}, exitUsage, "KEY is empty"},
		{[]string{"report", "messages", "--from", "2026-13-01"}, exitFailed, `from: "2026-13-01": write a day as 2026-11-30`},
		{[]string{"report", "messages", "--from", "2026-11-30", "--to", "2026-11-01"}, exitFailed, "give the earlier day first"},
		{[]string{"report", "messages", "--json"}, exitUsage, "-o FILE"},
	} {
		if r := i.run(tt.args...); r.code != tt.code || !strings.Contains(r.errOut, tt.says) {
			t.Errorf("pukar %s: exit %d, want %d, %q in:\n%s", strings.Join(tt.args, " "), r.code, tt.code, tt.says, r.errOut)
		}
	}

	file := filepath.Join(t.TempDir(), "messages.csv")
	manifest := decode[report.Manifest](t, i.ok("report", "messages", "--masked", "-o", file, "--json"))
	if manifest.Rows != 2 || manifest.Totals["delivered"] != 2 || !manifest.Filters.Masked {
		t.Errorf("manifest %+v", manifest)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][len(rows[0])-1] != "key" || rows[1][len(rows[1])-1] != "g-1" || rows[2][4] != "91******5679" {
		t.Errorf("report: %q, %v", rows, err)
	}
	if _, err := os.Stat(file + report.ManifestSuffix); err != nil {
		t.Error(err)
	}
	if shown := i.ok("report", "messages"); !strings.Contains(shown, ",919812345678,") || strings.Count(shown, "\n") != 3 {
		t.Errorf("to standard output:\n%s", shown)
	}
	if shown := i.ok("report", "messages", "--to", "2020-01-01"); strings.Count(shown, "\n") != 1 {
		t.Errorf("of another time:\n%s", shown)
	}
}
