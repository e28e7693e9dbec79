package audience

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/testenv"
)

// importDay is the day on which the test files are imported.
var importDay = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

type importBundle struct {
	t    *testing.T
	pool *pgxpool.Pool
	key  Key
}

func setupImport(t *testing.T) *importBundle {
	t.Helper()
	b := &importBundle{t: t, pool: testenv.DB(t), key: testKey(t)}
	if err := LoadPlaces(t.Context(), b.pool); err != nil {
		t.Fatal(err)
	}
	return b
}

// run imports a text and returns the rejects beside the result.
func (b *importBundle) run(text string, opt ImportOptions) (ImportResult, [][]string) {
	b.t.Helper()
	var rejects strings.Builder
	opt.Rejects = &rejects
	if opt.Source == "" {
		opt.Source = "test"
	}
	if opt.Now.IsZero() {
		opt.Now = importDay
	}
	res, err := Import(b.t.Context(), b.pool, b.key, strings.NewReader(text), opt)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Read != res.Inserted+res.Updated+res.Unchanged+res.Refused {
		b.t.Errorf("the counts do not add up: %+v", res)
	}
	rows, err := csv.NewReader(strings.NewReader(rejects.String())).ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	return res, rows
}

// fails imports a text that must be refused as a whole.
func (b *importBundle) fails(text string, opt ImportOptions) error {
	b.t.Helper()
	res, err := Import(b.t.Context(), b.pool, b.key, strings.NewReader(text), opt)
	if err == nil || !cmp.Equal(res, ImportResult{}) {
		b.t.Fatalf("imported: %+v", res)
	}
	var people, imports int
	row := b.pool.QueryRow(b.t.Context(), `SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM import)`)
	if err := row.Scan(&people, &imports); err != nil || people != 0 || imports != 0 {
		b.t.Fatalf("left behind: %d people, %d imports, %v", people, imports, err)
	}
	return err
}

// people returns chosen columns of everybody, in the order of the number and name.
func (b *importBundle) people(columns ...string) [][]string {
	b.t.Helper()
	var parts []string
	for _, c := range columns {
		parts = append(parts, "COALESCE(("+c+")::text, '')")
	}
	rows, err := b.pool.Query(b.t.Context(), "SELECT ARRAY["+strings.Join(parts, ",")+"] FROM contact ORDER BY msisdn, name, id")
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *importBundle) wants(got any, want any) {
	b.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		b.t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestImportEveryField(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	res, _ := b.run("\ufeffmsisdn,name,language,gender,birth_year,age,occupation,income_monthly,home_state,home_district,home_village,home_ward,home_post_office,home_pincode,current_state,current_district,eshram_uan,bocw_id,ration_card,ration_card_type,job_card,aadhaar_seeded,bank_account,unorganised_worker,construction_days_12m,epfo_member,esic_member,nps_member,government_employee,income_tax_payer,welfare_fund_member,consent_sms,consent_call,source_id,Tola,\"Shoe \"\"size\"\"\"\r\n"+
		"+91 98123 45678,  सीता   देवी ,Hindi,महिला,1990,36,Construction,\"Rs 12,500\",बिहार,पूर्वी चम्पारण,Pipra,4,Pipra BO,845416,MH,Pune,1234 5678 9012,BOCW/1,10-22,phh,BR-01-002,yes,हाँ,1,120,no,N,0,false,नहीं,no,y,true,A-17,Uttar,\"6\"\"\"\r\n", ImportOptions{FileName: "all.csv", Actor: "asha"})
	b.wants([]int64{res.Read, res.Inserted, res.Refused, res.Warned}, []int64{1, 1, 0, 0})
	cols := []string{
		"msisdn", "name", "language", "gender", "birth_year", "age", "age_on", "occupation", "income_monthly", "home_state", "home_district", "home_village", "home_ward", "home_post_office",
		"home_pincode", "current_state", "current_district", "eshram_uan", "bocw_id", "ration_card", "ration_card_type", "job_card", "aadhaar_seeded", "bank_account", "unorganised_worker",
		"construction_days_12m", "epfo_member", "esic_member", "nps_member", "government_employee", "income_tax_payer", "welfare_fund_member", "consent_sms", "consent_call",
		"source", "source_id", "import_id", "invented", "attributes", "msisdn_key",
	}
	b.wants(b.people(cols...), [][]string{{
		"919812345678", "सीता देवी", "hi", "female", "1990", "36", "2026-11-22", "construction", "12500", "10", "213", "Pipra", "4", "Pipra BO", "845416", "27", "490", "123456789012", "BOCW/1", "10-22", "PHH", "BR-01-002",
		"true", "true", "true", "120", "false", "false", "false", "false", "false", "false", "true", "true", "test", "A-17", fmt.Sprint(res.Import), "false",
		`{"Tola": "Uttar", "Shoe \"size\"": "6\""}`, fmt.Sprint(b.key.Number(919812345678)),
	}})
	var row struct {
		Source, File, SHA, Actor             string
		Read, Inserted, Updated, Un, Refused int64
		Finished                             bool
	}
	err := b.pool.QueryRow(t.Context(), `SELECT source, file_name, file_sha256, actor, rows_read, inserted, updated, unchanged, refused, finished_at IS NOT NULL FROM import WHERE id = $1`, res.Import).
		Scan(&row.Source, &row.File, &row.SHA, &row.Actor, &row.Read, &row.Inserted, &row.Updated, &row.Un, &row.Refused, &row.Finished)
	if err != nil || row.SHA != res.SHA256 || len(row.SHA) != 64 || row.File != "all.csv" || row.Actor != "asha" || row.Read != 1 || row.Inserted != 1 || !row.Finished {
		t.Errorf("%+v, %v", row, err)
	}
}

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	file := "msisdn,name,age,home_district,Tola,source_id\n9812345678,Sita,36,Patna,A,\n9812345678,Ram,40,,,\n9812345679,Gita,20,Ranchi,B,x1\n9812345679,Gita,21,,C,x1\nbad,,,,,\n"
	first, _ := b.run(file, ImportOptions{})
	b.wants([]int64{first.Read, first.Inserted, first.Updated, first.Unchanged, first.Refused}, []int64{5, 3, 0, 1, 1})
	before := b.people("id", "name", "age", "age_on", "home_district", "attributes", "updated_at", "import_id", "xmin")
	// The next day, and even when everybody has become a year older in the meantime of the list.
	second, _ := b.run(file, ImportOptions{Now: importDay.AddDate(0, 6, 0)})
	b.wants([]int64{second.Read, second.Inserted, second.Updated, second.Unchanged, second.Refused}, []int64{5, 0, 0, 4, 1})
	b.wants(b.people("id", "name", "age", "age_on", "home_district", "attributes", "updated_at", "import_id", "xmin"), before)
}

func TestImportUpdates(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	b.run("source_id,msisdn,name,age,home_state,home_district,consent_sms,Tola,Well\n1,9812345678,Sita,36,,Patna,,A,\n2,9812345679,Gita,30,JH,Ranchi,no,B,deep\n3,9812345670,Mira,30,,Gaya,yes,,\n", ImportOptions{})
	cols := []string{"source_id", "msisdn", "msisdn_key = " + fmt.Sprint(b.key.Number(919876543210)), "name", "age", "home_state", "home_district", "consent_sms", "attributes", "import_id", "updated_at > created_at"}
	// An empty cell never erases, a newer value wins, a newer state alone forgets the older district.
	res, _ := b.run("source_id,msisdn,name,age,home_state,home_district,consent_sms,Tola,Well\n1,9876543210,,37,,,yes,,dry\n2,9812345679,Gita Devi,,UP,,,,\n3,9812345670,Mira,30,BR,,yes,,\n", ImportOptions{})
	b.wants([]int64{res.Inserted, res.Updated, res.Unchanged}, []int64{0, 2, 1})
	b.wants(b.people(cols...), [][]string{
		{"3", "919812345670", "false", "Mira", "30", "10", "196", "true", "{}", "1", "false"},
		{"2", "919812345679", "false", "Gita Devi", "30", "9", "", "false", `{"Tola": "B", "Well": "deep"}`, fmt.Sprint(res.Import), "true"},
		{"1", "919876543210", "true", "Sita", "37", "10", "212", "true", `{"Tola": "A", "Well": "dry"}`, fmt.Sprint(res.Import), "true"},
	})
	// Two years later the same age is news.
	res, _ = b.run("source_id,msisdn,age\n3,9812345670,30\n", ImportOptions{Now: importDay.AddDate(2, 0, 0)})
	b.wants([]int64{res.Updated, res.Unchanged}, []int64{1, 0})
	// A list that has only states forgets the district of another state too.
	res, _ = b.run("source_id,msisdn,home_state\n3,9812345670,JH\n1,9876543210,BR\n", ImportOptions{})
	b.wants([]int64{res.Updated, res.Unchanged}, []int64{1, 1})
	b.wants(b.people("home_state", "home_district"), [][]string{{"20", ""}, {"9", ""}, {"10", "212"}})
}

func TestImportJoinsRowsOfOnePerson(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	var file strings.Builder
	file.WriteString("source_id,msisdn,name,home_state,home_district,Tola,Well\n1,9812345678,Sita,,Patna,A,\n")
	for i := range chunkRows + 10 { // more than a chunk between the rows of one person
		fmt.Fprintf(&file, "f%d,%d,Filler,,,,\n", i, 7000000000+i)
	}
	file.WriteString("1,9812345678,Sita Devi,,,B,deep\n1,9812345678,,JH,,,wet\n")
	want := [][]string{{"Sita Devi", "20", "", `{"Tola": "B", "Well": "wet"}`}}
	sita := func() [][]string {
		return slices.DeleteFunc(b.people("name", "home_state", "home_district", "attributes"), func(p []string) bool { return p[0] == "Filler" })
	}
	res, _ := b.run(file.String(), ImportOptions{})
	b.wants([]int64{res.Inserted, res.Updated, res.Unchanged}, []int64{chunkRows + 11, 0, 2})
	b.wants(sita(), want)
	before := b.people("updated_at", "xmin")
	res, _ = b.run(file.String(), ImportOptions{})
	b.wants([]int64{res.Inserted, res.Updated, res.Unchanged}, []int64{0, 0, chunkRows + 13})
	b.wants(sita(), want)
	b.wants(b.people("updated_at", "xmin"), before)
}

func TestImportRejects(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	res, rejects := b.run("Mobile No,name,age,home_district,bank_account,language,Tola\n"+
		"9812345678,Sita,36,Rachni,yes,hi,A\n"+ // line 2: district
		"9.19812E+11,Gita,36,Patna,yes,hi,A\n"+ // 3: number
		"9812345679,Mira,240,Patna,maybe,hi,\"A, \"\"B\"\"\"\n"+ // 4: age and boolean
		"9812345680,Asha,NA,Aurangabad,-,Klingon,A\n"+ // 5: unknown is not wrong; place and language
		"9812345681,too,few\n"+ // 6
		"9812345682,too,1,Patna,yes,hi,A,many\n"+ // 7
		"9812345683,\"broken\" quote,1,Patna,yes,hi,A\n"+ // 8
		"9812345684,Nul\x00l,1,Patna,yes,hi,A\n"+ // 9
		",Nobody,1,Patna,yes,hi,A\n"+ // 10
		",,,,,,\n\n"+ // 11 and 12: empty rows are nobody
		"9812345685,"+strings.Repeat("x", 1001)+",1,Patna,yes,hi,A\n"+ // 13
		"9812345686,"+strings.Repeat("y,", maxRecord)+"\n"+ // 14
		"9812345687,Last,1,Patna,50123456789,hi,A\n"+ // 15
		"9812345688,\"open,1,Patna,yes,hi,A\n"+ // 16
		"9812345689,Good,1,Patna,yes,hi,A", // 17, without an end of line
		ImportOptions{Map: map[string]string{"mobile no": "msisdn"}})
	b.wants([]int64{res.Read, res.Inserted, res.Refused, res.Warned}, []int64{14, 3, 11, 2})
	b.wants(rejects[0], []string{"import_line", "import_action", "import_column", "import_reason", "Mobile No", "name", "age", "home_district", "bank_account", "language", "Tola"})
	var got [][]string
	for _, r := range rejects[1:] {
		got = append(got, r[:3])
	}
	b.wants(got, [][]string{
		{"2", "imported without home_district", "home_district"},
		{"3", "refused", "Mobile No"},
		{"4", "refused", "age; bank_account"},
		{"5", "imported without language, home_district", "language; home_district"},
		{"6", "refused", ""}, {"7", "refused", ""}, {"8", "refused", ""}, {"9", "refused", ""}, {"10", "refused", "Mobile No"},
		{"13", "refused", "name"}, {"14", "refused", ""}, {"15", "refused", "bank_account"}, {"16", "refused", ""},
	})
	for i, part := range map[int]string{1: "did you mean Ranchi (JH)", 2: "format the column as text", 3: "whole number of years", 4: "BR/Aurangabad or MH/Chhatrapati Sambhajinagar", 5: "3 columns, the header line 7", 8: "NUL", 12: "never a number", 13: "never closed"} {
		if !strings.Contains(rejects[i][3], part) {
			t.Errorf("line %s: %q, want %q", rejects[i][0], rejects[i][3], part)
		}
	}
	if strings.Contains(fmt.Sprint(res.Refusals), "98123") {
		t.Errorf("a number in the reasons: %v", res.Refusals)
	}
	b.wants(rejects[3][4:], []string{"9812345679", "Mira", "240", "Patna", "maybe", "hi", `A, "B"`})
	b.wants(b.people("name", "home_district", "language"), [][]string{{"Sita", "", "hi"}, {"Asha", "", ""}, {"Good", "212", "hi"}})

	// Corrected, the rejects are imported as they are.
	var again strings.Builder
	w := csv.NewWriter(&again)
	for i, r := range rejects {
		if i == 0 || i == 1 || i == 3 {
			r[6+0] = strings.Replace(r[6], "240", "24", 1)
			r[7] = strings.Replace(r[7], "Rachni", "Ranchi", 1)
			r[8] = strings.Replace(r[8], "maybe", "no", 1)
			_ = w.Write(r)
		}
	}
	w.Flush()
	res, _ = b.run(again.String(), ImportOptions{Map: map[string]string{"Mobile No": "msisdn"}})
	b.wants([]int64{res.Read, res.Inserted, res.Updated, res.Refused}, []int64{2, 1, 1, 0})
	b.wants(b.people("name", "home_district", "attributes"), [][]string{{"Sita", "339", `{"Tola": "A"}`}, {"Mira", "212", `{"Tola": "A, \"B\""}`}, {"Asha", "", `{"Tola": "A"}`}, {"Good", "212", `{"Tola": "A"}`}})
}

func TestImportRefusesFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		opt        ImportOptions
		want       []string
	}{
		{"empty", "", ImportOptions{}, []string{"empty"}},
		{"blank", "\n\n\n", ImportOptions{}, []string{"empty"}},
		{"no number", "name,Mobile No\nSita,9812345678\n", ImportOptions{}, []string{"no column msisdn", "--map 'Mobile No=msisdn'"}},
		{"twice", "msisdn,name,name\n", ImportOptions{}, []string{"column 3", `"name" is there twice`}},
		{"two for one", "msisdn,Home State,home_state\n", ImportOptions{}, []string{"home_state", "both stand for"}},
		{"mapped nowhere", "msisdn\n", ImportOptions{Map: map[string]string{"Phone": "msisdn"}}, []string{`no column "Phone"`}},
		{"mapped to nothing", "msisdn,x\n", ImportOptions{Map: map[string]string{"x": "nmae"}}, []string{`"nmae"`, "known are msisdn, name"}},
		{"UTF-16", "\xff\xfem\x00", ImportOptions{}, []string{"UTF-16", "save it as CSV UTF-8"}},
		{"workbook", "PK\x03\x04...", ImportOptions{}, []string{"workbook"}},
		{"Latin-1 header", "msisdn,n\xe4me\n", ImportOptions{}, []string{"line 1", "not UTF-8"}},
		{"Latin-1 row", "msisdn,name\n9812345678,Sita\n9812345679,Jos\xe9\n", ImportOptions{}, []string{"line 3, column 2", "save the file as CSV UTF-8"}},
		{"a million columns", "msisdn" + strings.Repeat(",x", 1_000_000) + "\n", ImportOptions{}, []string{"longer than 256 KiB"}},
		{"many columns", "msisdn" + strings.Repeat(",", 300) + "\n", ImportOptions{}, []string{"301 columns"}},
		{"open quote in the header", "msisdn,\"name\n9812345678,Sita\n", ImportOptions{}, []string{"line 1", "never closed"}},
		{"NUL in the header", "msisdn,na\x00me\n", ImportOptions{}, []string{"NUL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setupImport(t)
			err := b.fails(tt.text, tt.opt)
			var file *ImportFileError
			if !errors.As(err, &file) || !errors.Is(err, ErrImportFile) {
				t.Errorf("%v is no ImportFileError", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v, want %q", err, part)
				}
			}
		})
	}
}

func TestImportLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	var file strings.Builder
	file.WriteString("msisdn,name\n")
	for i := range 3 * chunkRows {
		fmt.Fprintf(&file, "%d,Sita\n", 7000000000+i)
	}
	b.fails(file.String()+"9812345678,Jos\xe9\n", ImportOptions{})

	// The reader breaks off.
	boom := errors.New("line cut")
	_, err := Import(t.Context(), b.pool, b.key, io.MultiReader(strings.NewReader(file.String()), errReader{boom}), ImportOptions{})
	if !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	// The caller gives up.
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Import(ctx, b.pool, b.key, strings.NewReader(file.String()), ImportOptions{Progress: func(p ImportProgress) {
		if p.Read > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// It was only a rehearsal.
	res, err := Import(t.Context(), b.pool, b.key, strings.NewReader(file.String()), ImportOptions{DryRun: true})
	if err != nil || res.Inserted != 3*chunkRows || res.Import != 0 || !res.DryRun {
		t.Errorf("%+v, %v", res, err)
	}
	if n := len(b.people("id")); n != 0 {
		t.Errorf("%d people", n)
	}
	if _, err := Import(t.Context(), b.pool, Key{}, strings.NewReader("msisdn\n"), ImportOptions{}); err == nil {
		t.Error("imported without a key")
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestImportWaitsForAnother(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, importLock); err != nil {
		t.Fatal(err)
	}
	var stages []string
	res, err := Import(t.Context(), b.pool, b.key, strings.NewReader("msisdn\n9812345678\n"), ImportOptions{Progress: func(p ImportProgress) {
		if !slices.Contains(stages, p.Stage) {
			stages = append(stages, p.Stage)
		}
		if p.Stage == "waiting" {
			_ = tx.Rollback(t.Context())
		}
	}})
	if err != nil || res.Inserted != 1 {
		t.Errorf("%+v, %v", res, err)
	}
	b.wants(stages, []string{"waiting", "reading", "finishing"})
}

func TestImportSeparators(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	for i, file := range []string{"name;msisdn\nSita, B;981234560%d\n", "name\tmsisdn\nSita, B\t981234560%d\n", "name,msisdn\n\"Sita, B\",981234560%d\n"} {
		res, _ := b.run(fmt.Sprintf(file, i), ImportOptions{})
		b.wants([]int64{res.Read, res.Inserted}, []int64{1, 1})
	}
	b.wants(b.people("name"), [][]string{{"Sita, B"}, {"Sita, B"}, {"Sita, B"}})
}

func TestImportLeavesAadhaarOut(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	res, _ := b.run("msisdn,Aadhaar No,Secret,Phone 2,\n9812345678,123412341234,x,y,\n", ImportOptions{Map: map[string]string{"Secret": "-"}, Invented: true})
	b.wants(b.people("attributes", "invented"), [][]string{{`{"Phone 2": "y"}`, "true"}})
	b.wants(len(res.Notes), 1)
	// A real list that names the same person makes her real, and never the other way round.
	b.run("msisdn\n9812345678\n", ImportOptions{})
	b.run("msisdn\n9812345678\n", ImportOptions{Invented: true})
	b.wants(b.people("invented"), [][]string{{"false"}})
}

func TestLoadPlacesTwice(t *testing.T) {
	t.Parallel()
	b := setupImport(t)
	count := func() (n [3]string) {
		err := b.pool.QueryRow(t.Context(), `SELECT (SELECT count(*)::text FROM place_state), (SELECT count(*)::text FROM place_district), (SELECT string_agg(xmin::text, ',' ORDER BY code) FROM place_district)`).Scan(&n[0], &n[1], &n[2])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if err := LoadPlaces(t.Context(), b.pool); err != nil {
		t.Fatal(err)
	}
	b.wants(count(), before)
	b.wants(before[:2], []string{"36", "786"})
}
