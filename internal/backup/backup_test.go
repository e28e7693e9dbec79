package backup

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample writes a small backup whose dump is the given text, in pieces.
func sample(t testing.TB, content string) ([]byte, Manifest) {
	t.Helper()
	at := time.Date(2026, 12, 1, 4, 30, 0, 0, time.UTC)
	var out bytes.Buffer
	w := newWriter(&out, at)
	m := Manifest{Format: format, Program: "1.2", CreatedAt: at, Contacts: 7, Audit: 3}
	for _, step := range []error{
		w.json(headerName, header{Format: format, Program: "1.2", CreatedAt: at}),
		w.entry(keyName, []byte("secret\n")),
		w.entry(homePrefix+"pukar.yaml", []byte("routes: []\n")),
		w.pieces(dumpPrefix, iotest.HalfReader(strings.NewReader(content))),
		w.close(m),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	return out.Bytes(), m
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("0123456789", pieceSize/10+5) // more than one piece
	file, want := sample(t, content)
	got, err := Check(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Manifest{}, "Sums")); diff != "" {
		t.Error(diff)
	}
	files := map[string]string{}
	r, err := dump(bytes.NewReader(file), func(name string, content []byte) error {
		files[name] = string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(r)
	if err != nil || string(back) != content {
		t.Errorf("%d bytes of the dump came back of %d, error %v", len(back), len(content), err)
	}
	if files[keyName] != "secret\n" || files[homePrefix+"pukar.yaml"] != "routes: []\n" {
		t.Errorf("files %q", files)
	}
}

func TestAFileThatBrokeOffIsNoBackup(t *testing.T) {
	t.Parallel()
	file, _ := sample(t, "the dump of a database")
	whole := bytes.LastIndex(file, []byte("}\n")) + 2 // behind it is the tar's padding
	for n := 0; n < whole; n += 7 {
		if _, err := Check(bytes.NewReader(file[:n])); !errors.Is(err, ErrNotABackup) {
			t.Fatalf("the first %d of %d bytes: error %v", n, whole, err)
		}
	}
}

func TestAnAlteredFileIsNoBackup(t *testing.T) {
	t.Parallel()
	file, _ := sample(t, "the dump of a database")
	for what, alter := range map[string]func([]byte) []byte{
		"dump":        func(b []byte) []byte { return bytes.Replace(b, []byte("the dump"), []byte("thE dump"), 1) },
		"key":         func(b []byte) []byte { return bytes.Replace(b, []byte("secret"), []byte("secreT"), 1) },
		"format":      func(b []byte) []byte { return bytes.Replace(b, []byte(`"format": 1,`), []byte(`"format": 2,`), 2) },
		"another tar": func([]byte) []byte { return make([]byte, 2048) },
		"rubbish":     func([]byte) []byte { return []byte(strings.Repeat("no backup ", 300)) },
		"a second manifest": func(b []byte) []byte {
			return bytes.Replace(b, []byte("database/000000"), []byte("manifest.json\x00\x00"), 1)
		},
	} {
		if m, err := Check(bytes.NewReader(alter(bytes.Clone(file)))); !errors.Is(err, ErrNotABackup) {
			t.Errorf("%s: manifest %+v, error %v", what, m, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	file, _ := sample(f, "the dump of a database")
	f.Add(file)
	f.Add(file[:600])
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Check(bytes.NewReader(file))
		if err == nil && (m.Format != format || m.Sums[keyName] == "") {
			t.Errorf("taken for a backup: %+v", m)
		}
	})
}

func TestHidePassword(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, address, rest, password string }{
		{"a socket", "postgres:///pukar?host=%2Frun&user=pukar", "postgres:///pukar?host=%2Frun&user=pukar", ""},
		{"in the authority", "postgres://u:p%40ss@db:5432/pukar?sslmode=require", "postgres://u@db:5432/pukar?sslmode=require", "p@ss"},
		{"as a parameter", "postgres://u@db/pukar?password=secret", "postgres://u@db/pukar", "secret"},
		{"as a word", "host=db user=u password=secret dbname=pukar", "host=db user=u dbname=pukar", "secret"},
		{"as a quoted word", `host=db password='a \'b' user=u`, "host=db user=u", "a 'b"},
		{"no password", "host=db user=u", "host=db user=u", ""},
	} {
		rest, password := hidePassword(test.address)
		if rest != test.rest || password != test.password {
			t.Errorf("%s: %q and %q", test.name, rest, password)
		}
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	key := filepath.Join(home, "key")
	if err := Unfinished(home); err != nil {
		t.Errorf("a home that is not there: %v", err)
	}
	if err := Claim(home, key); err != nil {
		t.Fatal(err)
	}
	if err := Unfinished(home); !errors.Is(err, ErrUnfinished) {
		t.Errorf("after a restore began: %v", err)
	}
	if err := os.WriteFile(key, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Claim(home, key); err != nil {
		t.Errorf("beginning again what broke off: %v", err)
	}
	if err := (Target{Home: home}).Finish(); err != nil {
		t.Fatal(err)
	}
	if err := Claim(home, key); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a home with a key: %v", err)
	}
}

func TestFilesStayInTheHome(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	target := Target{Home: home, KeyFile: filepath.Join(home, "key")}
	kept := filepath.Join(home, "pukar.yaml")
	if err := os.WriteFile(kept, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyName, "home/pukar.yaml", "home/holidays/2027.yaml", "home/../../outside", "elsewhere", headerName} {
		if err := target.writeFile(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	var found []string
	if err := filepath.WalkDir(filepath.Dir(home), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, strings.TrimPrefix(path, home))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/holidays/2027.yaml", "/key", "/pukar.yaml"}, found); diff != "" {
		t.Error(diff)
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "mine" {
		t.Errorf("what a person wrote became %q, error %v", text, err)
	}
}

func TestTheConfigurationIsTakenFromWhereItIs(t *testing.T) {
	t.Parallel()
	home, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "helpline.yaml")
	for path, content := range map[string]string{
		filepath.Join(home, "key"): "secret\n", filepath.Join(home, "pukar.yaml"): "# not in use\n", elsewhere: "routes: []\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken := func(config string) (map[string]string, error) {
		var out bytes.Buffer
		w := newWriter(&out, time.Now())
		if err := w.json(headerName, header{Format: format}); err != nil {
			return nil, err
		}
		if err := (Source{Home: home, KeyFile: filepath.Join(home, "key"), Config: config}).writeFiles(w); err != nil {
			return nil, err
		}
		if err := errors.Join(w.pieces(dumpPrefix, strings.NewReader("x")), w.close(Manifest{Format: format})); err != nil {
			return nil, err
		}
		files := map[string]string{}
		_, err := dump(&out, func(name string, content []byte) error {
			if name != headerName {
				files[name] = string(content)
			}
			return nil
		})
		return files, err
	}
	for config, want := range map[string]string{"": "# not in use\n", elsewhere: "routes: []\n"} {
		files, err := taken(config)
		if diff := cmp.Diff(map[string]string{"key": "secret\n", homePrefix + "pukar.yaml": want}, files); err != nil || diff != "" {
			t.Errorf("configuration at %q: %v\n%s", config, err, diff)
		}
	}
	if _, err := taken(elsewhere + ".gone"); err == nil || !strings.Contains(err.Error(), "configuration") {
		t.Errorf("a configuration that is gone: %v", err)
	}
}
