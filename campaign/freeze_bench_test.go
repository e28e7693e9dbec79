package campaign

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// BenchmarkFreeze measures the freeze of 100,000 people, in recipients a second: the people, the batches,
// the outcome and the hash. Beside it, what PostgreSQL takes for a bare INSERT … SELECT of the same rows.
func BenchmarkFreeze(b *testing.B) {
	const people = 100_000
	ctx := context.Background()
	d := newDesk(b)
	d.exec(b, `
		INSERT INTO contact (identity, msisdn, msisdn_key, name, language, home_state, home_district, consent_sms, age, age_on, source, import_id)
		SELECT gen_random_uuid(), 919800000000 + n, hashint8extended(n, 0), 'Asha', CASE n % 2 WHEN 0 THEN 'hi' ELSE 'en' END, 10, 212, true, 20 + n % 40, '2026-11-01', 'bench', 1
		FROM generate_series(1, $1::int8) n`, people)
	d.exec(b, `
		INSERT INTO suppression (msisdn_key, scope, source, actor)
		SELECT msisdn_key, 'all', 'import', 'bench' FROM contact WHERE id % 20 = 0`)
	d.exec(b, `ANALYZE contact, suppression`)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(people)*float64(b.N)/b.Elapsed().Seconds(), "recipients/s")
		b.ReportMetric(0, "ns/op")
	}
	for _, test := range []struct{ name, audience string }{
		{"everybody", "{all: true}"},
		{"scheme", `{scheme: onorc, eligibility: both, where: "age >= 18"}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			spec, err := Parse(campaignFile("bench", "audience: "+test.audience))
			if err != nil {
				b.Fatal(err)
			}
			_, _, selection, err := d.resolve(ctx, spec, noon)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				err := pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error {
					f, err := freeze(ctx, tx, selection)
					if err == nil && f.recipients+f.excluded != people {
						b.Errorf("%d recipients and %d excluded", f.recipients, f.excluded)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				d.exec(b, `TRUNCATE recipient, exclusion, batch, outcome`)
				b.StartTimer()
			}
			rate(b)
		})
	}
	b.Run("INSERT … SELECT", func(b *testing.B) {
		for b.Loop() {
			d.exec(b, `
				INSERT INTO recipient (run_id, seq, contact_id, msisdn, msisdn_key, language, vars, home_state, home_district)
				SELECT 1, row_number() OVER (), id, msisdn, msisdn_key, language, ARRAY[name, 'Patna'], home_state, home_district FROM contact`)
			b.StopTimer()
			d.exec(b, `TRUNCATE recipient`)
			b.StartTimer()
		}
		rate(b)
	})
}
