package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
	"pukar/internal/auditlog"
	"pukar/templates"
)

// MessageOptions choose what a report of single messages is about: those taken in from From on and before To.
type MessageOptions struct {
	From   time.Time // zero for the first
	To     time.Time // zero for everything until now
	Masked bool      // hide the middle of phone numbers
}

// MessageColumns are the columns of a report of messages: those of a delivery report, whose run is the message's number, and the key under
// which the message was asked for.
var MessageColumns = append(append([]string(nil), Columns...), "key")

// Messages writes the delivery report of single messages as CSV, in order of time, and returns its manifest, whose snapshot_hash is the
// SHA-256 over those of the messages, in this order. Errors: as Delivery.
func Messages(ctx context.Context, pool *pgxpool.Pool, w io.Writer, opt MessageOptions) (Manifest, error) {
	tx, err := begin(ctx, pool)
	if err != nil {
		return Manifest{}, fmt.Errorf("report messages: %w", err)
	}
	defer func() { _ = rollback(ctx, tx) }() // it only read; a lost connection loses nothing
	if _, err := tx.Exec(ctx, sqlPatience); err != nil {
		return Manifest{}, fmt.Errorf("report messages: %w", err)
	}
	m, err := deliverMessages(ctx, tx, w, opt)
	if err != nil {
		return m, fmt.Errorf("report messages: %w", err)
	}
	return m, nil
}

const sqlMessagesPage = `
SELECT m.key, r.id, r.number, m.at, r.template, r.template_version, (r.inr_per_part * 1000000)::int8, r.snapshot_hash
FROM message m
JOIN run r ON r.id = m.run_id
WHERE (m.at, m.run_id) > ($1::timestamptz, $2::int4) AND m.at < $3
ORDER BY m.at, m.run_id
LIMIT $4`

// message is what a report needs to know of one message before its facts.
type message struct {
	Key      string
	Run      int32
	Number   int32
	At       time.Time
	Template string
	Version  int32
	MicroINR int64
	Hash     []byte
}

// messageReport is a report of messages in the making.
type messageReport struct {
	tx        pgx.Tx
	out       *output
	lines     *writer
	count     *tally
	cost      int64
	templates map[string]map[string]string // ids by language, by name and version
}

func deliverMessages(ctx context.Context, tx pgx.Tx, w io.Writer, opt MessageOptions) (Manifest, error) {
	names := &run{Campaign: campaign.MessagesCampaign}
	if err := names.readPlaces(ctx, tx); err != nil {
		return Manifest{}, err
	}
	if err := tx.QueryRow(ctx, `SELECT transaction_timestamp()`).Scan(&names.AsOf); err != nil {
		return Manifest{}, err
	}
	r := &messageReport{
		tx: tx, lines: newWriter(names, opt.Masked), count: newTally(), templates: make(map[string]map[string]string),
		out: &output{to: w, sum: sha256.New(), buffer: append(appendHeader(make([]byte, 0, flushSize+4<<10))[:headerSize()], ",key\n"...)},
	}
	until := opt.To
	if until.IsZero() {
		until = names.AsOf.Add(margin)
	}
	whole := sha256.New()
	c := newChunk()
	after, last := opt.From.Add(-time.Microsecond), int32(1<<31-1)
	for {
		page, err := r.page(ctx, after, last, until)
		if err != nil {
			return Manifest{}, err
		}
		for _, m := range page {
			whole.Write(m.Hash) // a hash never fails
		}
		if len(page) > 0 {
			if err := r.write(ctx, c, page); err != nil {
				return Manifest{}, err
			}
		}
		if len(page) < chunkSize {
			break
		}
		after, last = page[len(page)-1].At, page[len(page)-1].Run
	}
	if err := r.out.flush(); err != nil {
		return Manifest{}, err
	}
	anchor, err := auditlog.Head(ctx, tx)
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{
		AsOf: names.AsOf.In(india), Campaign: names.Campaign, Format: "csv", Columns: MessageColumns,
		Filters: Filters{Masked: opt.Masked, From: limit(opt.From), To: limit(opt.To)},
		Rows:    r.out.lines, Recipients: r.out.lines, Targeted: r.out.lines, Totals: r.count.totals(), Excluded: map[string]int64{},
		Parts: r.count.charged, CostINR: string(appendINR(nil, r.cost)),
		Bytes: r.out.bytes, SHA256: hex.EncodeToString(r.out.sum.Sum(nil)), SnapshotHash: hex.EncodeToString(whole.Sum(nil)), AuditAnchor: anchor,
	}, r.count.check()
}

// headerSize is the length of the header line without its end.
func headerSize() int { return len(appendHeader(nil)) - 1 }

// limit writes a limit of a report, "" for none.
func limit(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(india).Format(time.RFC3339)
}

func (r *messageReport) page(ctx context.Context, after time.Time, last int32, until time.Time) ([]message, error) {
	rows, err := r.tx.Query(ctx, sqlMessagesPage, after, last, until, chunkSize)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message])
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return page, nil
}

// write writes the lines of a page.
func (r *messageReport) write(ctx context.Context, c *chunk, page []message) error {
	runs := make([]int32, len(page))
	for i, m := range page {
		runs[i] = m.Run
	}
	if err := c.loadMessages(ctx, r.tx, runs, page[0].At); err != nil {
		return fmt.Errorf("read messages from %d on: %w", page[0].Number, err)
	}
	for i, n := range c.counts {
		r.count.run[i] += n
	}
	return c.each(func(rec *record) error {
		m := &page[rec.seq-1]
		ids, err := r.idsOf(ctx, m)
		if err != nil {
			return err
		}
		r.count.rows[rec.outcome]++
		r.count.charged += int64(rec.charged)
		r.cost += int64(rec.charged) * m.MicroINR
		r.lines.turnTo(m, ids)
		rec.seq = 1
		r.out.buffer = r.lines.appendRecord(r.out.buffer, c, rec)
		end := len(r.out.buffer) - 1
		r.out.buffer = append(appendCell(append(r.out.buffer[:end], ','), []byte(m.Key)), '\n')
		return r.out.line()
	})
}

// turnTo makes the next line one of another message.
func (w *writer) turnTo(m *message, templateIDs map[string]string) {
	w.run.templateIDs = templateIDs
	w.prefix = append(appendCell(w.prefix[:0], []byte(w.run.Campaign)), ',')
	w.prefix = append(strconv.AppendInt(w.prefix, int64(m.Number), 10), ',')
	if w.run.MicroINR != m.MicroINR {
		w.run.MicroINR = m.MicroINR
		for i := range w.prices {
			w.prices[i] = appendINR(w.prices[i][:0], int64(i)*m.MicroINR)
		}
	}
}

// idsOf reads the template ids of a message's template once.
func (r *messageReport) idsOf(ctx context.Context, m *message) (map[string]string, error) {
	name := fmt.Sprintf("%s %d", m.Template, m.Version)
	if ids, ok := r.templates[name]; ok {
		return ids, nil
	}
	version, err := templates.NewStore(r.tx).GetVersion(ctx, m.Template, int(m.Version))
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string)
	for language, text := range version.Template.Languages {
		ids[language] = text.TemplateID
	}
	r.templates[name] = ids
	return ids, nil
}

// MessageOutcome is what became of one message.
type MessageOutcome struct {
	State         string // of its recipient
	SubmittedAt   *time.Time
	AcceptedAt    *time.Time
	FinalAt       *time.Time
	Error         string // the refusal, or the reason of a skip
	MessageIDs    []string
	ReceiptStatus string
	ReceiptError  string
}

// Message reads what became of the message that is the given run and was taken in at that time. Errors: ErrNotFound, or PostgreSQL's.
func Message(ctx context.Context, pool *pgxpool.Pool, id int32, at time.Time) (MessageOutcome, error) {
	tx, err := begin(ctx, pool)
	if err != nil {
		return MessageOutcome{}, fmt.Errorf("report message %d: %w", id, err)
	}
	defer func() { _ = rollback(ctx, tx) }() // it only read
	c := newChunk()
	if err := c.loadMessages(ctx, tx, []int32{id}, at); err != nil {
		return MessageOutcome{}, fmt.Errorf("report message %d: %w", id, err)
	}
	if c.people[0].msisdn == 0 {
		return MessageOutcome{}, fmt.Errorf("message %d %w", id, ErrNotFound)
	}
	var out MessageOutcome
	err = c.each(func(rec *record) error {
		out = MessageOutcome{
			State: rec.outcome.String(), SubmittedAt: rec.submitted.when(), AcceptedAt: rec.accepted.when(), FinalAt: rec.final.when(),
			Error: plainError(rec), ReceiptStatus: rec.receipt, ReceiptError: string(rec.err),
		}
		for _, s := range rec.ids {
			out.MessageIDs = append(out.MessageIDs, string(c.bytes(s.id)))
		}
		return nil
	})
	return out, err
}

// plainError is what a report's error says, without a cell's quotes.
func plainError(rec *record) string {
	switch {
	case rec.outcome == campaign.Rejected && rec.status != 0:
		return string(appendStatus(nil, rec.status))
	case rec.skip.detail == "" || rec.skip.detail == rec.skip.reason:
		return rec.skip.reason
	}
	return rec.skip.reason + ": " + rec.skip.detail
}
