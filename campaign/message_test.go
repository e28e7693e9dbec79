package campaign

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
)

// ask is a message to the first number, with changes.
func ask(key string, changes ...func(*MessageRequest)) MessageRequest {
	m := MessageRequest{
		Key: key, Template: "intro", Route: "sim", To: "98000 00001", Language: "en", Purpose: "grievances",
		Variables: map[string]string{"name": "Asha", "home_district": "Patna"},
	}
	for _, change := range changes {
		change(&m)
	}
	return m
}

// newMessageDesk is a desk that hashes numbers as it will look for them, and notes the hints of messages.
func newMessageDesk(t testing.TB, people ...string) (d *desk, hints func() []RunHint) {
	t.Helper()
	d = newDesk(t)
	for i, person := range people {
		people[i] = person + ", msisdn_key=0" // judge looks the number up
	}
	d.people(t, people...)
	var mu sync.Mutex
	var given []RunHint
	d.GiveHint = func(_ context.Context, h RunHint) error {
		mu.Lock()
		defer mu.Unlock()
		given = append(given, h)
		return nil
	}
	return d, func() []RunHint {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(given)
	}
}

func (d *desk) post(t tester, m MessageRequest) *Message {
	t.Helper()
	taken, err := d.PostMessage(context.Background(), m, "asha")
	if err != nil {
		t.Fatalf("post %s: %v", m.Key, err)
	}
	return taken
}

func TestAMessageIsARunOfOneRecipient(t *testing.T) {
	t.Parallel()
	d, hints := newMessageDesk(t, "language='hi'")
	m := d.post(t, ask("g-1", func(m *MessageRequest) { m.Language = "" }))
	if m.Number != 1 || m.Language != "hi" || m.Parts != 1 || m.CostINR != "0.0000" || m.Repeated || m.WaitingUntil != nil {
		t.Errorf("taken in as %+v", m)
	}
	if !m.ExpiresAt.Equal(d.now.Add(24 * time.Hour)) {
		t.Errorf("it may leave until %v", m.ExpiresAt)
	}
	run, err := d.office.ledger.Run(t.Context(), m.Run)
	if err != nil {
		t.Fatal(err)
	}
	if run.Campaign != MessagesCampaign || run.Kind != KindMessage || run.Number != 1 || run.Priority != "urgent" || run.State != RunRunning ||
		run.Recipients != 1 || run.OnUnknown != "hold" || !run.Receipts || run.Spec.Purpose != "grievances" || run.Spec.ReceiptWait != 72*time.Hour {
		t.Errorf("the run is %+v", run)
	}
	want := []got{{Seq: 1, Contact: 1, Language: "hi", Vars: []string{"Asha", "Patna"}}}
	if diff := cmp.Diff(want, d.recipients(t, m.Run)); diff != "" {
		t.Error(diff)
	}
	if key := one[int64](t, d.office, `SELECT msisdn_key FROM recipient WHERE run_id = $1`, m.Run); key != d.Key.Number(firstNumber) {
		t.Errorf("the number's key is %d", key)
	}
	d.wantStates(t, m.Run, Pending)
	var hash []byte
	if err := pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) (err error) { hash, err = HashRun(t.Context(), tx, m.Run); return err }); err != nil {
		t.Fatal(err)
	}
	if stored := one[[]byte](t, d.office, `SELECT snapshot_hash FROM run WHERE id = $1`, m.Run); !bytes.Equal(stored, hash) {
		t.Errorf("the run's hash is %x, its recipient's %x", stored, hash)
	}
	if diff := cmp.Diff([]RunHint{{Run: m.Run, Hint: Hint{Batch: 0, No: 1}}}, hints()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"asha message.send g-1"}, d.events(t)); diff != "" {
		t.Error(diff)
	}
	if after := one[string](t, d.office, `SELECT after::text FROM audit_event`); !strings.Contains(after, "91******0001") || strings.Contains(after, "919800000001") {
		t.Errorf("the event says %s", after)
	}
	if second := d.post(t, ask("g-2", func(m *MessageRequest) { m.Route = "main" })); second.Number != 2 || second.CostINR != "0.1450" {
		t.Errorf("the second is %+v", second)
	}
}

func TestTheSameKeyIsTheSameMessage(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	first := d.post(t, ask("g-1", func(m *MessageRequest) { m.Variables["name"] = "Asha Devi" }))
	// What else may have changed since does not matter: neither does the answer.
	d.suppress(t, audience.Suppression{MSISDN: firstNumber, Key: d.Key.Number(firstNumber), Scope: audience.ScopeAll})
	d.exec(t, `UPDATE run SET state = 'settling'`)
	d.now = d.now.Add(29 * day)
	again := NewService(d.Config) // after a restart
	for name, change := range map[string]func(*MessageRequest){
		"the very same":             func(*MessageRequest) {},
		"the number in other words": func(m *MessageRequest) { m.To = "+91-9800000001" },
		"the default said":          func(m *MessageRequest) { m.ValidFor = 24 * time.Hour },
	} {
		m := ask("g-1", func(m *MessageRequest) { m.Variables["name"] = "Asha Devi" }, change)
		taken, err := again.PostMessage(t.Context(), m, "bela")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !taken.Repeated || taken.Number != first.Number || taken.Parts != first.Parts || taken.CostINR != first.CostINR ||
			taken.Language != first.Language || taken.WaitingUntil != nil {
			t.Errorf("%s: %+v, first %+v", name, taken, first)
		}
	}
	for name, change := range map[string]func(*MessageRequest){
		"template":  func(m *MessageRequest) { m.Template = "offer" },
		"route":     func(m *MessageRequest) { m.Route = "main" },
		"number":    func(m *MessageRequest) { m.To = "9800000002" },
		"language":  func(m *MessageRequest) { m.Language = "hi" },
		"purpose":   func(m *MessageRequest) { m.Purpose = "other" },
		"valid_for": func(m *MessageRequest) { m.ValidFor = time.Hour },
		"variable":  func(m *MessageRequest) { m.Variables["name"] = "Asha" },
	} {
		m := ask("g-1", func(m *MessageRequest) { m.Variables["name"] = "Asha Devi" }, change)
		if _, err := again.PostMessage(t.Context(), m, "asha"); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), `the key "g-1" was used`) {
			t.Errorf("another %s under the same key: %v", name, err)
		}
	}
	if n := one[int](t, d.office, `SELECT count(*) FROM run`); n != 1 {
		t.Errorf("%d runs of one key", n)
	}
}

func TestFiftyPostsOfOneKeyAreOneMessage(t *testing.T) {
	t.Parallel()
	d, hints := newMessageDesk(t, "")
	other := NewService(d.Config) // another process
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, numbers := 0, map[int32]bool{}
	for i := range 50 {
		service := []*Service{d.Service, other}[i%2]
		wg.Go(func() {
			for _, key := range []string{"b", "a"} {
				m, err := service.PostMessage(context.Background(), ask(key), "asha")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				numbers[m.Number] = true
				if !m.Repeated {
					fresh++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if fresh != 2 || len(numbers) != 2 || len(hints()) != 2 {
		t.Errorf("%d posts were taken for new, as %v, with %d hints; two keys", fresh, numbers, len(hints()))
	}
	for table, want := range map[string]int{"run": 2, "recipient": 2, "batch": 2, "outcome": 2, "message": 2, "audit_event": 2} {
		if n := one[int](t, d.office, `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()); n != want {
			t.Errorf("%d rows of %s", n, table)
		}
	}
}

func TestOneBadContentUnderAKeyThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	var wg sync.WaitGroup
	var mu sync.Mutex
	conflicts := 0
	for i := range 20 {
		wg.Go(func() {
			_, err := d.PostMessage(context.Background(), ask("g", func(m *MessageRequest) { m.Variables["name"] = string(rune('A' + i)) }), "asha")
			if err != nil && !errors.Is(err, ErrConflict) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				conflicts++
			}
		})
	}
	wg.Wait()
	if conflicts != 19 {
		t.Errorf("%d of 20 other contents under one key were conflicts", conflicts)
	}
}

func TestAMessageIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	d, hints := newMessageDesk(t, "", "consent_sms=false", "age=15, age_on='2026-11-01'", "invented=true", "consent_sms=NULL",
		"msisdn=919800000006, consent_sms=false", "msisdn=919800000006")
	d.suppress(t, audience.Suppression{MSISDN: firstNumber + 20, Key: d.Key.Number(firstNumber + 20), Scope: audience.ScopeSMS, Purpose: "grievances"})
	d.suppress(t, audience.Suppression{MSISDN: firstNumber + 21, Key: d.Key.Number(firstNumber + 21), Scope: audience.ScopeCall})
	night := time.Date(2026, 11, 23, 22, 0, 0, 0, India)
	offer := func(m *MessageRequest) { m.Template, m.Variables = "offer", nil }
	to := func(number string) func(*MessageRequest) { return func(m *MessageRequest) { m.To = number } }
	for _, test := range []struct {
		name   string
		change []func(*MessageRequest)
		now    time.Time
		reason string // of a Refusal
		words  []string
	}{
		{name: "no key", change: []func(*MessageRequest){func(m *MessageRequest) { m.Key = "" }}, words: []string{"key:", "of your own"}},
		{name: "a long key", change: []func(*MessageRequest){func(m *MessageRequest) { m.Key = strings.Repeat("k", 101) }}, words: []string{"key:", "1 to 100"}},
		{name: "a key with a line break", change: []func(*MessageRequest){func(m *MessageRequest) { m.Key = "a\nb" }}, words: []string{"key:"}},
		{name: "a key that is a way up", change: []func(*MessageRequest){func(m *MessageRequest) { m.Key = ".." }}, words: []string{"key:"}},
		{name: "no template", change: []func(*MessageRequest){func(m *MessageRequest) { m.Template = "" }}, words: []string{"template: missing"}},
		{name: "unknown template", change: []func(*MessageRequest){func(m *MessageRequest) { m.Template = "outro" }}, words: []string{`no template "outro"`, "pukar template add"}},
		{name: "no route", change: []func(*MessageRequest){func(m *MessageRequest) { m.Route = "" }}, words: []string{"route: missing"}},
		{name: "unknown route", change: []func(*MessageRequest){func(m *MessageRequest) { m.Route = "away" }}, words: []string{`no route "away"`, "main, sim"}},
		{name: "no purpose", change: []func(*MessageRequest){func(m *MessageRequest) { m.Purpose = " " }}, words: []string{"purpose: missing"}},
		{name: "a landline", change: []func(*MessageRequest){to("0612-2345678")}, words: []string{"to:"}},
		{name: "no number", change: []func(*MessageRequest){to("")}, words: []string{"to:"}},
		{name: "too short", change: []func(*MessageRequest){func(m *MessageRequest) { m.ValidFor = time.Second }}, words: []string{"valid_for:", "1m to 72h"}},
		{name: "too long", change: []func(*MessageRequest){func(m *MessageRequest) { m.ValidFor = 73 * time.Hour }}, words: []string{"valid_for:"}},
		{name: "unknown language", change: []func(*MessageRequest){func(m *MessageRequest) { m.Language = "ta" }}, words: []string{"language:", "en, hi"}},
		{name: "missing variables", change: []func(*MessageRequest){func(m *MessageRequest) { m.Variables = nil }}, words: []string{"name, home_district missing"}},
		{name: "unknown variable", change: []func(*MessageRequest){func(m *MessageRequest) { m.Variables["stage"] = "2" }}, words: []string{"no stage", "name, home_district"}},
		{name: "not as registered", change: []func(*MessageRequest){func(m *MessageRequest) { m.Variables["name"] = "www.example.com" }}, words: []string{"variables:", "name in en"}},
		{name: "said stop to this", change: []func(*MessageRequest){to("9800000021")}, reason: "suppressed", words: []string{"said stop", "nothing was stored", "pukar optout"}},
		{name: "no consent", change: []func(*MessageRequest){to("9800000002")}, reason: "no_consent", words: []string{"consent_sms: no", "nothing was stored"}},
		{name: "a minor", change: []func(*MessageRequest){to("9800000003")}, reason: "under_18", words: []string{"under 18"}},
		{name: "invented", change: []func(*MessageRequest){to("9800000004"), func(m *MessageRequest) { m.Route = "main" }}, reason: "invented", words: []string{"simulated: true"}},
		{name: "consent unknown", change: []func(*MessageRequest){offer, to("9800000005")}, reason: "consent_unknown", words: []string{"promotional"}},
		{name: "consent of a stranger", change: []func(*MessageRequest){offer, to("9800000077")}, reason: "consent_unknown"},
		{name: "lapses before its hours", change: []func(*MessageRequest){offer, func(m *MessageRequest) { m.ValidFor = 2 * time.Hour }}, now: night,
			words: []string{"valid_for:", "2026-11-24T10:00:00+05:30"}},
	} {
		d.now = noon
		if !test.now.IsZero() {
			d.now = test.now
		}
		_, err := d.PostMessage(t.Context(), ask("g", test.change...), "asha")
		kind := ErrInvalid
		if test.reason != "" {
			kind = ErrConflict
			var refused *Refusal
			if !errors.As(err, &refused) || refused.Reason != test.reason {
				t.Errorf("%s: %v, want the refusal %s", test.name, err, test.reason)
			}
		}
		if !errors.Is(err, kind) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		wants(t, err, kind, test.words...)
		if strings.Contains(err.Error(), "98000000") {
			t.Errorf("%s: the error tells the number: %v", test.name, err)
		}
	}
	for _, table := range []string{"run", "message", "audit_event"} {
		if n := one[int](t, d.office, `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()); n != 0 {
			t.Errorf("%d rows of %s though everything was refused", n, table)
		}
	}
	d.now = noon
	for name, change := range map[string][]func(*MessageRequest){
		"a stranger, by a service template":      {to("9800000078")},
		"another channel's stop":                 {to("9800000022")},
		"invented, by a simulated route":         {to("9800000004")},
		"consent unknown, by a service template": {to("9800000005")},
		"one of two with this number":            {to("9800000006")},
		"defaults":                               {offer},
	} {
		if _, err := d.PostMessage(t.Context(), ask(name, change...), "asha"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if vars := one[[]string](t, d.office, `SELECT vars FROM recipient JOIN message USING (run_id) WHERE key = 'defaults'`); !slices.Equal(vars, []string{"friend"}) {
		t.Errorf("the default in the language is %v", vars)
	}
	if n := len(hints()); n != 6 {
		t.Errorf("%d hints of 6 messages", n)
	}
}

func TestAMessageWaitsForTheLawsHours(t *testing.T) {
	t.Parallel()
	d, hints := newMessageDesk(t, "")
	d.now = time.Date(2026, 11, 22, 22, 0, 0, 0, India)
	opens := time.Date(2026, 11, 23, 10, 0, 0, 0, India)
	offer := ask("offer", func(m *MessageRequest) { m.Template, m.Variables = "offer", nil })
	m := d.post(t, offer)
	if m.WaitingUntil == nil || !m.WaitingUntil.Equal(opens) || len(hints()) != 0 {
		t.Errorf("a promotional message at night: %+v, hints %v", m, hints())
	}
	if again := d.post(t, offer); again.WaitingUntil == nil || !again.WaitingUntil.Equal(opens) || !again.Repeated {
		t.Errorf("again: %+v", again)
	}
	service := d.post(t, ask("service"))
	if service.WaitingUntil != nil || len(hints()) != 1 {
		t.Errorf("a service message at night: %+v, hints %v", service, hints())
	}
	d.exec(t, `UPDATE batch SET hinted_at = NULL`)
	if given, err := d.office.ledger.NextMessageHints(t.Context(), d.now); err != nil || len(given) != 1 || given[0].Run != service.Run {
		t.Errorf("hinted at night: %+v, %v", given, err)
	}
	if given, err := d.office.ledger.NextMessageHints(t.Context(), opens); err != nil || len(given) != 1 || given[0].Run != m.Run {
		t.Errorf("hinted in the morning: %+v, %v", given, err)
	}
}

func TestNoMessageIsTakenInWhileARestoreIsPending(t *testing.T) {
	t.Parallel()
	d, hints := newMessageDesk(t, "")
	before := d.post(t, ask("before"))
	if _, err := d.office.ledger.NoticeRestore(t.Context(), "an older mark", time.Now()); err != nil {
		t.Fatal(err)
	}
	if state := d.stateOf(t, before.Run); state != RunPaused {
		t.Errorf("a message is %s after a restore", state)
	}
	_, err := d.PostMessage(t.Context(), ask("after"), "asha")
	wants(t, err, ErrConflict, "resume-all --after-restore")
	if n := one[int](t, d.office, `SELECT count(*) FROM message WHERE key = 'after'`); n != 0 {
		t.Error("a message was stored while a restore is pending")
	}
	if m := d.post(t, ask("before")); !m.Repeated {
		t.Errorf("a known key while a restore is pending: %+v", m)
	}
	if given, err := d.office.ledger.NextMessageHints(t.Context(), noon); err != nil || len(given) != 0 {
		t.Errorf("hinted while a restore is pending: %v, %v", given, err)
	}
	resumed, err := d.ResumeAll(t.Context(), "asha", true)
	if runs, messages := WithoutMessages(resumed); err != nil || len(runs) != 0 || messages != 1 {
		t.Fatalf("%+v, %v", resumed, err)
	}
	if n := one[int](t, d.office, `SELECT (after ->> 'messages')::int FROM audit_event WHERE action = 'database.resume_all'`); n != 1 {
		t.Errorf("the event says %d messages", n)
	}
	if state := d.stateOf(t, before.Run); state != RunRunning {
		t.Errorf("the message is %s after resume-all", state)
	}
	d.post(t, ask("after"))
	if len(hints()) != 2 {
		t.Errorf("hints %v", hints())
	}
}

func TestTheMessagesCampaignIsNotForHands(t *testing.T) {
	t.Parallel()
	d, _ := newMessageDesk(t, "")
	d.post(t, ask("g-1"))
	ctx := t.Context()
	for verb, try := range map[string]func() error{
		"plan": func() error { _, err := d.Plan(ctx, MessagesCampaign); return err },
		"launch": func() error {
			_, err := d.Launch(ctx, MessagesCampaign, LaunchOptions{Again: true, Actor: "asha"})
			return err
		},
		"test":   func() error { _, err := d.Test(ctx, MessagesCampaign, "9800000091", "", "asha"); return err },
		"submit": func() error { _, err := d.Submit(ctx, MessagesCampaign, "asha"); return err },
		"pause":  func() error { _, err := d.Pause(ctx, MessagesCampaign, "asha", "no"); return err },
		"cancel": func() error { _, err := d.Cancel(ctx, MessagesCampaign, "asha", "no"); return err },
		"resume": func() error { _, err := d.Resume(ctx, MessagesCampaign, "asha"); return err },
		"status": func() error { _, err := d.Status(ctx, MessagesCampaign); return err },
	} {
		if err := try(); !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "pukar message status") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if _, err := d.Create(ctx, campaignFile(`"`+MessagesCampaign+`"`), "asha"); !errors.Is(err, ErrInvalid) {
		t.Errorf("a campaign of the same name: %v", err)
	}
	if lines, err := d.List(ctx, ""); err != nil || len(lines) != 0 {
		t.Errorf("the list shows %+v, %v", lines, err)
	}
	if runs := d.openRuns(t); len(runs) != 0 {
		t.Errorf("a message is among the open runs: %+v", runs)
	}
}
