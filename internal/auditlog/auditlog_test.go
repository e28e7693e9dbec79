package auditlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"pukar/internal/testenv"
)

// record appends events, each in a transaction of its own.
func record(t *testing.T, pool *pgxpool.Pool, events ...Event) {
	t.Helper()
	for _, e := range events {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return Append(t.Context(), tx, e) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// some makes n events of all shapes.
func some(n int) []Event {
	var events []Event
	for i := range n {
		e := Event{Actor: "meera", Action: "campaign.pause", Subject: fmt.Sprintf("onorc-%d", i)}
		switch i % 3 {
		case 0:
			e.After = map[string]any{"z": 1.50, "a": []any{nil, true, "<&>\u2028 नमस्ते"}, "aa": map[string]int{"y": 1, "x": 1e9}}
		case 1:
			e.Before, e.After = map[string]string{"state": "running"}, map[string]string{"state": "paused"}
		}
		events = append(events, e)
	}
	return events
}

func verify(t *testing.T, pool *pgxpool.Pool, anchors ...Anchor) Verification {
	t.Helper()
	v, err := Verify(t.Context(), pool, anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChainHolds(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	if v := verify(t, pool); !v.OK() || v.Events != 0 || v.Last != (Anchor{}) {
		t.Errorf("empty chain: %+v", v)
	}
	if head, err := Head(t.Context(), pool); err != nil || head != (Anchor{}) {
		t.Errorf("head of an empty chain: %+v, %v", head, err)
	}
	record(t, pool, some(9)...)
	v := verify(t, pool)
	if head, err := Head(t.Context(), pool); err != nil || head != v.Last {
		t.Errorf("head %+v, %v, want %+v", head, err, v.Last)
	}
	if !v.OK() || v.Events != 9 || v.Last.ID != 9 {
		t.Errorf("chain of 9: %+v", v)
	}
	var export bytes.Buffer
	last, err := Export(t.Context(), pool, &export, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Last, last); diff != "" {
		t.Errorf("anchor of the export: (-verify +export)\n%s", diff)
	}
	offline, err := VerifyExport(&export)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, offline); diff != "" {
		t.Errorf("offline: (-database +file)\n%s", diff)
	}
}

// TestHashIsWhatTheDocumentationSays computes the first hash from a string written by hand.
func TestHashIsWhatTheDocumentationSays(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, Event{Actor: "ravi", Action: "template.add", Subject: "a \"b\" <c>", After: map[string]any{"bb": 1, "a": "क"}})
	entries, err := List(t.Context(), pool, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	want := `["0000000000000000000000000000000000000000000000000000000000000000",1,"` + e.At.String() +
		`","ravi","template.add","a \"b\" <c>",null,{"a":"क","bb":1}]`
	var sum Hash
	if err := pool.QueryRow(t.Context(), `SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')`, want).Scan(textScanner{&sum}); err != nil {
		t.Fatal(err)
	}
	if e.Hash != sum {
		t.Errorf("hash %v, by hand %v", e.Hash, sum)
	}
}

// textScanner scans text into a Hash.
type textScanner struct{ *Hash }

func (s textScanner) Scan(v any) error { return s.UnmarshalText([]byte(v.(string))) }

func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		broken    int64
		why       string
	}{
		{"at", `UPDATE audit_event SET at = at + interval '1 microsecond' WHERE id = 5`, 5, "content"},
		{"actor", `UPDATE audit_event SET actor = 'other' WHERE id = 5`, 5, "content"},
		{"action", `UPDATE audit_event SET action = 'campaign.resume' WHERE id = 5`, 5, "content"},
		{"subject", `UPDATE audit_event SET subject = '' WHERE id = 5`, 5, "content"},
		{"before", `UPDATE audit_event SET before = '{"state": "paused"}' WHERE id = 5`, 5, "content"},
		{"before taken away", `UPDATE audit_event SET before = NULL WHERE id = 5`, 5, "content"},
		{"after", `UPDATE audit_event SET after = after || '{"x": 1}' WHERE id = 5`, 5, "content"},
		{"after made null", `UPDATE audit_event SET after = 'null' WHERE id = 6`, 6, "after was altered"},
		{"before and after swapped", `UPDATE audit_event SET before = after, after = before WHERE id = 5`, 5, "content"},
		{"content moved to another column", `UPDATE audit_event SET actor = actor || action, action = '' WHERE id = 5`, 5, "content"},
		{"previous", `UPDATE audit_event SET previous = sha256('x') WHERE id = 5`, 5, "previous is not the hash of 4"},
		{"previous cut", `UPDATE audit_event SET previous = '' WHERE id = 5`, 5, "previous is not a hash"},
		{"hash", `UPDATE audit_event SET hash = sha256('x') WHERE id = 5`, 5, "content"},
		{"hash cut", `UPDATE audit_event SET hash = '\x00' WHERE id = 5`, 5, "hash is not a hash"},
		{"a middle row removed", `DELETE FROM audit_event WHERE id = 5`, 5, "missing"},
		{"the first row removed", `DELETE FROM audit_event WHERE id = 1`, 1, "missing"},
		{"a middle row removed, the rest moved up", `
			DELETE FROM audit_event WHERE id = 5;
			UPDATE audit_event SET id = -id WHERE id > 5;
			UPDATE audit_event SET id = -id - 1 WHERE id < 0`, 5, "previous is not the hash of 4"},
		{"two rows exchanged", `
			UPDATE audit_event SET id = -4 WHERE id = 4;
			UPDATE audit_event SET id = 4 WHERE id = 5;
			UPDATE audit_event SET id = 5 WHERE id = -4`, 4, "previous is not the hash of 3"},
		{"a row put before the first", `
			INSERT INTO audit_event SELECT 0, at, actor, action, subject, before, after, previous, hash FROM audit_event WHERE id = 1`, 0, "does not follow"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pool := testenv.DB(t)
			record(t, pool, some(9)...)
			if _, err := pool.Exec(t.Context(), test.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
			v := verify(t, pool)
			if v.Broken == nil || *v.Broken != test.broken || !strings.Contains(v.Why, test.why) || v.Events != max(test.broken-1, 0) {
				t.Errorf("broken %v: %q after %d events, want %d: %q", deref(v.Broken), v.Why, v.Events, test.broken, test.why)
			}
		})
	}
}

func deref(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

func TestAnchorShowsWhatTheChainCannot(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, some(6)...)
	early := verify(t, pool).Last
	record(t, pool, some(3)...)
	late := verify(t, pool).Last
	if v := verify(t, pool, early, late); !v.OK() {
		t.Errorf("both anchors: %+v", v)
	}
	// The end is cut off: the chain alone holds.
	if _, err := pool.Exec(t.Context(), `DELETE FROM audit_event WHERE id = 9`); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, pool); !v.OK() || v.Events != 8 {
		t.Errorf("without an anchor: %+v", v)
	}
	if v := verify(t, pool, early); !v.OK() {
		t.Errorf("the early anchor: %+v", v)
	}
	if v := verify(t, pool, early, late); deref(v.Broken) != 9 || !strings.Contains(v.Why, "missing") {
		t.Errorf("the late anchor: %+v", v)
	}
	// The chain is written anew: only an anchor shows it.
	if _, err := pool.Exec(t.Context(), `DELETE FROM audit_event`); err != nil {
		t.Fatal(err)
	}
	record(t, pool, some(9)...)
	if v := verify(t, pool); !v.OK() {
		t.Errorf("a new chain: %+v", v)
	}
	if v := verify(t, pool, early); deref(v.Broken) != 6 || !strings.Contains(v.Why, "anchor") {
		t.Errorf("a new chain against an anchor: %+v", v)
	}
}

func TestExportOfATail(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, some(5)...)
	anchor := verify(t, pool).Last
	record(t, pool, some(4)...)
	var tail bytes.Buffer
	if _, err := Export(t.Context(), pool, &tail, 5); err != nil {
		t.Fatal(err)
	}
	text := tail.String()
	if v, err := VerifyExport(strings.NewReader(text), anchor); err != nil || !v.OK() || v.Events != 4 || v.Last.ID != 9 {
		t.Errorf("tail against its anchor: %+v, %v", v, err)
	}
	if v, err := VerifyExport(strings.NewReader(text)); err != nil || deref(v.Broken) != 1 {
		t.Errorf("tail alone: %+v, %v", v, err)
	}
	altered := strings.Replace(text, "onorc-1", "onorc-9", 1)
	if v, err := VerifyExport(strings.NewReader(altered), anchor); err != nil || deref(v.Broken) != 7 {
		t.Errorf("altered tail: %+v, %v", v, err)
	}
	if _, err := VerifyExport(strings.NewReader("id,actor\n")); !errors.Is(err, ErrNotAnExport) {
		t.Errorf("a CSV: %v", err)
	}
}

func TestAppendStandsOrFallsWithItsTransaction(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, some(1)...)
	sentinel := errors.New("changed my mind")
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		for _, e := range some(3) {
			if err := Append(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return sentinel
	})
	if !errors.Is(err, sentinel) {
		t.Fatal(err)
	}
	record(t, pool, some(1)...)
	if v := verify(t, pool); !v.OK() || v.Events != 2 {
		t.Errorf("after a rollback: %+v", v)
	}
}

// TestWritersTakeTurns lets many transactions append several events each at once.
func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	const writers, each = 8, 5
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for range each {
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					for range 2 {
						if err := Append(t.Context(), tx, Event{Actor: "w", Action: "test.write", Subject: fmt.Sprint(w), After: rand.Int64()}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if v := verify(t, pool); !v.OK() || v.Events != writers*each*2 {
		t.Errorf("%+v, want %d events", v, writers*each*2)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	for name, e := range map[string]Event{
		"no actor":  {Action: "campaign.launch"},
		"no action": {Actor: "meera"},
		"not JSON":  {Actor: "meera", Action: "campaign.launch", After: make(chan int)},
	} {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return Append(t.Context(), tx, e) })
		if !errors.Is(err, ErrInvalidEvent) {
			t.Errorf("%s: %v, want ErrInvalidEvent", name, err)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, some(4)...)
	record(t, pool, Event{Actor: "ravi", Action: "audience.import", Subject: "workers.csv", After: (*int)(nil)})
	tests := []struct {
		name   string
		filter Filter
		want   []int64
	}{
		{"all, newest first", Filter{}, []int64{5, 4, 3, 2, 1}},
		{"a page", Filter{Limit: 2}, []int64{5, 4}},
		{"the next page", Filter{Limit: 2, BelowID: 4}, []int64{3, 2}},
		{"an actor", Filter{Actor: "ravi"}, []int64{5}},
		{"a noun", Filter{Action: "campaign"}, []int64{4, 3, 2, 1}},
		{"an action", Filter{Action: "campaign.pause", Subject: "onorc-2"}, []int64{3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := List(t.Context(), pool, test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, e := range entries {
				got = append(got, e.ID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("ids: (-want +got)\n%s", diff)
			}
		})
	}
}

// TestCanonicalSurvivesJSONB holds what is hashed at the append to what is read back, for any JSON.
func TestCanonicalSurvivesJSONB(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	rapid.Check(t, func(rt *rapid.T) {
		value := drawJSON(rt, 3)
		record(t, pool, Event{Actor: "a", Action: "test.any", Before: value, After: map[string]any{"v": value}})
	})
	if v := verify(t, pool); !v.OK() {
		t.Errorf("%+v", v)
	}
}

// drawJSON draws a value that Go marshals and PostgreSQL stores.
func drawJSON(t *rapid.T, depth int) any {
	text := rapid.StringMatching(`[a-zA-Z0-9 "\\/<>&क-ह\x{1F600}\x{2028}\n]{0,12}`)
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	switch {
	case kind == 0:
		return nil
	case kind == 1:
		return rapid.Bool().Draw(t, "bool")
	case kind == 2:
		return rapid.Int64().Draw(t, "int")
	case kind == 3:
		return rapid.Float64Range(-1e300, 1e300).Draw(t, "float")
	case kind == 4 && depth > 0:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawJSON(t, depth-1))
		}
		return list
	case kind == 5 && depth > 0:
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			object[text.Draw(t, "key")] = drawJSON(t, depth-1)
		}
		return object
	default:
		return text.Draw(t, "text")
	}
}

func TestEntryJSONRoundTrip(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	record(t, pool, some(3)...)
	entries, err := List(t.Context(), pool, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Entry
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if back.At.String() != e.At.String() || back.Hash != e.Hash || back.Previous != e.Previous {
			t.Errorf("round trip: %+v, want %+v", back, e)
		}
	}
}

// TestStatementsFitTheSchema prepares every statement of the package.
func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	pool := testenv.DB(t)
	for i, sql := range []string{sqlLock, sqlLast, sqlAppend, sqlHead, sqlPage, sqlList} {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Conn().Prepare(t.Context(), fmt.Sprintf("s%d", i), sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
		conn.Release()
	}
}
