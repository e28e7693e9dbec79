package audience

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/internal/testenv"
)

// benchRegister fills a register with n invented people, a tenth of each fact
// unknown, half of them with a stated age and half with a birth year.
func benchRegister(b *testing.B, n int) *pgxpool.Pool {
	b.Helper()
	db := testenv.DB(b)
	ctx := context.Background()
	if err := LoadPlaces(ctx, db); err != nil {
		b.Fatal(err)
	}
	const fill = `
INSERT INTO contact (identity, msisdn, msisdn_key, name, language, age, age_on, birth_year, occupation, income_monthly, home_state, home_district,
                     ration_card_type, aadhaar_seeded, unorganised_worker, bank_account, construction_days_12m, epfo_member, esic_member, nps_member,
                     government_employee, income_tax_payer, welfare_fund_member, source, import_id)
SELECT gen_random_uuid(), 919000000000 + i, hashint8extended(i, 7), 'Person ' || i, (ARRAY['hi', 'bn', 'or', 'en'])[1 + i % 4],
       CASE WHEN i % 2 = 0 THEN 15 + i % 50 END, '2026-01-01', CASE WHEN i % 2 = 1 AND i % 20 <> 1 THEN 1960 + i % 50 END,
       (ARRAY['construction', 'farm', 'domestic'])[1 + i % 3], CASE WHEN i % 10 <> 2 THEN 5000 + i % 20000 END, d.state, d.code,
       (ARRAY['PHH', 'AAY', 'other', NULL])[1 + i % 4], NULLIF(i % 10, 3) < 8, NULLIF(i % 10, 4) < 9, i % 7 > 0, i % 200,
       i % 11 = 0, i % 13 = 0, i % 17 = 0, i % 19 = 0, i % 23 = 0, i % 29 = 0, 'bench', 1
FROM generate_series(1, $1::int8) AS i
JOIN (SELECT code, state, row_number() OVER (ORDER BY code) - 1 AS no, count(*) OVER () AS n FROM place_district) d ON d.no = i % d.n`
	if _, err := db.Exec(ctx, fill, n); err != nil {
		b.Fatal(err)
	}
	if _, err := db.Exec(ctx, "VACUUM ANALYZE contact"); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkCount sets a count of a cohort beside the same count as somebody
// would write it by hand for that one question.
func BenchmarkCount(b *testing.B) {
	const people = 300_000
	db := benchRegister(b, people)
	ctx := context.Background()
	schemes := loadSchemes(b)
	on := time.Date(2026, 6, 15, 12, 0, 0, 0, india())
	cases := []struct {
		name   string
		cohort Cohort
		hand   string
	}{
		{"onorc", Cohort{Scheme: "onorc"}, `
SELECT count(*), count(*) FILTER (WHERE ok), count(*) FILTER (WHERE NOT ok)
FROM (SELECT ration_card_type IN ('PHH', 'AAY') AND aadhaar_seeded AND NOT ration_card_type = 'other' AS ok FROM contact OFFSET 0) x`},
		{"bocw", Cohort{Scheme: "bocw"}, `
SELECT count(*), count(*) FILTER (WHERE ok), count(*) FILTER (WHERE NOT ok)
FROM (SELECT COALESCE(age, 2026 - birth_year) >= 18 AND COALESCE(age, 2026 - birth_year) < 60 AND construction_days_12m >= 90 AND NOT welfare_fund_member AS ok FROM contact OFFSET 0) x`},
		{"home and rule", Cohort{Home: []string{"BR", "JH/Ranchi"}, Where: "income_monthly <= 15000 && occupation == 'construction'"}, `
SELECT count(*), count(*) FILTER (WHERE ok), count(*) FILTER (WHERE NOT ok)
FROM (SELECT income_monthly <= 15000 AND occupation = 'construction' AS ok FROM contact WHERE home_state = 10 OR home_district = 339 OFFSET 0) x`},
	}
	for _, c := range cases {
		b.Run(c.name+"/pukar", func(b *testing.B) {
			for b.Loop() {
				if _, err := CountCohort(ctx, db, c.cohort, KnownPlaces(), schemes, on); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/people, "ns/person")
		})
		b.Run(c.name+"/by hand", func(b *testing.B) {
			for b.Loop() {
				var all, yes, no int64
				if err := db.QueryRow(ctx, c.hand).Scan(&all, &yes, &no); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/people, "ns/person")
		})
	}
}
