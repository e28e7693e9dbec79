package audience

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"pukar/internal/testenv"
)

func stop(key int64, scope, purpose string) Suppression {
	return Suppression{Key: key, MSISDN: 919800000000 + key, Scope: scope, Purpose: purpose, Source: SourceKeyword, Evidence: "STOP", Actor: "test"}
}

func TestSuppress(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	first := stop(1, ScopeAll, "")
	first.At = at
	add := func(want int, list ...Suppression) {
		t.Helper()
		added, err := Suppress(ctx, db, list)
		if err != nil || added != want {
			t.Fatalf("added %d, %v, want %d", added, err, want)
		}
	}
	add(0)
	add(1, first)
	add(0, stop(1, ScopeAll, ""))                                             // the same stop again
	add(2, stop(1, ScopeSMS, ""), stop(1, ScopeAll, ""), stop(1, "sms", "x")) // other scopes and purposes are other stops
	add(1, stop(2, ScopeCall, ""), stop(2, ScopeCall, ""))                    // twice in one list
	got, err := CheckSuppressed(ctx, db, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("%d stops, want 3", len(got))
	}
	want := first
	if diff := cmp.Diff(want, got[0], cmpopts.IgnoreFields(Suppression{}, "ID"), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("first stop (-want +got):\n%s", diff)
	}
}

func TestSuppressRefuses(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	for name, change := range map[string]func(*Suppression){
		"scope":  func(s *Suppression) { s.Scope = "" },
		"source": func(s *Suppression) { s.Source = "gossip" },
		"actor":  func(s *Suppression) { s.Actor = "" },
		"nul":    func(s *Suppression) { s.Evidence = "a\x00b" },
	} {
		bad := stop(1, ScopeAll, "")
		change(&bad)
		if _, err := Suppress(ctx, db, []Suppression{stop(2, ScopeAll, ""), bad}); !errors.Is(err, ErrInvalidSuppression) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got, err := CheckSuppressed(ctx, db, 2); err != nil || len(got) != 0 {
		t.Errorf("a list with a bad row left %v, %v", got, err)
	}
}

func TestSuppressInTransaction(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	undone := errors.New("undone")
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := Suppress(ctx, tx, []Suppression{stop(1, ScopeAll, "")}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if got, err := CheckSuppressed(ctx, db, 1); err != nil || len(got) != 0 {
		t.Errorf("a stop of a transaction rolled back: %v, %v", got, err)
	}
}

func TestLift(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	if _, err := Suppress(ctx, db, []Suppression{stop(1, ScopeAll, ""), stop(1, ScopeSMS, ""), stop(2, ScopeSMS, "")}); err != nil {
		t.Fatal(err)
	}
	if _, err := Lift(ctx, db, 1, "", "asha", ""); !errors.Is(err, ErrInvalidSuppression) {
		t.Errorf("lifting without a reason: %v", err)
	}
	if _, err := Lift(ctx, db, 1, "fax", "asha", "START"); !errors.Is(err, ErrInvalidSuppression) {
		t.Errorf("lifting an unknown scope: %v", err)
	}
	for i, tt := range []struct {
		scope string
		want  int
	}{{ScopeCall, 0}, {ScopeSMS, 1}, {"", 1}, {"", 0}} {
		if n, err := Lift(ctx, db, 1, tt.scope, "asha", "START"); err != nil || n != tt.want {
			t.Errorf("%d: lifted %d, %v, want %d", i, n, err, tt.want)
		}
	}
	if got, err := CheckSuppressed(ctx, db, 2); err != nil || len(got) != 1 {
		t.Errorf("a neighbour's stop: %v, %v", got, err)
	}
	// She can say stop again, and the history stays.
	if added, err := Suppress(ctx, db, []Suppression{stop(1, ScopeAll, "")}); err != nil || added != 1 {
		t.Errorf("stop after start: %d, %v", added, err)
	}
	history, err := ListSuppressions(ctx, db, SuppressionFilter{Lifted: true, Scope: ScopeAll})
	if err != nil || len(history) != 2 || history[0].LiftedAt != nil || history[1].LiftedBy != "asha" || history[1].LiftedWhy != "START" {
		t.Errorf("history %+v, %v", history, err)
	}
}

func TestSuppressedSQL(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	if _, err := Suppress(ctx, db, []Suppression{
		stop(1, ScopeAll, ""), stop(2, ScopeSMS, ""), stop(3, ScopeCall, ""), stop(4, ScopeSMS, "ration"), stop(5, ScopeAll, "ration"), stop(6, ScopeAll, ""),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := Lift(ctx, db, 6, "", "test", "START"); err != nil {
		t.Fatal(err)
	}
	for purpose, want := range map[string][]bool{
		"":       {true, true, false, false, false, false, false},
		"ration": {true, true, false, true, true, false, false},
		"other":  {true, true, false, false, false, false, false},
	} {
		for i, w := range want {
			var got bool
			if err := db.QueryRow(ctx, "SELECT "+fmt.Sprintf(SuppressedSQL, "$1::int8", "$2::text"), i+1, purpose).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != w {
				t.Errorf("purpose %q, number %d: suppressed %v, want %v", purpose, i+1, got, w)
			}
		}
	}
}

// TestSuppressConcurrently has many transactions add overlapping lists in
// opposite orders: none may wait for another for ever, and each stop is there once.
func TestSuppressConcurrently(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	const writers, numbers = 8, 200
	var wg sync.WaitGroup
	added := make([]int, writers)
	for w := range writers {
		wg.Go(func() {
			list := make([]Suppression, numbers)
			for i := range list {
				list[i] = stop(int64((i*(2*w+1)+w*31)%numbers), ScopeAll, "")
			}
			var err error
			if added[w], err = Suppress(ctx, db, list); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range added {
		sum += n
	}
	var stored int
	if err := db.QueryRow(ctx, "SELECT count(*) FROM suppression").Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if stored != sum {
		t.Errorf("%d stops stored, %d reported", stored, sum)
	}
}

func TestListSuppressionsPages(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	var list []Suppression
	for i := range 25 {
		list = append(list, stop(int64(i), ScopeAll, ""))
	}
	list = append(list, stop(3, ScopeSMS, "ration"))
	if _, err := Suppress(ctx, db, list); err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	filter := SuppressionFilter{Scope: ScopeAll, Limit: 10}
	for pages := 0; ; pages++ {
		page, err := ListSuppressions(ctx, db, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page {
			if seen[s.ID] || s.Scope != ScopeAll {
				t.Errorf("row %d again or of another scope", s.ID)
			}
			seen[s.ID] = true
			filter.Before = s.ID
		}
		if len(page) < filter.Limit {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d rows over all pages, want 25", len(seen))
	}
	if page, err := ListSuppressions(ctx, db, SuppressionFilter{Purpose: "ration", Source: SourceKeyword}); err != nil || len(page) != 1 {
		t.Errorf("by purpose: %v, %v", page, err)
	}
}

func TestImportSuppressions(t *testing.T) {
	t.Parallel()
	key, err := NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		options    SuppressionImportOptions
		want       SuppressionImportResult
		rejects    string
	}{
		{"numbers alone", "9812345678\n+91 98123 45679\n\n098123-45678\n", SuppressionImportOptions{}, SuppressionImportResult{3, 2, 1, 0}, ""},
		{"byte order mark and header", "\ufeffmsisdn,scope,purpose,evidence\r\n9812345678,sms,ration,said so\r\n9812345678,,,\r\n", SuppressionImportOptions{}, SuppressionImportResult{2, 2, 0, 0}, ""},
		{"other columns and another name", "Name;Mobile No.\nAsha;9812345678\n", SuppressionImportOptions{}, SuppressionImportResult{1, 1, 0, 0}, ""},
		{"refused rows", "msisdn,scope\n12345,\n9812345678,fax\n9812345679,sms\n", SuppressionImportOptions{}, SuppressionImportResult{3, 1, 0, 2}, "import_line,import_reason,row\n2,\"5 digits"},
		{"bad first number", "12345\n9812345678\n", SuppressionImportOptions{}, SuppressionImportResult{2, 1, 0, 1}, "import_line,import_reason,row\n1,\"5 digits"},
		{"empty", "", SuppressionImportOptions{}, SuppressionImportResult{}, ""},
		{"short rows", "name,msisdn\nAsha\nRavi,9812345678\n", SuppressionImportOptions{}, SuppressionImportResult{2, 1, 0, 1}, "the number is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, ctx := testenv.DB(t), context.Background()
			var rejects bytes.Buffer
			tt.options.Actor, tt.options.Rejects, tt.options.FileName = "test", &rejects, "list.csv"
			got, err := ImportSuppressions(ctx, db, key, strings.NewReader(tt.file), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (tt.rejects == "") != (rejects.Len() == 0) || !strings.Contains(rejects.String(), tt.rejects) {
				t.Errorf("rejects %q, want %q", rejects.String(), tt.rejects)
			}
			again, err := ImportSuppressions(ctx, db, key, strings.NewReader(tt.file), tt.options)
			if err != nil || again.Added != 0 || again.Refused != got.Refused {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

func TestImportSuppressionsRefusesFile(t *testing.T) {
	t.Parallel()
	db, ctx := testenv.DB(t), context.Background()
	key, err := NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ImportSuppressions(ctx, db, key, strings.NewReader("name,village\nAsha,Rampur\n"), SuppressionImportOptions{Actor: "test"})
	if !errors.Is(err, ErrImportFile) || !strings.Contains(err.Error(), "no column is named msisdn") {
		t.Errorf("no number column: %v", err)
	}
	_, err = ImportSuppressions(ctx, db, key, strings.NewReader("9812345678\n"), SuppressionImportOptions{Actor: "test", Scope: "fax"})
	if !errors.Is(err, ErrInvalidSuppression) {
		t.Errorf("unknown scope: %v", err)
	}
	if _, err := ImportSuppressions(ctx, db, Key{}, strings.NewReader(""), SuppressionImportOptions{Actor: "test"}); err == nil {
		t.Error("a key that was never loaded is taken")
	}
	got, err := ImportSuppressions(ctx, db, key, strings.NewReader("9812345678\n"), SuppressionImportOptions{Actor: "test", FileName: "l.csv"})
	if err != nil || got.Added != 1 {
		t.Fatal(got, err)
	}
	list, err := CheckSuppressed(ctx, db, key.Number(919812345678))
	if err != nil || len(list) != 1 || list[0].Evidence != "l.csv line 1" || list[0].MSISDN != 919812345678 || list[0].Source != SourceImport {
		t.Errorf("stored %+v, %v", list, err)
	}
}
