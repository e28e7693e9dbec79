package campaign

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/templates"
)

// introTemplate is a service message without defaults, offerTemplate a promotional one with them.
const (
	introTemplate = `
name: intro
category: service
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables: [name, home_district]
fallback_language: en
languages:
  hi: {template_id: "1107172974420810001", text: "नमस्ते {#alphanumeric#}, {#alphanumeric#} के राशन कार्ड पर यहीं राशन मिलेगा: 1800-891-2995"}
  en: {template_id: "1107172974420810002", text: "Dear {#alphanumeric#} of {#alphanumeric#}, your ration card works where you work: 1800-891-2995"}
`
	offerTemplate = `
name: offer
category: promotional
header: HELPLN
dlt: {entity_id: "1101172974420810001"}
variables:
  - {field: name, default: {hi: साथी, en: friend}}
fallback_language: hi
languages:
  hi: {template_id: "1107172974420810003", text: "नमस्ते {#alphanumeric#}, शिविर में आइए: 1800-891-2995. STOP: 1909"}
  en: {template_id: "1107172974420810004", text: "Dear {#alphanumeric#}, come to the camp: 1800-891-2995. STOP: 1909"}
`
)

// desk is a Service on a database with places, templates and people.
type desk struct {
	*office
	*Service
	now   time.Time
	mu    sync.Mutex
	hints []int32
}

func newDesk(t testing.TB, people ...string) *desk {
	t.Helper()
	ctx := context.Background()
	d := &desk{office: newOffice(t), now: noon}
	if err := audience.LoadPlaces(ctx, d.db); err != nil {
		t.Fatal(err)
	}
	schemes, err := audience.LoadSchemes()
	if err != nil {
		t.Fatal(err)
	}
	key, err := audience.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	d.Service = NewService(Config{
		Pool: d.db, Key: key, Places: audience.KnownPlaces(), Schemes: schemes, TestNumbers: []int64{firstNumber + 90},
		Routes: map[string]RouteTerms{
			"main": {Name: "main", Receipts: true, INRPerPart: 145_000, PartsPerSecond: 10},
			"sim":  {Name: "sim", Receipts: true, Simulated: true, Window: 10},
		},
		Now: func() time.Time { return d.now },
		Hint: func(_ context.Context, run int32) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.hints = append(d.hints, run)
			return nil
		},
	})
	d.AllowVolatile()
	store := templates.NewStore(d.db)
	for _, source := range []string{introTemplate, offerTemplate} {
		if _, _, err := store.Add(ctx, []byte(source), "test"); err != nil {
			t.Fatal(err)
		}
	}
	d.people(t, people...)
	return d
}

// usual is what is known of a person of whom a test says nothing else.
var usual = map[string]string{"name": "'Asha'", "home_state": "10", "home_district": "212", "language": "'en'", "consent_sms": "true"}

// people adds people, each a list of columns and values in SQL: "msisdn=919800000001, age=30".
func (d *desk) people(t tester, people ...string) {
	t.Helper()
	var batch pgx.Batch
	for i, person := range people {
		values := map[string]string{"identity": "gen_random_uuid()", "source": "'test'", "import_id": "1", "msisdn": fmt.Sprint(firstNumber + i)}
		for column, value := range usual {
			values[column] = value
		}
		for assignment := range strings.SplitSeq(person, ", ") {
			if column, value, ok := strings.Cut(assignment, "="); ok {
				values[column] = value
			}
		}
		if _, given := values["msisdn_key"]; !given {
			values["msisdn_key"] = "31 * (" + values["msisdn"] + ")::int8" // as keyOf
		}
		var columns, list []string
		for column, value := range values {
			columns, list = append(columns, column), append(list, value)
		}
		batch.Queue("INSERT INTO contact (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(list, ", ") + ")")
	}
	if err := d.db.SendBatch(context.Background(), &batch).Close(); err != nil {
		t.Fatalf("add people: %v", err)
	}
}

// campaignFile is a campaign for everybody, with lines added or put in the place of those of the same key.
func campaignFile(name string, lines ...string) []byte {
	keys := []string{"name: " + name, "purpose: " + testPurpose, "audience: {all: true}", "steps: [{sms: {template: intro, route: main}}]"}
	for _, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		replaced := false
		for i := range keys {
			if strings.HasPrefix(keys[i], key+":") {
				keys[i], replaced = line, true
			}
		}
		if !replaced {
			keys = append(keys, line)
		}
	}
	return []byte(strings.Join(keys, "\n") + "\n")
}

// create stores a campaign.
func (d *desk) create(t tester, name string, lines ...string) {
	t.Helper()
	if _, err := d.Create(context.Background(), campaignFile(name, lines...), "asha"); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
}

// launch creates and launches a campaign and answers its run.
func (d *desk) launch(t tester, name string, lines ...string) *Status {
	t.Helper()
	d.create(t, name, lines...)
	status, err := d.Launch(context.Background(), name, LaunchOptions{Actor: "asha"})
	if err != nil {
		t.Fatalf("launch %s: %v", name, err)
	}
	return status
}

// got is somebody who gets a message.
type got struct {
	Seq      int32
	Contact  int64
	Language string
	Vars     []string
}

func (d *desk) recipients(t tester, run int32) []got {
	t.Helper()
	rows, err := d.db.Query(context.Background(), `SELECT seq, contact_id, language, vars FROM recipient WHERE run_id = $1 ORDER BY seq`, run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[got])
	if err != nil {
		t.Fatalf("%v", err)
	}
	return list
}

// reasons are why people were left out, by contact.
func (d *desk) reasons(t tester, run int32) map[int64]string {
	t.Helper()
	rows, err := d.db.Query(context.Background(), `SELECT contact_id, reason FROM exclusion WHERE run_id = $1`, run)
	if err != nil {
		t.Fatalf("%v", err)
	}
	reasons := map[int64]string{}
	var contact int64
	var reason string
	if _, err := pgx.ForEachRow(rows, []any{&contact, &reason}, func() error { reasons[contact] = reason; return nil }); err != nil {
		t.Fatalf("%v", err)
	}
	return reasons
}
