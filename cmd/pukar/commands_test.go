package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pukar/report"
	"pukar/web/api"
)

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return out
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const peopleFile = `Mobile No,name,language,age,home_state,home_district,consent_sms
9812345601,Asha Devi,hi,30,BR,Patna,yes
9812345602,Ravi Kumar,en,17,BR,Gaya,yes
9812345603,Mina Khatun,en,41,WB,Malda,yes
9812345604,Sita Soren,en,25,JH,Ranchi,yes
12,Nobody,hi,20,BR,Patna,yes
`

const templateFile = `name: intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name]
fallback_language: en
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, आपका राशन कार्ड यहाँ भी चलता है। मदद: 1800-891-2995 HELPLN"}
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#}, your ration card works here. Call 1800-891-2995. HELPLN"}
`

const campaignFile = `name: first
purpose: ration portability
audience: {all: true}
steps:
  - sms: {template: intro, route: main}
window: {days: sun-sat, from: "00:00", to: "24:00"}
`

// From a list of people to the delivery report, as a campaign manager types it.
func TestCampaignByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	people := write(t, "people.csv", peopleFile)
	imported := i.ok("audience", "import", people, "--source", "drive", "--map", "Mobile No=msisdn")
	if !strings.Contains(imported, "5 rows read") || !strings.Contains(imported, people+".rejects.csv") {
		t.Errorf("import:\n%s", imported)
	}
	rejects, err := os.ReadFile(people + ".rejects.csv")
	if err != nil || !strings.Contains(string(rejects), "Nobody") {
		t.Errorf("rejects %q, %v", rejects, err)
	}
	if n := decode[api.Count](t, i.ok("audience", "count", "--all", "--json")); n.Count != 4 {
		t.Errorf("count %+v", n)
	}
	if n := decode[api.Count](t, i.ok("audience", "count", "--home", "BR", "--where", "age >= 18", "--json")); n.Eligible != 1 || n.NotEligible != 1 {
		t.Errorf("count of Bihar %+v", n)
	}
	if shown := i.ok("audience", "preview", "--home", "BR"); !strings.Contains(shown, "91******5601") || strings.Contains(shown, "9812345601") {
		t.Errorf("preview:\n%s", shown)
	}
	if shown := i.ok("audience", "preview", "--home", "BR", "--numbers"); !strings.Contains(shown, "919812345601") {
		t.Errorf("preview with numbers:\n%s", shown)
	}
	if said := i.ok("optout", "add", "9812345604", "--evidence", "a letter"); !strings.Contains(said, "will not be contacted") {
		t.Errorf("optout add: %s", said)
	}
	if added := i.ok("template", "add", write(t, "intro.yaml", templateFile)); !strings.Contains(added, "version 1") {
		t.Errorf("template add: %s", added)
	}
	file := write(t, "first.yaml", campaignFile)
	i.ok("campaign", "create", file)
	if r := i.run("campaign", "create", file); r.code != exitConflict {
		t.Errorf("created twice: %+v", r)
	}
	i.ok("campaign", "update", write(t, "first.yaml", campaignFile+"priority: urgent\n"))
	plan := decode[api.Plan](t, i.ok("campaign", "plan", "first", "--json"))
	if plan.Recipients != 2 || plan.Excluded != 2 {
		t.Errorf("plan %+v", plan)
	}
	if shown := i.ok("campaign", "plan", "first"); !strings.Contains(shown, "suppressed") {
		t.Errorf("plan:\n%s", shown)
	}
	if said := i.ok("campaign", "test", "first", "--to", "9800000001", "--language", "hi"); !strings.Contains(said, "1 delivered") {
		t.Errorf("campaign test: %s", said)
	}
	if r := i.run("campaign", "launch", "first", "--expect", "3"); r.code != exitConflict {
		t.Errorf("launch of another number of people: %+v", r)
	}
	i.ok("campaign", "launch", "first", "--expect", "2")
	i.ok("campaign", "watch", "first")
	status := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json"))
	if status.State != "done" || status.Totals.Delivered != 2 || status.Run != 1 {
		t.Errorf("status %+v", status)
	}
	if r := i.run("campaign", "launch", "first"); r.code != exitConflict || !strings.Contains(r.errOut, "--again") {
		t.Errorf("launched again: %+v", r)
	}
	i.checkReport()
	i.checkReads()
}

func (i *installation) checkReport() {
	i.t.Helper()
	path := filepath.Join(i.t.TempDir(), "report.csv")
	i.ok("report", "delivery", "first", "--include", "excluded", "-o", path)
	file, err := os.ReadFile(path)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := os.ReadFile(path + report.ManifestSuffix)
	if err != nil {
		i.t.Fatal(err)
	}
	manifest := decode[report.Manifest](i.t, string(text))
	sum := sha256.Sum256(file)
	if manifest.SHA256 != hex.EncodeToString(sum[:]) || manifest.Rows != 4 || strings.Count(string(file), "\n") != 5 {
		i.t.Errorf("manifest %+v of\n%s", manifest, file)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(left) > 0 {
		i.t.Errorf("left over: %v, %v", left, err)
	}
	if plain := i.ok("report", "delivery", "first", "--masked"); strings.Contains(plain, "9812345601") || strings.Count(plain, "\n") != 3 {
		i.t.Errorf("masked report:\n%s", plain)
	}
	if summary := decode[report.RunSummary](i.t, i.ok("report", "summary", "first", "--json")); summary.Totals["delivered"] != 2 {
		i.t.Errorf("summary %+v", summary)
	}
	if r := i.run("report", "delivery", "none", "-o", path+"2"); r.code != exitNotFound {
		i.t.Errorf("report of nothing: %+v", r)
	}
	if _, err := os.Stat(path + "2"); !os.IsNotExist(err) {
		i.t.Errorf("a report of nothing left a file: %v", err)
	}
}

// checkReads runs every other read once, for people and as JSON.
func (i *installation) checkReads() {
	i.t.Helper()
	for _, line := range []string{
		"optout list", "optout check 9812345604", "template list", "campaign list", "route list", "route test main",
		"report summary first", "audit list", "audit verify", "version", "audience explain 9812345601 --home BR", "campaign status first",
	} {
		args := strings.Fields(line)
		if shown := i.ok(args...); strings.TrimSpace(shown) == "" {
			i.t.Errorf("%s says nothing", line)
		}
		decode[map[string]any](i.t, i.ok(append(args, "--json")...))
	}
	events := decode[api.AuditList](i.t, i.ok("audit", "list", "--json"))
	var actions []string
	for _, e := range events.Events {
		actions = append(actions, e.Action)
	}
	want := "campaign.launch campaign.test campaign.update campaign.create template.add optout.add audience.import"
	if got := strings.Join(actions, " "); got != want {
		i.t.Errorf("audit has %q, want %q", got, want)
	}
}

func TestMistakesOfCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	bad := write(t, "bad.yaml", "name: x\nnonsense: 1\n")
	for _, tt := range []struct {
		line string
		code int
		says string
	}{
		{"campaign status none", exitNotFound, `there is no campaign "none"`},
		{"campaign launch none", exitNotFound, "none"},
		{"campaign pause none --why x", exitNotFound, "none"},
		{"campaign cancel none --yes", exitNotFound, "none"},
		{"campaign create " + bad, exitFailed, bad},
		{"template add " + bad, exitFailed, "nonsense"},
		{"template check " + bad, exitFailed, bad},
		{"template add " + bad + ".none", exitFailed, "no such file"},
		{"audience count --scheme onrc", exitFailed, "onorc"},
		{"audience count", exitFailed, "all: true"},
		{"audience count --where age>", exitFailed, "where"},
		{"audience import " + bad, exitFailed, "msisdn"},
		{"optout add 12", exitFailed, "10"},
		{"optout check 9812345678", exitOK, ""},
		{"route test none", exitNotFound, "known are main"},
		{"report summary none", exitNotFound, "none"},
		{"template preview " + bad + " --contact 9812345678", exitFailed, "nonsense"},
	} {
		r := i.run(strings.Fields(tt.line)...)
		if r.code != tt.code || !strings.Contains(r.errOut, tt.says) {
			t.Errorf("pukar %s: exit %d, want %d, %q in:\n%s", tt.line, r.code, tt.code, tt.says, r.errOut)
		}
	}
}

func TestWithoutAServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, line := range []string{"campaign list", "audience count --all", "route list", "report summary x", "optout list", "audit verify"} {
		r := pukar(t, "", append(strings.Fields(line), "--pukar-home", home)...)
		want := fmt.Sprintf("pukar: no pukar server at %s/pukar.sock: start one with `pukar serve`, or set PUKAR_HOME\n", home)
		if r.code != exitUnavailable || r.errOut != want {
			t.Errorf("pukar %s: exit %d: %s", line, r.code, r.errOut)
		}
	}
}

func TestTemplateFilesNeedNoServer(t *testing.T) {
	t.Parallel()
	file := write(t, "intro.yaml", templateFile)
	page := filepath.Join(t.TempDir(), "preview.html")
	shown := pukar(t, "", "template", "preview", file, "--price", "0.1450", "--html", page)
	if shown.code != exitOK || !strings.Contains(shown.out, "Sunita Devi") || !strings.Contains(shown.out, "Rs 0.1450") {
		t.Errorf("preview: %+v", shown)
	}
	if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "राशन") {
		t.Errorf("page: %v", err)
	}
	checked := pukar(t, "", "template", "check", file, "--json")
	if view := decode[api.TemplatePreview](t, checked.out); checked.code != exitOK || len(view.Texts) != 2 {
		t.Errorf("check: %+v", checked)
	}
	piped := pukar(t, templateFile, "template", "check", "-")
	if piped.code != exitOK {
		t.Errorf("check of the standard input: %+v", piped)
	}
}

func TestInitWritesFilesThatAreInOrder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "helpline")
	if r := pukar(t, "", "init", dir); r.code != exitOK || !strings.Contains(r.out, "contacts.csv") {
		t.Fatalf("init: %+v", r)
	}
	if r := pukar(t, "", "template", "check", filepath.Join(dir, "onorc-intro.yaml")); r.code != exitOK {
		t.Errorf("the sample template: %+v", r)
	}
	if r := pukar(t, "", "init", dir); r.code != exitFailed {
		t.Errorf("init over files: %+v", r)
	}
}

func TestServeWithABadConfiguration(t *testing.T) {
	t.Parallel()
	file := write(t, "pukar.yaml", "nonsense: 1\nroutes: [{name: main}]\n")
	r := pukar(t, "", "serve", "--config", file)
	if r.code != exitFailed || !strings.Contains(r.errOut, "nonsense") || !strings.Contains(r.errOut, "routes[0].binds") {
		t.Errorf("got %+v", r)
	}
}

func TestRetryByCommands(t *testing.T) {
	t.Parallel()
	i := install(t, 0)
	i.ok("audience", "import", write(t, "people.csv", peopleFile), "--source", "drive", "--map", "Mobile No=msisdn")
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile))
	i.ok("campaign", "launch", "first")
	i.ok("campaign", "watch", "first")
	if r := i.run("campaign", "retry", "first", "--failed"); r.code != exitConflict || !strings.Contains(r.errOut, "report summary first") {
		t.Errorf("with nobody to retry: %+v", r)
	}
	// A receipt that said otherwise.
	i.exec(`UPDATE outcome SET facts = set_byte(set_byte(facts, 6, 0), 8, get_byte(facts, 6)), counts = '{0,0,0,0,0,0,2,1,0,0}'`)
	if shown := i.ok("campaign", "retry", "first", "--failed", "--expired", "--dry-run"); !strings.Contains(shown, "retry of") || !strings.Contains(shown, "failed") {
		t.Errorf("dry run:\n%s", shown)
	}
	plan := decode[api.RetryPlan](t, i.ok("campaign", "retry", "first", "--failed", "--dry-run", "--json"))
	if plan.Recipients != 1 || plan.RetryOf != 1 {
		t.Errorf("plan %+v", plan)
	}
	if r := i.run("campaign", "retry", "first", "--failed", "--expect", "5"); r.code != exitConflict {
		t.Errorf("retry of another number of people: %+v", r)
	}
	if said := i.ok("campaign", "retry", "first", "--failed"); !strings.Contains(said, "1 recipient in run 2, retry of run 1") {
		t.Errorf("retry: %s", said)
	}
	i.ok("campaign", "watch", "first")
	if shown := i.ok("campaign", "status", "first"); !strings.Contains(shown, "2, retry of run 1") {
		t.Errorf("status:\n%s", shown)
	}
	if shown := i.ok("report", "summary", "first"); !strings.Contains(shown, "reached at last") || !strings.Contains(shown, "3 of 3") {
		t.Errorf("summary:\n%s", shown)
	}
	summary := decode[report.RunSummary](t, i.ok("report", "summary", "first", "--json"))
	if w := summary.Whole; summary.RetryOf != 1 || w == nil || w.Run != 1 || w.Retries != 1 || w.People != 3 || w.Reached != 3 {
		t.Errorf("summary %+v", summary)
	}
}
