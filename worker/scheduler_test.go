package worker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/testenv"
	"pukar/templates"
)

const scheduledTemplate = `
name: intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name]
fallback_language: en
languages:
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#}, your ration card works where you work: 1800-891-2995"}
`

const scheduledCampaign = `
name: campaign-%04d
purpose: ration portability
audience: {all: true}
steps: [{sms: {template: intro, route: main}}]
schedule: {cron: "0 10 * * *"}
`

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// ten is the due time of every scheduled campaign of these tests.
var ten = time.Date(2026, 11, 24, 10, 0, 0, 0, campaign.India)

// scheduledCampaigns is a service with so many campaigns that are due at ten, each for one person.
func scheduledCampaigns(t testing.TB, n int) (*campaign.Service, *pgxpool.Pool, *clock) {
	t.Helper()
	ctx := context.Background()
	db := testenv.DB(t)
	if err := audience.LoadPlaces(ctx, db); err != nil {
		t.Fatal(err)
	}
	if _, _, err := templates.NewStore(db).Add(ctx, []byte(scheduledTemplate), "test"); err != nil {
		t.Fatal(err)
	}
	const person = `
INSERT INTO contact (identity, source, import_id, msisdn, msisdn_key, name, language, consent_sms)
VALUES (gen_random_uuid(), 'test', 1, 919800000001, 1, 'Asha', 'en', true)`
	if _, err := db.Exec(ctx, person); err != nil {
		t.Fatal(err)
	}
	clock := &clock{now: ten.Add(-time.Hour)}
	key, err := audience.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	s := campaign.NewService(campaign.Config{
		Pool: db, Key: key, Places: audience.KnownPlaces(), Routes: map[string]campaign.RouteTerms{"main": {Name: "main", PartsPerSecond: 10}},
		Now: clock.read, Hint: func(context.Context, int32) error { return nil },
	})
	s.AllowVolatile()
	for i := range n {
		if _, err := s.Create(ctx, fmt.Appendf(nil, scheduledCampaign, i), "asha"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Schedule(ctx, fmt.Sprintf("campaign-%04d", i), campaign.ScheduleOptions{Actor: "asha"}); err != nil {
			t.Fatal(err)
		}
	}
	return s, db, clock
}

func runsOf(t testing.TB, db *pgxpool.Pool) (runs int) {
	t.Helper()
	if err := db.QueryRow(context.Background(), `SELECT count(*) FROM run`).Scan(&runs); err != nil {
		t.Fatal(err)
	}
	return runs
}

// Two processes that look at the same moment, with more due than they fire at once: each campaign has one run.
func TestTwoSchedulersFireOnce(t *testing.T) {
	t.Parallel()
	const campaigns = 12
	service, db, clock := scheduledCampaigns(t, campaigns)
	clock.set(ten)
	var both sync.WaitGroup
	for range 2 {
		s := &Scheduler{Pool: db, Campaigns: service, Log: testenv.Logger(t)}
		both.Go(func() {
			if err := s.fireDue(t.Context(), ten); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if runs := runsOf(t, db); runs != campaigns {
		t.Errorf("%d runs of %d campaigns", runs, campaigns)
	}
	s := &Scheduler{Pool: db, Campaigns: service, Log: testenv.Logger(t)}
	if err := s.fireDue(t.Context(), ten.Add(time.Second)); err != nil || runsOf(t, db) != campaigns {
		t.Errorf("%v, %d runs after another look", err, runsOf(t, db))
	}
}

// What was seen in time is not late because others were before it.
func TestWhatWaitsForOthersIsNotLate(t *testing.T) {
	t.Parallel()
	service, db, clock := scheduledCampaigns(t, 1)
	s := &Scheduler{Pool: db, Campaigns: service, Log: testenv.Logger(t)}
	if !s.take("another", ten) { // makes the slots
		t.Fatal("it is nobody's")
	}
	for range firingsAtOnce {
		s.slots <- struct{}{}
	}
	clock.set(ten)
	if err := s.look(t.Context(), ten); err != nil {
		t.Fatal(err)
	}
	// Looked at again and again meanwhile, it stays with whoever has it.
	clock.set(ten.Add(time.Hour))
	if err := s.look(t.Context(), ten.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s.take("campaign-0000", ten.Add(time.Hour)) {
		t.Error("a campaign that waits to be fired was given to a second firing")
	}
	for range firingsAtOnce {
		<-s.slots
	}
	s.work.Wait()
	if runs := runsOf(t, db); runs != 1 {
		t.Errorf("%d runs", runs)
	}
}

// A failure is logged as an error, with the reason and without anybody's number.
func TestAFailedFiringIsLogged(t *testing.T) {
	t.Parallel()
	service, db, clock := scheduledCampaigns(t, 1)
	if _, err := db.Exec(t.Context(), `UPDATE contact SET consent_sms = false`); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := &Scheduler{Pool: db, Campaigns: service, Log: slog.New(slog.NewTextHandler(&log, nil))}
	clock.set(ten)
	if err := s.fireDue(t.Context(), ten); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=ERROR", "campaign=campaign-0000", "no_consent 1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "9800000001") {
		t.Errorf("a number is in the log:\n%s", &log)
	}
}

// Of two processes one leads; when it ends the other one takes over.
func TestOneSchedulerLeads(t *testing.T) {
	t.Parallel()
	service, db, _ := scheduledCampaigns(t, 0)
	leads := func() (n int) {
		const held = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
		if err := db.QueryRow(context.Background(), held, schedulerLock).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	type process struct {
		stop  context.CancelFunc
		ended chan error
	}
	var processes []process
	for range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		p := process{stop: cancel, ended: make(chan error, 1)}
		s := &Scheduler{Pool: db, Campaigns: service, Log: testenv.Logger(t)}
		go func() { p.ended <- s.Run(ctx) }()
		processes = append(processes, p)
	}
	for _, p := range processes {
		testenv.Eventually(t, 20*time.Second, "one process to lead", func() bool { return leads() == 1 })
		p.stop()
		if err := <-p.ended; err != nil {
			t.Error(err)
		}
	}
	testenv.Eventually(t, 20*time.Second, "the lead to be free", func() bool { return leads() == 0 })
}

// BenchmarkLookAtAThousandSchedules is what a scheduler does every second when nothing is due: of a thousand campaigns it
// must stay far below ten milliseconds of CPU, the hundredth part of a core.
func BenchmarkLookAtAThousandSchedules(b *testing.B) {
	service, db, _ := scheduledCampaigns(b, 1000)
	if _, err := db.Exec(context.Background(), `ANALYZE schedule, firing, campaign`); err != nil {
		b.Fatal(err)
	}
	s := &Scheduler{Pool: db, Campaigns: service, Log: slog.New(slog.DiscardHandler)}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.fireDue(context.Background(), ten.Add(-time.Second)); err != nil {
			b.Fatal(err)
		}
	}
}
