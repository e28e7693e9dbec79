package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/testenv"
	"pukar/web/api"
)

func TestResumeAllByCommand(t *testing.T) {
	t.Parallel()
	i := install(t, 1) // so slow that it does not end
	if r := i.run("resume-all", "--after-restore"); r.code != exitConflict || !strings.Contains(r.errOut, "no restore is pending") {
		t.Errorf("nothing pending: %+v", r)
	}
	var list strings.Builder
	list.WriteString("msisdn,name,language,consent_sms\n")
	for n := range 300 {
		fmt.Fprintf(&list, "%d,Person %d,en,yes\n", 9812300000+n, n)
	}
	i.ok("audience", "import", write(t, "people.csv", list.String()))
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile))
	i.ok("campaign", "launch", "first")
	if _, err := campaign.NewLedger(testenv.DB(t)).NoticeRestore(t.Context(), "a test", time.Now()); err != nil {
		t.Fatal(err)
	}
	const mend = "pukar resume-all --after-restore"
	if shown := i.ok("campaign", "status", "first"); !strings.Contains(shown, mend) {
		t.Errorf("status:\n%s", shown)
	}
	for _, line := range []string{"campaign resume first", "resume-all"} {
		if r := i.run(strings.Fields(line)...); r.code != exitConflict || !strings.Contains(r.errOut, mend) {
			t.Errorf("%s: %+v", line, r)
		}
	}
	if said := i.ok("resume-all", "--after-restore"); !strings.Contains(said, "Runs that go on: 1\n  first, run 1") {
		t.Errorf("resume-all: %s", said)
	}
	if status := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json")); status.State != "running" {
		t.Errorf("status %+v", status)
	}
}
