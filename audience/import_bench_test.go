package audience_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/internal/sample"
	"pukar/internal/testenv"
)

// benchRows is how many people a benchmark imports; BENCH_ROWS in the environment says otherwise.
func benchRows(b *testing.B) int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_ROWS")); err == nil && n > 0 {
		return n
	}
	return 200_000
}

// BenchmarkImport measures rows a second from the file to the commit: into an empty register, again
// when everybody is known, and, beside them, COPY of the finished rows into the same columns and
// indexes, which is what psql's \copy does.
func BenchmarkImport(b *testing.B) {
	n := benchRows(b)
	var file bytes.Buffer
	if err := sample.WriteContacts(&file, n, 1); err != nil {
		b.Fatal(err)
	}
	key, err := audience.LoadKey(filepath.Join(b.TempDir(), "key"))
	if err != nil {
		b.Fatal(err)
	}
	pool := testenv.DB(b)
	run := func(b *testing.B) audience.ImportResult {
		res, err := audience.Import(b.Context(), pool, key, bytes.NewReader(file.Bytes()), audience.ImportOptions{Source: "bench", Rejects: io.Discard})
		if err != nil {
			b.Fatal(err)
		}
		return res
	}
	rate := func(b *testing.B) {
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			empty(b, pool)
			b.StartTimer()
			run(b)
		}
		rate(b)
	})
	b.Run("known", func(b *testing.B) {
		run(b)
		for b.Loop() {
			if res := run(b); res.Inserted+res.Updated > 0 {
				b.Fatalf("%+v", res)
			}
		}
		rate(b)
	})
	b.Run("copy", func(b *testing.B) {
		run(b)
		var rows bytes.Buffer
		conn, err := pool.Acquire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Release()
		pg := conn.Conn().PgConn()
		if _, err := pg.CopyTo(b.Context(), &rows, "COPY contact ("+benchColumns+") TO STDOUT (FORMAT csv)"); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			b.StopTimer()
			empty(b, pool)
			b.StartTimer()
			if _, err := pg.CopyFrom(b.Context(), bytes.NewReader(rows.Bytes()), "COPY contact ("+benchColumns+") FROM STDIN (FORMAT csv)"); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
}

// benchColumns are the columns that the sample's file fills.
const benchColumns = "identity, msisdn, msisdn_key, name, language, gender, age, age_on, occupation, income_monthly, home_state, home_district, home_village, " +
	"current_state, current_district, eshram_uan, ration_card, ration_card_type, aadhaar_seeded, bank_account, unorganised_worker, construction_days_12m, " +
	"epfo_member, income_tax_payer, consent_sms, consent_call, source, source_id, import_id, attributes"

func empty(b *testing.B, pool *pgxpool.Pool) {
	b.Helper()
	if _, err := pool.Exec(context.WithoutCancel(b.Context()), "TRUNCATE contact"); err != nil {
		b.Fatal(err)
	}
}
