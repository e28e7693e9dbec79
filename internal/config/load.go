package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// fileInHome is the name of the configuration file in the home.
const fileInHome = "pukar.yaml"

// notSettings are environment variables with our prefix that are not settings of the program.
var notSettings = []string{"PUKAR_CONFIG", "PUKAR_TEST_DATABASE_URL", "PUKAR_TEST_REDIS_URL"}

// fromCluster matches variables that Kubernetes and Docker set for every service, one called pukar included.
var fromCluster = regexp.MustCompile(`^PUKAR(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP)(_[A-Z]+)?)?)$|^PUKAR_PORT$`)

// Load reads the settings: defaults, then the file at path, then env (as os.Environ gives it), then overrides, which
// are flags by the name of their key; a nil value counts as not given. An empty path means pukar.yaml in the home,
// which may be missing; a file that was named must be there. A list in a later layer replaces the earlier one.
//
// In an environment variable (PUKAR_ and the key in capitals) a list is separated by commas or written as in YAML,
// which is also how routes are given there: PUKAR_ROUTES='[{name: main, …}]'.
//
// What is wrong comes back as one *InvalidError.
func Load(path string, env []string, overrides map[string]any) (*Config, error) {
	d := &decoder{places: map[string]string{}}
	fromEnv := d.environment(env)
	flags := d.overrides(overrides)

	home := textOf(flags["home"], textOf(fromEnv["home"], defaultHome()))
	path = fileAt(path, home)
	fromFile, err := readFile(path)
	if err != nil {
		return nil, err
	}
	settings := koanf.New(".")
	for _, l := range []layer{fromFile, fromEnv, flags} {
		d.readFiles(l, "", reflect.TypeFor[Config]())
		if err := settings.Load(l, nil); err != nil {
			return nil, fmt.Errorf("merge settings: %w", err)
		}
	}
	c := &Config{File: path}
	d.structure(settings.Raw(), "", reflect.ValueOf(c).Elem())
	c.complete()
	d.validate(c)
	if len(d.problems) > 0 {
		slices.SortStableFunc(d.problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
		return nil, &InvalidError{Problems: d.problems}
	}
	return c, nil
}

// fileAt is the named file, or the one in the home if there is one.
func fileAt(path, home string) string {
	if path == "" {
		path = filepath.Join(home, fileInHome)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return ""
		}
	}
	return path
}

// readFile reads a configuration file, "" as an empty one.
func readFile(path string) (layer, error) {
	if path == "" {
		return layer{}, nil
	}
	fromFile := koanf.New(".")
	if err := fromFile.Load(file.Provider(path), &yamlParser{file: fileName(path)}); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return fromFile.Raw(), nil
}

// textOf is the text of a leaf, or the alternative where there is none.
func textOf(leaf any, otherwise string) string {
	if s, ok := leaf.(scalar); ok && s.Text != "" {
		return s.Text
	}
	return otherwise
}

// keysOf maps every key of the first level, those for files included, to whether it takes a list.
func keysOf() map[string]bool {
	t := reflect.TypeFor[Config]()
	keys := map[string]bool{}
	for _, f := range fieldsOf(t) {
		keys[f.name] = t.Field(f.at).Type.Kind() == reflect.Slice
		if f.file {
			keys[f.name+"_file"] = false
		}
	}
	return keys
}

// environment turns PUKAR_ variables into a layer. An empty variable counts as not given.
func (d *decoder) environment(env []string) layer {
	keys, l := keysOf(), layer{}
	for _, entry := range env {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "PUKAR_") || text == "" || slices.Contains(notSettings, name) || fromCluster.MatchString(name) {
			continue
		}
		key := strings.ToLower(strings.TrimPrefix(name, "PUKAR_"))
		list, known := keys[key]
		if !known {
			d.unknown(scalar{Where: name}, key, key, sorted(keys))
			continue
		}
		value, err := fromText(text, name, list)
		if err != nil {
			d.problem(name, key, "%v", err)
			continue
		}
		l[key] = value
	}
	return l
}

// overrides turns flags into a layer.
func (d *decoder) overrides(given map[string]any) layer {
	keys, l := keysOf(), layer{}
	for _, key := range sorted(given) {
		where := "--" + strings.ReplaceAll(key, "_", "-")
		list, known := keys[key]
		if !known {
			d.unknown(scalar{Where: where}, key, key, sorted(keys))
			continue
		}
		value, err := fromGo(given[key], where, list)
		if err != nil {
			d.problem(where, key, "%v", err)
			continue
		}
		if value != nil {
			l[key] = value
		}
	}
	return l
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// readFiles replaces every KEY_file in the layer by KEY with the file's content, so that a layer's file counts as much
// as a value in the same layer would.
func (d *decoder) readFiles(tree any, path string, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice:
		items, _ := tree.([]any)
		for i, item := range items {
			d.readFiles(item, fmt.Sprintf("%s[%d]", path, i), t.Elem())
		}
		return
	case reflect.Struct:
	default:
		return
	}
	given, ok := tree.(map[string]any)
	if l, isLayer := tree.(layer); isLayer {
		given, ok = l, true
	}
	if !ok {
		return
	}
	for _, f := range fieldsOf(t) {
		if member, found := given[f.name]; found {
			d.readFiles(member, join(path, f.name), t.Field(f.at).Type)
		}
		named, found := given[f.name+"_file"]
		if !f.file || !found {
			continue
		}
		delete(given, f.name+"_file")
		d.readSecret(given, f.name, join(path, f.name+"_file"), named)
	}
}

// readSecret puts the content of the named file under the key, without the line break that editors add at the end.
func (d *decoder) readSecret(given map[string]any, key, path string, named any) {
	leaf, ok := named.(scalar)
	if !ok {
		d.problem(placeOf(named), path, "the path of a file is expected")
		return
	}
	if _, both := given[key]; both {
		d.problem(leaf.Where, path, "both %s and %s_file are given: keep one", key, key)
		return
	}
	text, err := os.ReadFile(leaf.Text)
	if err != nil {
		d.problem(leaf.Where, path, "%v", err)
		return
	}
	given[key] = scalar{Text: strings.TrimRight(string(text), "\r\n"), Quoted: true, Where: leaf.Where}
}
