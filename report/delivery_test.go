package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pukar/campaign"
	"pukar/internal/testenv"
)

// everyState is a ledger with every outcome and most ways to it; want holds the columns seq to cost_inr of its report.
func everyState() (l *ledger, want [][]string) {
	l = &ledger{}
	first := l.stride(at(0))
	again := l.stride(at(5000))
	add := func(facts campaign.Facts, row ...string) int32 {
		n := len(l.recipients)
		state, district, place := any(10), any(188), []string{"Bihar", "Patna"}
		if n%2 == 1 {
			state, district, place = 20, 340, []string{"Jharkhand", "Ranchi, rural"}
		}
		language, template := "hi", "1107172974420810001"
		if n%3 == 2 {
			language, template = "en", "1107172974420810002"
		}
		if n == 4 {
			state, district, place = nil, nil, []string{"", ""}
		}
		seq := l.recipient(int64(1000-n), 919812345600+int64(n), language, state, district, facts)
		want = append(want, append([]string{fmt.Sprint(seq), fmt.Sprint(1000 - n), fmt.Sprint(919812345600 + n), language, place[0], place[1], template}, row...))
		return seq
	}
	one, all3 := campaign.Part(1), campaign.PartSet(7)

	seq := add(campaign.Facts{Parts: 1, Accepted: one, Delivered: one},
		"1", "delivered", "", "main", "a1", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.120+05:30", "2026-12-01T10:30:03.000+05:30", "delivered", "000", "0.145")
	l.submission(first, seq, 1, 1, "accepted", 0, "a1", at(120))
	l.receipt(seq, 1, "", "", at(1000), false) // on its way
	l.receipt(seq, 1, "delivered", "000", at(3000), false)

	add(campaign.Facts{}, "0", "pending", "", "", "", "", "", "", "", "", "0.00")

	seq = add(campaign.Facts{Flags: campaign.FlagSuppressed}, "0", "suppressed", "suppressed", "", "", "", "", "2026-12-01T10:30:00.200+05:30", "", "", "0.00")
	l.skip(seq, "suppressed", "", at(200))

	seq = add(campaign.Facts{Flags: campaign.FlagSkipped}, "0", "skipped", `render: "name", too long`, "", "", "", "", "2026-12-01T10:30:00.200+05:30", "", "", "0.00")
	l.skip(seq, "render", `"name", too long`, at(200))

	seq = add(campaign.Facts{Parts: 1, Unknown: one}, "1", "unknown", "", "main", "", "2026-12-01T10:30:00.000+05:30", "", "", "", "", "0.00")
	l.submission(first, seq, 1, 1, "unknown", 0, nil, at(9000))

	seq = add(campaign.Facts{Parts: 1, Refused: one}, "1", "rejected", "ESME_RINVDSTADR 0x0000000B", "main", "", "2026-12-01T10:30:00.000+05:30", "", "2026-12-01T10:30:00.300+05:30", "", "", "0.00")
	l.submission(first, seq, 1, 1, "refused", 0x0B, nil, at(300))

	seq = add(campaign.Facts{Parts: 1, Accepted: one}, "1", "sent", "", "main", "'=1+1", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.100+05:30", "", "", "", "0.145")
	l.submission(first, seq, 1, 1, "accepted", 0, "=1+1", at(100))

	seq = add(campaign.Facts{Parts: 1, Accepted: one, Failed: one}, "1", "failed", "", "main", "f1", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.100+05:30", "2026-12-01T10:30:02.000+05:30", "failed", "'-21", "0.145")
	l.submission(first, seq, 1, 1, "accepted", 0, "f1", at(100))
	l.receipt(seq, 1, "failed", "-21", at(2000), true)

	seq = add(campaign.Facts{Parts: 1, Accepted: one, Expired: one}, "1", "expired", "", "main", "e1", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.100+05:30", "2026-12-02T10:30:00.000+05:30", "expired", "", "0.145")
	l.submission(first, seq, 1, 1, "accepted", 0, "e1", at(100))
	l.receipt(seq, 1, "expired", "", at(24*3600*1000), false)

	seq = add(campaign.Facts{Parts: 1, Accepted: one, Flags: campaign.FlagWaited}, "1", "no_receipt", "", "main", "n1", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.100+05:30", "", "", "", "0.145")
	l.submission(first, seq, 1, 1, "accepted", 0, "n1", at(100))

	// Three parts, told of out of order and twice; the second was throttled and tried again, the third was cut off before it left.
	seq = add(campaign.Facts{Parts: 3, Accepted: all3, Delivered: all3, Failed: campaign.Part(2)},
		"3", "delivered", "", "main", "p1 p2 p3", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:06.000+05:30", "2026-12-01T10:30:09.000+05:30", "delivered", "000", "0.435")
	l.submission(again, seq, 3, 3, "accepted", 0, "p3", at(6000))
	l.submission(again, seq, 2, 3, "accepted", 0, "p2", at(5100))
	l.submission(first, seq, 1, 3, "accepted", 0, "p1", at(100))
	l.submission(first, seq, 1, 3, "accepted", 0, "p1", at(100))
	l.submission(first, seq, 2, 3, "throttled", 0x58, nil, at(110))
	l.submission(first, seq, 3, 3, "not_sent", 0, nil, at(120))
	l.receipt(seq, 2, "failed", "021", at(7000), false)
	l.receipt(seq, 1, "delivered", "000", at(8000), false)
	l.receipt(seq, 2, "delivered", "000", at(8500), true)
	l.receipt(seq, 3, "delivered", "000", at(9000), false)
	l.receipt(seq, 1, "delivered", "000", at(9500), false)

	// Sent twice on purpose: both are paid for.
	seq = add(campaign.Facts{Parts: 1, Accepted: one, Delivered: one},
		"1", "delivered", "", "main", "d1 d2", "2026-12-01T10:30:00.000+05:30", "2026-12-01T10:30:00.100+05:30", "2026-12-01T10:30:07.000+05:30", "delivered", "", "0.29")
	l.submission(first, seq, 1, 1, "accepted", 0, "d1", at(100))
	l.submission(again, seq, 1, 1, "accepted", 0, "d2", at(5200))
	l.receipt(seq, 1, "delivered", "", at(7000), false)

	// No answer, but a receipt: it was taken and is paid for.
	seq = add(campaign.Facts{Parts: 1, Unknown: one, Delivered: one},
		"1", "delivered", "", "main", "", "2026-12-01T10:30:00.000+05:30", "", "2026-12-01T10:30:30.000+05:30", "delivered", "000", "0.145")
	l.submission(first, seq, 1, 1, "unknown", 0, nil, at(9000))
	l.receipt(seq, 1, "delivered", "000", at(30000), true)

	// Refused for now until nobody tried any more.
	seq = add(campaign.Facts{Parts: 1, Refused: one},
		"1", "rejected", "0x00000400", "main", "", "2026-12-01T10:30:00.000+05:30", "", "2026-12-01T10:30:05.500+05:30", "", "", "0.00")
	l.submission(again, seq, 1, 1, "transient", 0x400, nil, at(5500))
	l.submission(first, seq, 1, 1, "transient", 0x08, nil, at(400))

	l.exclude(7, 919800000007, "suppressed")
	l.exclude(3, 919800000003, "duplicate number")
	l.exclude(5, 919800000005, "suppressed")
	return l, want
}

// read returns a report's lines.
func read(t *testing.T, b []byte) [][]string {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestDeliveryShowsEveryState(t *testing.T) {
	t.Parallel()
	l, want := everyState()
	pool := l.store(t)
	var file bytes.Buffer
	m, err := Delivery(t.Context(), pool, &file, Options{Campaign: "onorc-bihar", IncludeExcluded: true})
	if err != nil {
		t.Fatal(err)
	}
	expected := [][]string{Columns}
	for _, row := range want {
		expected = append(expected, append([]string{"onorc-bihar", "1"}, row...))
	}
	for _, e := range [][]string{{"3", "duplicate number"}, {"5", "suppressed"}, {"7", "suppressed"}} {
		expected = append(expected, []string{
			"onorc-bihar", "1", "", e[0], "91980000000" + e[0], "hi", "Bihar", "", "", "0", "excluded", e[1], "", "", "", "", "", "", "", "0.00",
		})
	}
	lines := read(t, file.Bytes())
	if diff := cmp.Diff(expected, lines); diff != "" {
		t.Errorf("report: (-want +got)\n%s", diff)
	}
	checkManifest(t, m, file.Bytes(), lines)
	if m.Parts != 11 || m.CostINR != "1.595" || m.Targeted != int64(len(want)+3) || m.Rows != int64(len(want)+3) {
		t.Errorf("parts %d, cost %s, targeted %d, rows %d", m.Parts, m.CostINR, m.Targeted, m.Rows)
	}
	if diff := cmp.Diff(map[string]int64{"suppressed": 2, "duplicate number": 1}, m.Excluded); diff != "" {
		t.Errorf("excluded: (-want +got)\n%s", diff)
	}
	for state, n := range m.Totals {
		if n == 0 {
			t.Errorf("nobody is %s", state)
		}
	}
	if _, offset := m.AsOf.Zone(); offset != 19800 {
		t.Errorf("as of %v, want +05:30", m.AsOf)
	}
}

// checkManifest holds a manifest to the file, and its totals to the lines.
func checkManifest(t *testing.T, m Manifest, file []byte, lines [][]string) {
	t.Helper()
	sum := sha256.Sum256(file)
	if m.SHA256 != hex.EncodeToString(sum[:]) || m.Bytes != int64(len(file)) || m.Rows != int64(len(lines)-1) {
		t.Errorf("manifest: sha256 %s, %d bytes, %d rows; file: %x, %d, %d", m.SHA256, m.Bytes, m.Rows, sum, len(file), len(lines)-1)
	}
	snapshot := sha256.Sum256([]byte("snapshot"))
	if m.SnapshotHash != hex.EncodeToString(snapshot[:]) {
		t.Errorf("snapshot hash %s", m.SnapshotHash)
	}
	counted := make(map[string]int64)
	for _, state := range campaign.States() {
		counted[state.String()] = 0
	}
	for _, line := range lines[1:] {
		counted[line[10]]++
	}
	delete(counted, outcomeExcluded)
	if diff := cmp.Diff(counted, m.Totals); diff != "" {
		t.Errorf("totals: (-rows +manifest)\n%s", diff)
	}
}

// TestDeliveryOfManyChunks crosses the borders of blocks and chunks.
func TestDeliveryOfManyChunks(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	l.delivered(2*chunkSize+campaign.BlockSize+1, 1)
	pool := l.store(t)
	var file bytes.Buffer
	m, err := Delivery(t.Context(), pool, &file, Options{Campaign: "onorc-bihar", Run: 1, Masked: true})
	if err != nil {
		t.Fatal(err)
	}
	lines := read(t, file.Bytes())
	checkManifest(t, m, file.Bytes(), lines)
	for i, line := range lines[1:] {
		if line[2] != fmt.Sprint(i+1) || line[3] != fmt.Sprint(i+1) || !strings.HasPrefix(line[4], "91******") || line[10] != "delivered" {
			t.Fatalf("line %d: %v", i+1, line)
		}
	}
	if m.Totals["delivered"] != int64(len(l.recipients)) {
		t.Errorf("totals %v", m.Totals)
	}
}

func TestDeliveryNotFound(t *testing.T) {
	t.Parallel()
	l, _ := everyState()
	pool := l.store(t)
	for _, opt := range []Options{{Campaign: "nobody"}, {Campaign: "draft"}, {Campaign: "onorc-bihar", Run: 2}} {
		if _, err := Delivery(t.Context(), pool, io.Discard, opt); !errors.Is(err, ErrNotFound) {
			t.Errorf("%+v: %v, want ErrNotFound", opt, err)
		}
	}
}

func TestDeliverySaysWhenCountsDiffer(t *testing.T) {
	t.Parallel()
	l, want := everyState()
	pool := l.store(t)
	if _, err := pool.Exec(t.Context(), `UPDATE outcome SET counts[1] = counts[1] + 1, counts[7] = counts[7] - 1`); err != nil {
		t.Fatal(err)
	}
	m, err := Delivery(t.Context(), pool, io.Discard, Options{Campaign: "onorc-bihar"})
	if !errors.Is(err, ErrInconsistent) {
		t.Errorf("error %v, want ErrInconsistent", err)
	}
	if m.Rows != int64(len(want)) {
		t.Errorf("%d rows, want %d all the same", m.Rows, len(want))
	}
}

// brokenWriter fails after some bytes.
type brokenWriter struct{ left int }

var errBroken = errors.New("disk full")

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errBroken
	}
	return len(b), nil
}

func TestDeliveryEndsWithItsWriterAndContext(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	l.delivered(4*chunkSize, 1)
	pool := l.store(t)
	if _, err := Delivery(t.Context(), pool, &brokenWriter{left: 3 * flushSize}, Options{Campaign: "onorc-bihar"}); !errors.Is(err, errBroken) {
		t.Errorf("broken writer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Delivery(ctx, pool, writerFunc(func(b []byte) (int, error) {
		cancel()
		return len(b), nil
	}), Options{Campaign: "onorc-bihar"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	testenv.Eventually(t, 20*time.Second, "every connection is given back", func() bool { return pool.Stat().AcquiredConns() == 0 })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestWriteManifest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onorc.csv")
	want := Manifest{Campaign: "onorc-bihar", Run: 2, AsOf: frozen.In(india), Totals: map[string]int64{"sent": 1}, SHA256: "ab"}
	for range 2 {
		if err := WriteManifest(file, want); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file + ".manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var got Manifest
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest: (-want +got)\n%s", diff)
	}
	if !strings.Contains(string(b), `"as_of": "2026-12-01T10:30:00+05:30"`) {
		t.Errorf("as_of in %s", b)
	}
	if err := WriteManifest(filepath.Join(t.TempDir(), "none", "x.csv"), want); err == nil {
		t.Error("wrote into a folder that is not there")
	}
}

// TestStatementsFitTheSchema prepares every statement of the package.
func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	l, _ := everyState()
	pool := l.store(t)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for i, sql := range statements {
		if _, err := conn.Conn().Prepare(t.Context(), fmt.Sprintf("s%d", i), sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// statements is every statement of the package.
var statements = []string{
	sqlCampaign, sqlRun, sqlStates, sqlDistricts, sqlRecipients, sqlOutcomes, sqlSubmissions, sqlReceipts, sqlMatched, sqlSkips, sqlStrides,
	sqlExcludedByReason, sqlExcluded, sqlMessagesPage, sqlMessagePeople, sqlMessageOutcomes, sqlMessageSubmissions, sqlMessageReceipts,
	sqlMessageMatched, sqlMessageSkips,
}
