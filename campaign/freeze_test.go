package campaign

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"pukar/audience"
	"pukar/templates"
)

func TestFreezeReasons(t *testing.T) {
	t.Parallel()
	// Every later person lacks what those before her lack too, so that the weightier reason must be the
	// one that is given.
	d := newDesk(t,
		"msisdn=919811111101, consent_sms=false, age=12, age_on='2026-11-01', invented=true, name=NULL", // 1: said stop too
		"msisdn=919811111102, consent_sms=false, age=12, age_on='2026-11-01', invented=true, name=NULL", // 2
		"msisdn=919811111103, consent_sms=NULL, age=12, age_on='2026-11-01', invented=true, name=NULL",  // 3
		"msisdn=919811111104, consent_sms=NULL, invented=true, name=NULL",                               // 4
		"msisdn=919811111105, invented=true, name=NULL",                                                 // 5
		"msisdn=919811111106, name=NULL, home_district=NULL",                                            // 6
		"msisdn=919811111107, home_district=NULL",                                                       // 7
		"msisdn=919811111108, name=NULL",                                                                // 8: the same number as 9, 10
		"msisdn=919811111108",                                                                           // 9
		"msisdn=919811111108",                                                                           // 10
		"msisdn=919811111111, name='Bela', consent_sms=NULL",                                            // 11
		"msisdn=919811111112, birth_year=2008",                                                          // 12: 17 or 18
	)
	d.suppress(t, audience.Suppression{MSISDN: 919811111101, Key: 31 * 919811111101, Scope: audience.ScopeSMS})
	tests := []struct {
		name  string
		lines []string
		want  map[int64]string
		gets  []int64
	}{
		{"service to handsets", nil, map[int64]string{
			1: "suppressed", 2: "no_consent", 3: "under_18", 4: "invented", 5: "invented", 6: "missing_variable:name",
			7: "missing_variable:home_district", 8: "missing_variable:name", 10: "duplicate_number",
		}, []int64{9, 11, 12}},
		{"service to a simulator", []string{"steps: [{sms: {template: intro, route: sim}}]"}, map[int64]string{
			1: "suppressed", 2: "no_consent", 3: "under_18", 4: "missing_variable:name", 5: "missing_variable:name", 6: "missing_variable:name",
			7: "missing_variable:home_district", 8: "missing_variable:name", 10: "duplicate_number",
		}, []int64{9, 11, 12}},
		{"promotional, with defaults", []string{"steps: [{sms: {template: offer, route: main}}]"}, map[int64]string{
			1: "suppressed", 2: "no_consent", 3: "under_18", 4: "consent_unknown", 5: "invented", 9: "duplicate_number", 10: "duplicate_number", 11: "consent_unknown",
		}, []int64{6, 7, 8, 12}},
		{"another purpose", []string{"purpose: camps"}, map[int64]string{
			1: "suppressed", 2: "no_consent", 3: "under_18", 4: "invented", 5: "invented", 6: "missing_variable:name",
			7: "missing_variable:home_district", 8: "missing_variable:name", 10: "duplicate_number",
		}, []int64{9, 11, 12}},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status := d.launch(t, "reasons-"+strconv.Itoa(i), test.lines...)
			if diff := cmp.Diff(test.want, d.reasons(t, status.RunID)); diff != "" {
				t.Error(diff)
			}
			var gets []int64
			for n, r := range d.recipients(t, status.RunID) {
				gets = append(gets, r.Contact)
				if r.Seq != int32(n)+1 {
					t.Errorf("recipient %d has number %d", n+1, r.Seq)
				}
			}
			if !slices.Equal(gets, test.gets) {
				t.Errorf("messages go to %v, want %v", gets, test.gets)
			}
			if status.Recipients != int64(len(test.gets)) || status.Excluded != int64(len(test.want)) || status.Targeted != 12 {
				t.Errorf("status is %+v", status)
			}
			if status.Totals != (Totals{Pending: int64(len(test.gets))}) {
				t.Errorf("totals are %+v", status.Totals)
			}
		})
	}
}

func TestFreezeSuppressions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "", "", "", "", "")
	for i, s := range []audience.Suppression{
		{Scope: audience.ScopeAll}, {Scope: audience.ScopeSMS}, {Scope: audience.ScopeCall},
		{Scope: audience.ScopeAll, Purpose: testPurpose}, {Scope: audience.ScopeAll, Purpose: "another"}, {Scope: audience.ScopeAll},
	} {
		s.MSISDN, s.Key = numberOf(int32(i)+1), keyOf(int32(i)+1)
		d.suppress(t, s)
	}
	if _, err := audience.Lift(t.Context(), d.db, keyOf(6), "", "asha", "she asked for it"); err != nil {
		t.Fatal(err)
	}
	status := d.launch(t, "stops")
	want := map[int64]string{1: "suppressed", 2: "suppressed", 4: "suppressed"}
	if diff := cmp.Diff(want, d.reasons(t, status.RunID)); diff != "" {
		t.Error(diff)
	}
}

func TestFreezeLanguagesAndValues(t *testing.T) {
	t.Parallel()
	d := newDesk(t,
		"name='Asha', language='hi'", "name='Asha', language='en'", "name='Asha', language='ta'", "name='Asha', language=NULL",
		"name=NULL, language='hi'", "name=NULL, language='en'", "name='', language='bn'", "name=NULL, language='bho', home_district=339",
	)
	tests := []struct {
		name  string
		lines []string
		want  []got
	}{
		{"places by the language of the text", nil, []got{
			{1, 1, "hi", []string{"Asha", "पटना"}}, {2, 2, "en", []string{"Asha", "Patna"}},
			{3, 3, "en", []string{"Asha", "Patna"}}, {4, 4, "en", []string{"Asha", "Patna"}},
		}},
		{"defaults by the language of the text", []string{"steps: [{sms: {template: offer, route: main}}]"}, []got{
			{1, 1, "hi", []string{"Asha"}}, {2, 2, "en", []string{"Asha"}}, {3, 3, "hi", []string{"Asha"}}, {4, 4, "hi", []string{"Asha"}},
			{5, 5, "hi", []string{"साथी"}}, {6, 6, "en", []string{"friend"}}, {7, 7, "hi", []string{"साथी"}}, {8, 8, "hi", []string{"साथी"}},
		}},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status := d.launch(t, "language-"+strconv.Itoa(i), test.lines...)
			if diff := cmp.Diff(test.want, d.recipients(t, status.RunID)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("everything is frozen", func(t *testing.T) {
		d.exec(t, `UPDATE contact SET name = 'Changed', language = 'en', msisdn = 919899999999`)
		run := one[int32](t, d.office, `SELECT min(id) FROM run`)
		if diff := cmp.Diff(tests[0].want, d.recipients(t, run)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEveryTemplateFieldIsKnown holds what a template may name to what the register can turn into text.
func TestEveryTemplateFieldIsKnown(t *testing.T) {
	t.Parallel()
	for _, field := range append(templates.Fields(), "attributes.camp") {
		if _, ok := audience.FieldText(field, "'hi'"); !ok {
			t.Errorf("a template may name %q, and the register does not know it", field)
		}
	}
}

func TestBatchSize(t *testing.T) {
	t.Parallel()
	for recipients, want := range map[int32]int32{
		1: 1000, 8000: 1000, 15_999: 1000, 16_000: 2000, 79_999: 9000, 80_000: 10_000, 5_000_000: 10_000, math.MaxInt32: 10_000,
	} {
		if got := batchSize(recipients); got != want {
			t.Errorf("%d recipients: batches of %d, want %d", recipients, got, want)
		}
	}
}

func TestPrepareLedger(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	for i, test := range []struct {
		recipients int32
		batches    [][3]int32 // lo, hi, sent_upto
		blocks     []int      // recipients of each
	}{
		{1, [][3]int32{{1, 1, 0}}, []int{1}},
		{1000, [][3]int32{{1, 1000, 0}}, []int{1000}},
		{1001, [][3]int32{{1, 1000, 0}, {1001, 1001, 1000}}, []int{1000, 1}},
		{4000, [][3]int32{{1, 1000, 0}, {1001, 2000, 1000}, {2001, 3000, 2000}, {3001, 4000, 3000}}, slices.Repeat([]int{1000}, 4)},
		{16_001, [][3]int32{
			{1, 2000, 0}, {2001, 4000, 2000}, {4001, 6000, 4000}, {6001, 8000, 6000}, {8001, 10_000, 8000},
			{10_001, 12_000, 10_000}, {12_001, 14_000, 12_000}, {14_001, 16_000, 14_000}, {16_001, 16_001, 16_000},
		}, append(slices.Repeat([]int{1000}, 16), 1)},
	} {
		run := int32(1000 + i)
		err := pgx.BeginFunc(ctx, o.db, func(tx pgx.Tx) error { return prepareLedger(ctx, tx, run, test.recipients) })
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := o.db.Query(ctx, `SELECT lo, hi, sent_upto FROM batch WHERE run_id = $1 ORDER BY no`, run)
		batches, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b [3]int32, err error) {
			err = row.Scan(&b[0], &b[1], &b[2])
			return b, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.batches, batches); diff != "" {
			t.Errorf("%d recipients: %s", test.recipients, diff)
		}
		rows, _ = o.db.Query(ctx, `SELECT facts, counts FROM outcome WHERE run_id = $1 ORDER BY block`, run)
		var blocks []int
		var packed []byte
		var counts []int32
		if _, err := pgx.ForEachRow(rows, []any{&packed, &counts}, func() error {
			facts, err := DecodeBlock(packed)
			if err != nil {
				return err
			}
			blocks = append(blocks, len(facts))
			if counts[Pending] != int32(len(facts)) || len(counts) != int(stateCount) {
				t.Errorf("a block of %d counts %v", len(facts), counts)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.blocks, blocks); diff != "" {
			t.Errorf("%d recipients: %s", test.recipients, diff)
		}
	}
}

func TestHashRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	run := o.newRun(t, terms{recipients: 2100})
	hash := func(run int32) []byte {
		t.Helper()
		var sum []byte
		err := pgx.BeginFunc(t.Context(), o.db, func(tx pgx.Tx) (err error) {
			sum, err = HashRun(t.Context(), tx, run)
			return err
		})
		if err != nil || len(sum) != 32 {
			t.Fatalf("%x, %v", sum, err)
		}
		return sum
	}
	first := hash(run)
	if again := hash(run); !bytes.Equal(first, again) {
		t.Error("the same run has two hashes")
	}
	if copied := hash(o.newRun(t, terms{recipients: 2100})); !bytes.Equal(first, copied) {
		t.Error("the same people in the same order have another hash")
	}
	changes := map[string]string{
		"a language":                 `UPDATE recipient SET language = 'hi' WHERE run_id = $1 AND seq = 2100`,
		"a number":                   `UPDATE recipient SET msisdn_key = msisdn_key + 1 WHERE run_id = $1 AND seq = 1`,
		"one more":                   `INSERT INTO recipient SELECT run_id, 2101, 0, 0, 0, 'en', '{}' FROM recipient WHERE run_id = $1 AND seq = 1`,
		"one fewer":                  `DELETE FROM recipient WHERE run_id = $1 AND seq = 2101`,
		"two in each other's places": `UPDATE recipient SET msisdn_key = CASE seq WHEN 5 THEN 31 * 919800000006 ELSE 31 * 919800000005 END WHERE run_id = $1 AND seq IN (5, 6)`,
	}
	seen := map[string]bool{string(first): true}
	for _, what := range []string{"a language", "a number", "one more", "two in each other's places"} {
		o.exec(t, changes[what], run)
		changed := hash(run)
		if seen[string(changed)] {
			t.Errorf("the hash does not show %s", what)
		}
		seen[string(changed)] = true
	}
	before := hash(run)
	o.exec(t, `UPDATE recipient SET msisdn = 0, vars = '{}', contact_id = 0, home_state = NULL WHERE run_id = $1`, run)
	if !bytes.Equal(before, hash(run)) {
		t.Error("the hash does not outlive an erasure")
	}
}

func TestLaunchIsAtomic(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "", "name=NULL")
	d.create(t, "atomic")
	tables := []string{"run", "recipient", "exclusion", "batch", "outcome"}
	nothing := func(why string) {
		t.Helper()
		for _, table := range tables {
			if n := one[int](t, d.office, `SELECT count(*) FROM `+table); n != 0 {
				t.Errorf("%s: %d rows of %s are left", why, n, table)
			}
		}
		if stage := one[Stage](t, d.office, `SELECT state FROM campaign WHERE name = 'atomic'`); stage != StageDraft {
			t.Errorf("%s: the campaign is %s", why, stage)
		}
		if launched := one[int](t, d.office, `SELECT count(*) FROM audit_event WHERE action = 'campaign.launch'`); launched != 0 {
			t.Errorf("%s: a launch is on record", why)
		}
		if len(d.hints) != 0 {
			t.Errorf("%s: hints were given", why)
		}
	}
	// Whatever table the freeze fails at, nothing of it stays.
	for _, table := range append(tables, "audit_event") {
		d.exec(t, `ALTER TABLE `+table+` ADD CONSTRAINT broken CHECK (false) NOT VALID`)
		if _, err := d.Launch(t.Context(), "atomic", LaunchOptions{Actor: "asha"}); err == nil {
			t.Errorf("a launch without table %s succeeded", table)
		}
		nothing(table)
		d.exec(t, `ALTER TABLE `+table+` DROP CONSTRAINT broken`)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Launch(cancelled, "atomic", LaunchOptions{Actor: "asha"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a launch that was broken off says %v", err)
	}
	nothing("broken off")
	status, err := d.Launch(t.Context(), "atomic", LaunchOptions{Actor: "asha"})
	if err != nil || status.Recipients != 2 || status.Excluded != 1 {
		t.Fatalf("%+v, %v", status, err)
	}
	if !slices.Equal(d.hints, []int32{status.RunID}) {
		t.Errorf("hints were given for %v, want run %d", d.hints, status.RunID)
	}
}

func TestLaunchOfNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "name=NULL", "consent_sms=false", "consent_sms=false")
	for _, test := range []struct{ name, audience, want string }{
		{"empty", "audience: {home: [KL]}", "nobody in the register"},
		{"all-excluded", "audience: {all: true}", "all 3 people of the audience are excluded: no_consent 2, missing_variable:name 1"},
	} {
		d.create(t, test.name, test.audience)
		_, err := d.Launch(t.Context(), test.name, LaunchOptions{Actor: "asha"})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want ErrInvalid with %q", test.name, err, test.want)
		}
		if runs := one[int](t, d.office, `SELECT count(*) FROM run`); runs != 0 {
			t.Errorf("%s: a run was made", test.name)
		}
	}
}

// TestPlanIsWhatLaunchFreezes holds the plan to the freeze on made-up people.
func TestPlanIsWhatLaunchFreezes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	columns := map[string][]string{
		"msisdn": {"919811111101", "919811111102", "919811111103", "919811111104", "919811111105", "919811111106"},
		"name":   {"'Asha'", "NULL", "''", "'राम'"}, "language": {"'hi'", "'en'", "'bn'", "NULL"},
		"home_state": {"10", "20", "NULL"}, "home_district": {"212", "339", "NULL"}, "consent_sms": {"true", "false", "NULL"},
		"age": {"17", "40", "NULL"}, "age_on": {"'2026-11-01'"}, "invented": {"true", "false"},
	}
	names := make([]string, 0, len(columns))
	for column := range columns {
		names = append(names, column)
	}
	slices.Sort(names)
	audiences := []string{"{all: true}", "{home: [BR]}", "{language: [hi, en]}", `{where: "age >= 18"}`, `{where: "age >= 18", eligibility: both}`, `{where: "age >= 18", eligibility: unknown}`}
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks++; checks > modestChecks(25) && !t.Failed() {
			return
		}
		d.exec(rt, `TRUNCATE contact, suppression`)
		person := rapid.Custom(func(rt *rapid.T) string {
			var values []string
			for _, column := range names {
				values = append(values, column+"="+rapid.SampledFrom(columns[column]).Draw(rt, column))
			}
			return strings.Join(values, ", ")
		})
		d.people(rt, rapid.SliceOfN(person, 0, 12).Draw(rt, "people")...)
		if rapid.Bool().Draw(rt, "stop") {
			d.suppress(rt, audience.Suppression{MSISDN: 919811111101, Key: 31 * 919811111101, Scope: audience.ScopeAll})
		}
		name := "plan-" + strconv.Itoa(checks)
		d.create(rt, name, "audience: "+rapid.SampledFrom(audiences).Draw(rt, "audience"),
			"steps: [{sms: {template: "+rapid.SampledFrom([]string{"intro", "offer"}).Draw(rt, "template")+", route: "+rapid.SampledFrom([]string{"main", "sim"}).Draw(rt, "route")+"}}]")
		plan, err := d.Plan(ctx, name)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		if plan.Targeted != plan.Recipients+plan.Excluded {
			rt.Errorf("%d are targeted, %d recipients and %d excluded", plan.Targeted, plan.Recipients, plan.Excluded)
		}
		status, err := d.Launch(ctx, name, LaunchOptions{Actor: "asha"})
		if plan.Recipients == 0 {
			if !errors.Is(err, ErrInvalid) {
				rt.Fatalf("a campaign to nobody: %v", err)
			}
			return
		}
		if err != nil {
			rt.Fatalf("%v", err)
		}
		languages, reasons := map[string]int64{}, map[string]int64{}
		for _, r := range d.recipients(rt, status.RunID) {
			languages[r.Language]++
		}
		for _, reason := range d.reasons(rt, status.RunID) {
			reasons[reason]++
		}
		byName := cmpopts.SortSlices(func(a, b Tally) bool { return a.Name < b.Name })
		if diff := cmp.Diff(plan.ByLanguage, tally(languages), byName, cmpopts.EquateEmpty()); diff != "" {
			rt.Errorf("languages: %s", diff)
		}
		if diff := cmp.Diff(plan.ByReason, tally(reasons), byName, cmpopts.EquateEmpty()); diff != "" {
			rt.Errorf("reasons: %s", diff)
		}
		if plan.Recipients != status.Recipients || plan.Excluded != status.Excluded {
			rt.Errorf("planned %d and %d excluded, frozen %d and %d", plan.Recipients, plan.Excluded, status.Recipients, status.Excluded)
		}
		if numbers := one[int64](rt, d.office, `SELECT count(DISTINCT msisdn) FROM recipient WHERE run_id = $1`, status.RunID); numbers != status.Recipients {
			rt.Errorf("%d messages go to %d numbers", status.Recipients, numbers)
		}
	})
}

func TestPlan(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "", "language='hi'", "language='hi', home_state=NULL", "consent_sms=false", "age=17, age_on='2026-11-01'")
	d.create(t, "planned", "rate: {parts_per_second: 2}")
	plan, err := d.Plan(t.Context(), "planned")
	if err != nil {
		t.Fatal(err)
	}
	want := &Plan{
		Campaign: "planned", Template: "intro", TemplateVersion: 1, Category: "service", Route: "main",
		Targeted: 5, Recipients: 3, Excluded: 2, ByLanguage: []Tally{{"hi", 2}, {"en", 1}}, ByReason: []Tally{{"no_consent", 1}, {"under_18", 1}},
		Parts: 3, CostINR: "0.4350", PartsPerSecond: 2, Window: "mon,tue,wed,thu,fri,sat 10:00 to 19:00", DrainSeconds: 10,
		StartsAt: noon, FinishesAt: noon.Add(1500 * time.Millisecond),
	}
	states := map[string]int64{}
	for _, tally := range plan.ByState {
		states[tally.Name] = tally.Count
	}
	if diff := cmp.Diff(map[string]int64{"Bihar": 2, "unknown": 1}, states); diff != "" {
		t.Error(diff)
	}
	if len(plan.Samples) != 2 || plan.Samples[0].Language != "en" || plan.Samples[0].Parts != 1 || !strings.Contains(plan.Samples[1].Text, "नमस्ते Asha, पटना") {
		t.Errorf("samples are %+v", plan.Samples)
	}
	if diff := cmp.Diff(want, plan, cmpopts.IgnoreFields(Plan{}, "ByState", "Samples", "Warnings")); diff != "" {
		t.Error(diff)
	}
	d.now = ist("2026-11-28 18:59:49") // the last second before Sunday, less the time that messages take to arrive
	plan, err = d.Plan(t.Context(), "planned")
	if err != nil || !plan.FinishesAt.Equal(ist("2026-11-30 10:00:00.5")) {
		t.Errorf("it finishes %s (%v), want on Monday", plan.FinishesAt, err)
	}
	if rows := one[int](t, d.office, `SELECT count(*) FROM recipient`); rows != 0 {
		t.Error("a plan left recipients behind")
	}
}
