package audience

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func testKey(t testing.TB) Key {
	t.Helper()
	k, err := NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyNumberIsHMAC(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	for _, n := range []int64{919812345678, 916000000001, 1} {
		mac := hmac.New(sha256.New, bytes.Repeat([]byte{7}, 32))
		fmt.Fprintf(mac, "%d", n)
		want := int64(binary.BigEndian.Uint64(mac.Sum(nil)))
		if got := k.Number(n); got != want {
			t.Errorf("Number(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestKeyNumberAllocates(t *testing.T) {
	k := testKey(t)
	if n := testing.AllocsPerRun(100, func() { k.Number(919812345678) }); n != 0 {
		t.Errorf("Number allocates %v times", n)
	}
}

func TestLoadKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "home", "number.key")
	// Processes that start together must agree.
	keys := make([]Key, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, k := range keys {
		if k != keys[0] || k.IsZero() {
			t.Errorf("key %d differs", i)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", keys[0], keys[0], keys[0], keys[0]); strings.ContainsAny(strings.ReplaceAll(s, "audience.Key", ""), "0123456789abcdef") {
		t.Errorf("the key prints as %q", s)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	t.Parallel()
	write := func(text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	full := strings.Repeat("ab", 32)
	for name, tt := range map[string]struct{ path, mend string }{
		"readable by others": {write(full, 0o644), "chmod 600"},
		"cut short":          {write(full[:20], 0o600), "restore"},
		"empty":              {write("", 0o600), "restore"},
		"not hexadecimal":    {write(strings.Repeat("xy", 32), 0o600), "restore"},
	} {
		if _, err := LoadKey(tt.path); err == nil || !strings.Contains(err.Error(), tt.mend) {
			t.Errorf("%s: %v, want %q", name, err, tt.mend)
		}
	}
	if _, err := LoadKey(write(full+"\n", 0o600)); err != nil {
		t.Error(err)
	}
}

func BenchmarkKeyNumber(b *testing.B) {
	k := testKey(b)
	b.ReportAllocs()
	for b.Loop() {
		k.Number(919812345678)
	}
}
