package main

import (
	"fmt"
	"strings"
	"testing"

	"pukar/web/api"
)

func TestStopAllByCommand(t *testing.T) {
	t.Parallel()
	i := install(t, 1) // so slow that it does not end
	var list strings.Builder
	list.WriteString("msisdn,name,language,consent_sms\n")
	for n := range 300 {
		fmt.Fprintf(&list, "%d,Person %d,en,yes\n", 9812300000+n, n)
	}
	i.ok("audience", "import", write(t, "people.csv", list.String()))
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile))
	i.ok("campaign", "launch", "first")
	if r := i.run("stop-all"); r.code == exitOK || !strings.Contains(r.errOut, "--reason") {
		t.Errorf("without a reason: %+v", r)
	}
	if r := i.run("resume-all"); r.code != exitConflict || !strings.Contains(r.errOut, "nothing was stopped") {
		t.Errorf("nothing stopped: %+v", r)
	}
	stopped := decode[api.StopAllResult](t, i.ok("stop-all", "--reason", "wrong text", "--json"))
	if stopped.PausedRuns != 1 || stopped.Already || !stopped.Complete || stopped.Reason != "wrong text" {
		t.Errorf("%+v", stopped)
	}
	if said := i.ok("stop-all", "--reason", "again"); !strings.Contains(said, "stopped already") || !strings.Contains(said, "wrong text") {
		t.Errorf("stopped again: %s", said)
	}
	const mend = "`pukar resume-all`"
	for _, line := range []string{"campaign status first", "campaign list"} {
		if shown := i.ok(strings.Fields(line)...); !strings.Contains(shown, mend) || !strings.Contains(shown, "wrong text") {
			t.Errorf("%s:\n%s", line, shown)
		}
	}
	for _, line := range []string{"campaign resume first", "campaign launch first --again", "resume-all --after-restore"} {
		if r := i.run(strings.Fields(line)...); r.code != exitConflict || !strings.Contains(r.errOut, mend) {
			t.Errorf("%s: %+v", line, r)
		}
	}
	if said := i.ok("resume-all"); !strings.Contains(said, "Runs that go on: 1\n  first, run 1") {
		t.Errorf("resume-all: %s", said)
	}
	if status := decode[api.CampaignStatus](t, i.ok("campaign", "status", "first", "--json")); status.State != "running" || status.Held != "" {
		t.Errorf("status %+v", status)
	}
}
