package audience

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// splitAll reads every record; broken ones come as their error.
func splitAll(t *testing.T, s *splitter) (records [][]string, lines []int64) {
	t.Helper()
	for {
		line, err := s.next()
		if errors.Is(err, io.EOF) {
			return records, lines
		}
		var r []string
		if err != nil {
			r = []string{"!" + err.Error()}
		} else {
			for _, f := range s.fields {
				r = append(r, string(f))
			}
		}
		records, lines = append(records, r), append(lines, line)
	}
}

func TestSplitter(t *testing.T) {
	t.Parallel()
	long := "!" + errRowLong.Error()
	open := "!" + errRowQuote.Error()
	after := "!" + errRowAfter.Error()
	for _, tt := range []struct {
		name, in string
		want     [][]string
		lines    []int64
	}{
		{"plain", "a,b\nc,d\n", [][]string{{"a", "b"}, {"c", "d"}}, []int64{1, 2}},
		{"no end of line", "a,b", [][]string{{"a", "b"}}, []int64{1}},
		{"Windows", "a,b\r\n\"c\",d\r\n", [][]string{{"a", "b"}, {"c", "d"}}, []int64{1, 2}},
		{"empty fields", ",\n,,\n\"\",\n", [][]string{{"", ""}, {"", "", ""}, {"", ""}}, []int64{1, 2, 3}},
		{"quotes", "\"a,b\",\"c \"\"d\"\"\",e \"f\"\n", [][]string{{"a,b", `c "d"`, `e "f"`}}, []int64{1}},
		{"lines inside quotes", "\"a\nb\",c\nd,\"e\r\n\nf\"\ng\n", [][]string{{"a\nb", "c"}, {"d", "e\r\n\nf"}, {"g"}}, []int64{1, 3, 6}},
		{"open quote", "a,\"b\nc,d\n", [][]string{{open}, {"c", "d"}}, []int64{1, 2}},
		{"text after quote", "\"a\"b,c\nd\n", [][]string{{after}, {"d"}}, []int64{1, 2}},
		{"a quote closed lines later", "\"a\nb\"c\nd\n", [][]string{{after}, {`b"c`}, {"d"}}, []int64{1, 2, 3}},
		{"long line", strings.Repeat("x", maxRecord+1) + "\nb\n", [][]string{{long}, {"b"}}, []int64{1, 2}},
		{"very long line", strings.Repeat("x,", 3*splitBuffer) + "\nb\n", [][]string{{long}, {"b"}}, []int64{1, 2}},
		{"long last line", strings.Repeat("x", 2*splitBuffer), [][]string{{long}}, []int64{1}},
		{"long value", "\"" + strings.Repeat("x\n", maxRecord) + "\n", nil, nil},
		{"trailing comma after quote", "\"a\",", [][]string{{"a", ""}}, []int64{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, src := range []io.Reader{strings.NewReader(tt.in), iotest.HalfReader(strings.NewReader(tt.in)), iotest.DataErrReader(strings.NewReader(tt.in))} {
				got, lines := splitAll(t, newSplitter(src))
				if tt.want == nil { // only that it ends, and with the first line
					if got[0][0] != open {
						t.Errorf("%.60q", got[0])
					}
					continue
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(tt.lines, lines); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestSplitterBoundaries(t *testing.T) {
	t.Parallel()
	// Records of every length run across the end of the buffer.
	var in bytes.Buffer
	var want [][]string
	for i := 0; in.Len() < 3*splitBuffer; i++ {
		r := []string{strings.Repeat("ä", i%997), "q\"\n" + strings.Repeat("z", i%89), "end"}
		want = append(want, r)
		in.WriteString(r[0] + ",\"" + strings.ReplaceAll(r[1], `"`, `""`) + "\"," + r[2] + "\n")
	}
	got, _ := splitAll(t, newSplitter(&in))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff[:min(len(diff), 2000)])
	}
}

// FuzzSplitter holds the splitter to encoding/csv wherever that accepts the file, and to the same
// records however the bytes arrive.
func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"a,b\nc,d", "\"a\"\"b\",\n", "\"a\nb\",c\r\n", "a\"b,c", "\"a\"b\n", "\n\n\"\"", "\"", "a,\r\nb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, lines := splitAll(t, newSplitter(bytes.NewReader(in)))
		slow, slowLines := splitAll(t, newSplitter(iotest.OneByteReader(bytes.NewReader(in))))
		if diff := cmp.Diff(got, slow); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(lines, slowLines); diff != "" {
			t.Fatal(diff)
		}
		r := csv.NewReader(bytes.NewReader(in))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil || bytes.Contains(in, []byte("\r")) { // encoding/csv rewrites \r\n inside quotes
			return
		}
		var kept [][]string
		for _, record := range got {
			if len(record) > 1 || record[0] != "" { // encoding/csv passes over empty lines
				kept = append(kept, record)
			}
		}
		var wantKept [][]string
		for _, record := range want {
			if len(record) > 1 || record[0] != "" {
				wantKept = append(wantKept, record)
			}
		}
		if diff := cmp.Diff(wantKept, kept); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzImportRows runs whole files through everything but the database.
func FuzzImportRows(f *testing.F) {
	f.Add("msisdn,name,age,home_state,home_district,bank_account,x\n9812345678,Sita,36,BR,Patna,yes,1\n")
	f.Add("msisdn;language\n+91 98123 45678;hindi\n9812345678;\n")
	f.Add("msisdn,eshram_uan,source_id\n9812345678,1.2E+11,1.2E+11\n\"9\n")
	f.Add("# hello\nmsisdn\tgender\tincome_monthly\n९८१२३४५६७८\tमहिला\tRs 10,000/-\n")
	f.Fuzz(func(t *testing.T, in string) {
		split := newSplitter(strings.NewReader(in))
		plan, err := readHeader(split, nil)
		if err != nil {
			return
		}
		split.limit = len(plan.columns)
		var rejects bytes.Buffer
		reader := newRowReader(plan, testKey(t), ImportOptions{Source: "fuzz", Now: importDay, Rejects: &rejects, chunk: 3})
		c := newImportChunk(plan, 3)
		for more := true; more; {
			c.reset()
			if more, err = fillChunk(reader, split, c); err != nil {
				return
			}
			c.seal(constantCells("fuzz", 1, false), len(importConstants))
			if int64(len(c.people)) > c.read-c.refused || len(c.tupleEnd) != len(c.people) || len(c.cells) != len(c.people)*plan.width() {
				t.Fatalf("%d people of %d rows, %d refused", len(c.people), c.read, c.refused)
			}
		}
		if err := reader.rejects.flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := csv.NewReader(&rejects).ReadAll(); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	var in bytes.Buffer
	for range 20_000 {
		in.WriteString("S00000001,7000000001,Jagannath Behera,male,48,or,construction,tile layer,7500,Odisha,Angul,Sonbarsa,Delhi,Central Delhi,500000000000,RC0000000007,other,no,yes,yes,,no,no,yes,yes\n")
	}
	b.Run("splitter", func(b *testing.B) {
		b.SetBytes(int64(in.Len()))
		for b.Loop() {
			s := newSplitter(bytes.NewReader(in.Bytes()))
			for {
				if _, err := s.next(); err != nil {
					break
				}
			}
		}
	})
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(int64(in.Len()))
		for b.Loop() {
			r := csv.NewReader(bytes.NewReader(in.Bytes()))
			r.ReuseRecord = true
			for {
				if _, err := r.Read(); err != nil {
					break
				}
			}
		}
	})
}
