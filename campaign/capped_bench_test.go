package campaign

import (
	"context"
	"testing"
)

// BenchmarkFreezeWithCap measures the freeze of 100,000 people of whom each has five earlier messages, in
// recipients a second, with a cap that lets them all through and so has to count to the end.
func BenchmarkFreezeWithCap(b *testing.B) {
	const people, earlier = 100_000, 5
	ctx := context.Background()
	d := newDesk(b)
	d.exec(b, `
		INSERT INTO contact (identity, msisdn, msisdn_key, name, language, home_state, home_district, consent_sms, source, import_id)
		SELECT gen_random_uuid(), $2::int8 + n - 1, hashint8extended(n, 0), 'Asha', 'en', 10, 212, true, 'bench', 1
		FROM generate_series(1, $1::int8) n`, people, int64(firstNumber))
	for range earlier {
		run := d.newRun(b, terms{recipients: people})
		d.exec(b, `
			INSERT INTO submission (stride_id, run_id, seq, part, parts, bind, result, status, at)
			SELECT 0, $1, n, 1, 1, 'main-1', 'accepted', 0, now()
			FROM generate_series(1, $2::int4) n`, run, people)
	}
	d.exec(b, `ANALYZE contact, recipient, submission, run`)
	for _, test := range []struct{ name, line string }{
		{"no cap", "priority: normal"},
		{"6 sms", "caps: {per_contact: 6 sms / 7 days}"},
	} {
		b.Run(test.name, func(b *testing.B) {
			spec, err := Parse(campaignFile("bench", test.line))
			if err != nil {
				b.Fatal(err)
			}
			_, _, selection, err := d.resolve(ctx, spec, noon)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tx, err := d.db.Begin(ctx)
				if err != nil {
					b.Fatal(err)
				}
				f, err := freeze(ctx, tx, selection)
				if err != nil || f.recipients != people {
					b.Errorf("%+v, %v", f, err)
				}
				b.StopTimer()
				if err := tx.Rollback(ctx); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(people)*float64(b.N)/b.Elapsed().Seconds(), "recipients/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
