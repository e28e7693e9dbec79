package mark

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLSN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]LSN{"0/0": 0, "0/16B3748": 0x16B3748, "16/B374D848": 0x16B374D848, "FFFFFFFF/FFFFFFFF": 1<<64 - 1} {
		var got LSN
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%s is read as %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/", "0", "0/", "/0", "0/0/0", "0/G", "-1/0", "100000000/0", "0/100000000", " 0/0"} {
		if err := new(LSN).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func FuzzLSN(f *testing.F) {
	for _, seed := range []string{"0/0", "16/B374D848", "x", "1/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var l, again LSN
		if l.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(l.String())); err != nil || again != l {
			t.Errorf("%q is %s, which is %s: %v", text, l, again, err)
		}
	})
}

func sample() Mark {
	return Mark{
		Home: "home", At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Position: Position{System: "7357", Timeline: 3, LSN: 0x16B374D848, Count: 12},
	}
}

func TestDiffers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		move func(*Position)
		says string // "" when it is the same database and no older
	}{
		{"the very same", func(*Position) {}, ""},
		{"further on", func(p *Position) { p.LSN += 1 << 30; p.Count += 5 }, ""},
		{"a byte further", func(p *Position) { p.LSN++ }, ""},
		{"a byte less", func(p *Position) { p.LSN-- }, "16/B374D847, before 16/B374D848"},
		{"a segment boundary less", func(p *Position) { p.LSN = 0x15FFFFFFFF }, "15/FFFFFFFF"},
		{"more in the low half, less in the high", func(p *Position) { p.LSN = 0x15FFFFFFFE }, "15/FFFFFFFE"},
		{"less in the low half, more in the high", func(p *Position) { p.LSN = 0x1700000000 }, ""},
		{"promoted, nothing lost", func(p *Position) { p.Timeline++; p.LSN++ }, "timeline is 4, not 3"},
		{"an older timeline", func(p *Position) { p.Timeline-- }, "timeline is 2"},
		{"another cluster, further on", func(p *Position) { p.System = "1"; p.LSN *= 2; p.Count *= 2 }, "system identifier is 1, not 7357"},
		{"restored and run on past the mark", func(p *Position) { p.LSN *= 2; p.Count-- }, "not in it"},
		{"a dump loaded anew", func(p *Position) { p.LSN *= 2; p.Count = 0 }, "not in it"},
	} {
		m := sample()
		now := m.Position
		test.move(&now)
		got := m.Differs(now)
		if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
			t.Errorf("%s: %q, want %q", test.name, got, test.says)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), FileName)
	if _, err := load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	m := sample()
	for range 2 {
		m.Count++
		if err := m.save(path); err != nil {
			t.Fatal(err)
		}
		got, err := load(path)
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(whole, &fields); err != nil {
		t.Fatal(err)
	}
	bad := []string{"", "restored\n", "{}", string(whole[:len(whole)/2])}
	for name := range fields { // a mark without one of its fields is none
		less := map[string]any{}
		for other, value := range fields {
			if other != name {
				less[other] = value
			}
		}
		text, err := json.Marshal(less)
		if err != nil {
			t.Fatal(err)
		}
		bad = append(bad, string(text))
	}
	for _, text := range bad {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := load(path); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q is read as %+v, %v", text, m, err)
		}
	}
}
