package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp/smsc"
)

// refuses fails the test unless an error is of the kind and names the mend.
func (b *bench) refuses(what string, err, kind error, mend string) {
	b.t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), mend) {
		b.t.Errorf("%s: %v; want a refusal (%v) that says %q", what, err, kind, mend)
	}
}

func TestATestMessageIsRecordedApart(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	const people = 20
	b.people(people)
	b.create(introTemplate, fmt.Sprintf(introCampaign, "tried"))
	listed := b.config.TestNumbers[0]
	_, err := b.app.Campaigns.Test(t.Context(), "tried", numberOf(0), "", "test")
	b.refuses("a number that is not listed", err, campaign.ErrInvalid, "test_numbers")
	for no, language := range []string{"hi", "en"} {
		test, err := b.app.Campaigns.Test(t.Context(), "tried", listed, language, "test")
		if err != nil {
			t.Fatal(err)
		}
		if test.Kind != "test" || int(test.Run) != no+1 || test.Recipients != 1 {
			t.Errorf("test %d is %s run %d to %d people", no+1, test.Kind, test.Run, test.Recipients)
		}
		b.eventually("the test to be delivered", func() bool {
			test, err := b.app.Campaigns.RunStatus(t.Context(), "tried", "test", test.Run)
			return err == nil && test.State == string(campaign.RunDone) && test.Totals == (campaign.Totals{Delivered: 1})
		})
	}
	if status := b.status("tried"); status.State != string(campaign.StageDraft) || status.Run != 0 {
		t.Errorf("after its tests the campaign is %s, run %d", status.State, status.Run)
	}
	if _, err := b.app.Campaigns.Launch(t.Context(), "tried", campaign.LaunchOptions{Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	status := b.done("tried")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want || status.Run != 1 || status.Recipients != people {
		t.Errorf("run %d to %d people ended with %+v, want %+v", status.Run, status.Recipients, status.Totals, want)
	}
	if rows := b.report("tried"); len(rows) != people || rows[listed].outcome != "" {
		t.Errorf("the report has %d rows, that of the test number being %+v", len(rows), rows[listed])
	}
	if stats := b.centre.Stats(); stats.Messages != people+2 || stats.Duplicates != 0 || len(b.accepted()[listed]) != 3 {
		t.Errorf("the centre counts %d messages, %d duplicates; the test number got %d parts", stats.Messages, stats.Duplicates, len(b.accepted()[listed]))
	}
}

func TestATestKeepsTheListOfStops(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, nil)
	b.run()
	b.create(introTemplate, fmt.Sprintf(introCampaign, "stopped"))
	if err := b.centre.Inject(b.config.TestNumbers[0], "56161", "STOP"); err != nil {
		t.Fatal(err)
	}
	test, err := b.app.Campaigns.Test(t.Context(), "stopped", b.config.TestNumbers[0], "", "test")
	if err != nil {
		t.Fatal(err)
	}
	b.eventually("the test to be over", func() bool {
		test, err := b.app.Campaigns.RunStatus(t.Context(), "stopped", "test", test.Run)
		return err == nil && test.State == string(campaign.RunDone) && test.Totals == (campaign.Totals{Suppressed: 1})
	})
	if stats := b.centre.Stats(); stats.Submits != 0 {
		t.Errorf("%d parts were sent to a number that said stop", stats.Submits)
	}
}

func TestInventedPeopleNeverGoOverARealRoute(t *testing.T) {
	t.Parallel()
	b := newBench(t, smsc.Options{}, func(c *config.Config) { c.Routes[0].Simulated = false })
	b.run()
	const invented = 30
	var list strings.Builder
	list.WriteString("msisdn,name,language,home_district,consent_sms\n")
	for i := range invented {
		fmt.Fprintf(&list, "%d,Asha,hi,BR/Patna,yes\n", firstNumber+1_000_000+i)
	}
	b.importPeople(invented, list.String(), audience.ImportOptions{Invented: true})
	b.create(introTemplate, fmt.Sprintf(introCampaign, "real"))
	_, err := b.app.Campaigns.Launch(t.Context(), "real", campaign.LaunchOptions{Actor: "test"})
	b.refuses("a launch to invented people", err, campaign.ErrInvalid, fmt.Sprintf("invented %d", invented))

	const people = 10
	b.people(people)
	if _, err := b.app.Campaigns.Launch(t.Context(), "real", campaign.LaunchOptions{Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	status := b.done("real")
	if want := (campaign.Totals{Delivered: people}); status.Totals != want || status.Excluded != invented {
		t.Errorf("%+v and %d excluded, want %+v and %d", status.Totals, status.Excluded, want, invented)
	}
	if stats := b.centre.Stats(); stats.Messages != people || stats.Duplicates != 0 {
		t.Errorf("the centre counts %d messages, %d duplicates", stats.Messages, stats.Duplicates)
	}
}

func TestALaunchIsSafeByDefault(t *testing.T) {
	t.Parallel()
	// A run of ten people is over in no time but for its receipts.
	b := newBench(t, smsc.Options{ReceiptDelay: 2 * time.Second}, func(c *config.Config) { c.Approval = "required" })
	b.run()
	const people = 10
	ctx, service := t.Context(), b.app.Campaigns
	launch := func(name string, again bool) error {
		_, err := service.Launch(ctx, name, campaign.LaunchOptions{Again: again, Actor: "asha"})
		return err
	}
	b.create(introTemplate, fmt.Sprintf(introCampaign, "careful"))
	b.refuses("a launch without approval", launch("careful", false), campaign.ErrInvalid, "empty")
	b.people(people)
	b.refuses("a launch without approval", launch("careful", false), campaign.ErrConflict, "pukar campaign submit")
	_, err := service.Approve(ctx, "careful", "ravi")
	b.refuses("an approval before the submission", err, campaign.ErrConflict, "submit it first")
	if _, err := service.Submit(ctx, "careful", "asha"); err != nil {
		t.Fatal(err)
	}
	b.refuses("a launch before the approval", launch("careful", false), campaign.ErrConflict, "pukar campaign approve")
	_, err = service.Approve(ctx, "careful", "asha")
	b.refuses("an approval by who submitted", err, campaign.ErrConflict, "somebody else")
	if _, err := service.Approve(ctx, "careful", "ravi"); err != nil {
		t.Fatal(err)
	}
	if stats := b.centre.Stats(); stats.Submits != 0 {
		t.Errorf("%d parts were sent before the launch", stats.Submits)
	}
	if err := launch("careful", false); err != nil {
		t.Fatal(err)
	}
	b.refuses("a launch while a run goes on", launch("careful", true), campaign.ErrConflict, "wait for it or cancel it")
	b.done("careful")
	b.refuses("a second launch", launch("careful", false), campaign.ErrConflict, "--again")
	if err := launch("careful", true); err != nil {
		t.Fatal(err)
	}
	status := b.until("careful", "the second run to be done", func(s *campaign.Status) bool { return s.Run == 2 && s.FinishedAt != nil })
	if want := (campaign.Totals{Delivered: people}); status.Totals != want {
		t.Errorf("totals %+v, want %+v", status.Totals, want)
	}
	if stats := b.centre.Stats(); stats.Messages != 2*people || stats.Refused != 0 {
		t.Errorf("the centre counts %d messages for two runs to %d people", stats.Messages, people)
	}
}
