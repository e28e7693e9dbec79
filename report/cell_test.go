package report

import (
	"encoding/csv"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// FuzzAppendCell holds every cell to what a CSV reader makes of it.
func FuzzAppendCell(f *testing.F) {
	for _, seed := range []string{"", "plain", "a,b", `say "no"`, "=cmd()", "+1", "-1", "@x", "\tx", " lead", "two\nlines", "नमस्ते"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		line := string(appendCell([]byte("before,"), []byte(value))) + ",after\n"
		got, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil || len(got) != 3 {
			t.Fatalf("%q: %q, %v", line, got, err)
		}
		// The reader makes one line end of CR LF inside a cell.
		want := strings.ReplaceAll(value, "\r\n", "\n")
		if strings.IndexAny(value, "=+-@\t\r\n") == 0 {
			want = strings.ReplaceAll("'"+value, "\r\n", "\n")
		}
		if got[1] != want {
			t.Errorf("cell of %q reads %q", value, got[1])
		}
	})
}

func TestClockWritesWhatTheLibraryWrites(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 19800)
	var c clock
	rapid.Check(t, func(t *rapid.T) {
		unix := rapid.Int64Range(-2_000_000_000_000_000, 8_000_000_000_000_000).Draw(t, "micros since 1970")
		m := micros(unix - epoch*int64(second))
		if m == 0 {
			return
		}
		want := time.UnixMicro(unix).In(zone).Format("2006-01-02T15:04:05.000-07:00")
		if got := string(c.append(nil, m)); got != want {
			t.Fatalf("%d: %s, want %s", unix, got, want)
		}
	})
	if got := c.append(nil, 0); len(got) != 0 {
		t.Errorf("no time is written %q", got)
	}
}

func TestINRIsExact(t *testing.T) {
	t.Parallel()
	for micro, want := range map[int64]string{0: "0.00", 145_000: "0.145", 1: "0.000001", 290_000: "0.29", 100_000_000: "100.00", -1_450_000: "-1.45", 12_345_670: "12.34567"} {
		if got := string(appendINR(nil, micro)); got != want {
			t.Errorf("%d millionths: %s, want %s", micro, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		micro := rapid.Int64Range(-1<<60, 1<<60).Draw(t, "micro")
		got, ok := new(big.Rat).SetString(string(appendINR(nil, micro)))
		if !ok || got.Cmp(big.NewRat(micro, 1_000_000)) != 0 {
			t.Fatalf("%d millionths: %s", micro, appendINR(nil, micro))
		}
	})
}
