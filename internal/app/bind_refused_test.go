package app

import (
	"strings"
	"testing"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

func TestABindWithAWrongPasswordIsNamedAndLosesNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{Credentials: map[string]string{"pukar": "secret"}}, func(c *config.Config) {
		c.Routes[0].Binds[0].Password = "wrong"
	})
	b.run()
	const people = 100
	b.people(people)
	b.launch("refused-bind")
	says := func(text string) bool {
		return strings.Contains(text, "main-1") && strings.Contains(text, "password") && strings.Contains(text, "configuration") && !strings.Contains(text, "wrong")
	}
	b.until("refused-bind", "status to name the bind and the mend", func(s *campaign.Status) bool { return says(s.Why) })
	plan, err := b.app.Campaigns.Plan(t.Context(), "refused-bind")
	if err != nil {
		t.Fatal(err)
	}
	if warnings := strings.Join(plan.Warnings, "\n"); !says(warnings) {
		t.Errorf("the plan warns of\n%s\nwant the bind and the mend", warnings)
	}
	b.quietFor(500*time.Millisecond, "the bind was refused")
	if status := b.status("refused-bind"); status.Totals != (campaign.Totals{Pending: people}) {
		t.Errorf("totals %+v: everybody was to be waiting", status.Totals)
	}
	b.stop()
	b.config.Routes[0].Binds[0].Password = "secret"
	b.run()
	status := b.done("refused-bind")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want || status.Why != "" {
		t.Errorf("totals %+v and %q, want %+v", status.Totals, status.Why, want)
	}
	if stats := b.centre.Stats(); stats.Duplicates != 0 || stats.Messages != people || stats.BindsRefused == 0 {
		t.Errorf("the centre counts %d messages, %d duplicates, %d binds refused", stats.Messages, stats.Duplicates, stats.BindsRefused)
	}
}
