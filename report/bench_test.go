package report

import (
	"fmt"
	"io"
	"testing"
	"time"

	"pukar/campaign"
)

// benchPeople is how many recipients the measured run has.
const benchPeople = 100_000

// sqlCopy is what one would write by hand for much the same file: joined and aggregated in PostgreSQL.
const sqlCopy = `
COPY (
SELECT 'onorc-bihar', 1, r.seq, r.contact_id, r.msisdn, r.language, ps.name_en, pd.name_en, '1107172974420810001', s.parts, i.state, '',
       s.route, s.ids, s.submitted_at, s.accepted_at, i.at, i.state, i.err, s.accepted * 0.145
FROM recipient r
LEFT JOIN place_state ps ON ps.code = r.home_state
LEFT JOIN place_district pd ON pd.code = r.home_district
LEFT JOIN (
    SELECT u.seq, max(u.parts) AS parts, max(t.route) AS route, string_agg(u.smsc_id, ' ' ORDER BY u.part) AS ids,
           min(t.opened_at) AS submitted_at, max(u.at) AS accepted_at, count(*) FILTER (WHERE u.result = 'accepted') AS accepted
    FROM submission u
    JOIN stride t ON t.id = u.stride_id
    WHERE u.run_id = 1
    GROUP BY u.seq
) s ON s.seq = r.seq
LEFT JOIN (
    SELECT seq, max(state) AS state, max(err) AS err, max(at) AS at
    FROM inbox
    WHERE run_id = 1 AND kind = 'receipt'
    GROUP BY seq
) i ON i.seq = r.seq
WHERE r.run_id = 1
ORDER BY r.seq
) TO STDOUT WITH (FORMAT csv, HEADER)`

func BenchmarkDelivery(b *testing.B) {
	for _, parts := range []int{1, 3} {
		b.Run(fmt.Sprintf("parts=%d", parts), func(b *testing.B) {
			l := &ledger{}
			l.delivered(benchPeople, parts)
			pool := l.store(b)
			if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
				b.Fatal(err)
			}
			b.Run("pukar", func(b *testing.B) {
				b.ReportAllocs()
				measure(b, func() (int64, error) {
					m, err := Delivery(b.Context(), pool, io.Discard, Options{Campaign: "onorc-bihar"})
					return m.Bytes, err
				})
			})
			b.Run("summary", func(b *testing.B) {
				measure(b, func() (int64, error) {
					_, err := Summary(b.Context(), pool, "onorc-bihar", 1)
					return 0, err
				})
			})
			b.Run("copy", func(b *testing.B) {
				conn, err := pool.Acquire(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Release()
				measure(b, func() (bytes int64, err error) {
					_, err = conn.Conn().PgConn().CopyTo(b.Context(), writerFunc(func(p []byte) (int, error) {
						bytes += int64(len(p))
						return len(p), nil
					}), sqlCopy)
					return bytes, err
				})
			})
		})
	}
}

// measure repeats f, which returns the size of what it wrote.
func measure(b *testing.B, f func() (int64, error)) {
	var bytes int64
	for b.Loop() {
		var err error
		if bytes, err = f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchPeople*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/benchPeople, "B/row")
}

// BenchmarkLines measures the forming of lines alone.
func BenchmarkLines(b *testing.B) {
	c := newChunk()
	c.reset(1, chunkSize)
	opened := micros(frozen.UnixMicro() - epoch*int64(second))
	c.strides[1] = stride{opened: opened, route: "main"}
	for i := range c.people {
		c.people[i] = person{contact: int64(i), msisdn: 919812345678, language: "hi", state: 10, district: 188, submission: int32(i + 1), receipt: int32(i + 1)}
		c.facts[i] = campaign.Facts{Parts: 1, Accepted: 1, Delivered: 1}
		c.submissions = append(c.submissions, submission{part: 1, parts: 1, result: resultAccepted, id: c.keep([]byte("5f3a0c9b1d")), at: opened + 1000, stride: 1})
		c.receipts = append(c.receipts, receipt{part: 1, state: "delivered", err: c.keep([]byte("000")), at: opened + 3*second})
	}
	lines := newWriter(&run{
		Campaign: "onorc-bihar", Number: 1, MicroINR: 145_000,
		templateIDs: map[string]string{"hi": "1107172974420810001"}, states: map[int16]string{10: "Bihar"}, districts: map[int32]string{188: "Patna"},
	}, false)
	var buffer []byte
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		buffer = buffer[:0]
		_ = c.each(func(rec *record) error {
			buffer = lines.appendRecord(buffer, c, rec)
			return nil
		})
	}
	b.ReportMetric(chunkSize*float64(b.N)/time.Since(start).Seconds(), "rows/s")
	b.ReportMetric(float64(len(buffer))/chunkSize, "B/row")
}
