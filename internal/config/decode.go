package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder fills a Config from a tree and gathers what is wrong with it.
type decoder struct {
	problems []Problem
	places   map[string]string // path of a key that was given -> where it stands
}

// defaulter is what a struct offers to be filled before the given keys go over it.
type defaulter interface{ setDefaults() }

// field is one key of a struct.
type field struct {
	name string
	file bool // may be given as name_file
	at   int
}

// fieldsOf lists the keys of a struct type in their order.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("key"), ",")
		if name == "" {
			continue // not a setting
		}
		fields = append(fields, field{name: name, file: option == "file", at: i})
	}
	return fields
}

func (d *decoder) problem(where, key, format string, args ...any) {
	d.problems = append(d.problems, Problem{Where: where, Key: key, Text: fmt.Sprintf(format, args...)})
}

// structure fills target, a struct, from a mapping.
func (d *decoder) structure(tree any, path string, target reflect.Value) {
	if given, ok := target.Addr().Interface().(defaulter); ok {
		given.setDefaults()
	}
	fields := fieldsOf(target.Type())
	for _, f := range fields { // what is not given has its defaults too
		if member := target.Field(f.at); member.Kind() == reflect.Struct {
			d.structure(map[string]any(nil), join(path, f.name), member)
		}
	}
	given, ok := tree.(map[string]any)
	if !ok {
		d.problem(placeOf(tree), path, "a mapping of keys to values is expected")
		return
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	var keys []string
	for key := range given {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		i := slices.Index(names, key)
		if i < 0 {
			d.unknown(given[key], join(path, key), key, names)
			continue
		}
		d.places[join(path, key)] = placeOf(given[key])
		d.value(given[key], join(path, key), target.Field(fields[i].at))
	}
}

func (d *decoder) unknown(tree any, path, key string, known []string) {
	if near := nearest(key, known); near != "" {
		d.problem(placeOf(tree), path, "unknown key: did you mean %s?", near)
		return
	}
	d.problem(placeOf(tree), path, "unknown key: known are %s", strings.Join(known, ", "))
}

// value fills target from whatever stands at the path.
func (d *decoder) value(tree any, path string, target reflect.Value) {
	switch target.Kind() {
	case reflect.Struct:
		d.structure(tree, path, target)
		return
	case reflect.Slice:
		d.list(tree, path, target)
		return
	case reflect.Map:
		d.table(tree, path, target)
		return
	}
	leaf, ok := tree.(scalar)
	if !ok {
		d.problem(placeOf(tree), path, "a single value is expected")
		return
	}
	if target.Type() == reflect.TypeFor[time.Duration]() {
		length, err := time.ParseDuration(leaf.Text)
		if err != nil {
			d.problem(leaf.Where, path, "%q is not a duration: write a number with its unit, such as 500ms, 30s or 5m", leaf.Text)
		}
		target.SetInt(int64(length))
		return
	}
	switch target.Kind() {
	case reflect.String:
		target.SetString(leaf.Text)
	case reflect.Bool:
		on, known := map[string]bool{"true": true, "yes": true, "on": true, "false": false, "no": false, "off": false}[strings.ToLower(leaf.Text)]
		if !known {
			d.problem(leaf.Where, path, "%q is neither true nor false", leaf.Text)
		}
		target.SetBool(on)
	case reflect.Int:
		n, err := strconv.ParseInt(leaf.Text, 10, 32)
		if hex, found := strings.CutPrefix(strings.ToLower(leaf.Text), "0x"); found {
			n, err = strconv.ParseInt(hex, 16, 32)
		}
		if err != nil {
			d.problem(leaf.Where, path, "%q is not a whole number", leaf.Text)
		}
		target.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(leaf.Text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			d.problem(leaf.Where, path, "%q is not a number", leaf.Text)
			n = 0
		}
		target.SetFloat(n)
	default:
		panic("config: no rule to read a " + target.Kind().String())
	}
}

// list fills a slice anew: a later layer replaces the list of an earlier one and does not add to it.
func (d *decoder) list(tree any, path string, target reflect.Value) {
	items, ok := tree.([]any)
	if !ok {
		d.problem(placeOf(tree), path, "a list is expected: write [a, b] or one \"- …\" a line")
		return
	}
	target.Set(reflect.MakeSlice(target.Type(), len(items), len(items)))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at] = placeOf(item)
		d.value(item, at, target.Index(i))
	}
}

// table fills a map of texts by text, whose keys the configuration is free to choose.
func (d *decoder) table(tree any, path string, target reflect.Value) {
	items, ok := tree.(map[string]any)
	if !ok {
		d.problem(placeOf(tree), path, "a mapping is expected: write {key: value, …}")
		return
	}
	target.Set(reflect.MakeMapWithSize(target.Type(), len(items)))
	for _, key := range sorted(items) {
		at := join(path, key)
		d.places[at] = placeOf(items[key])
		value := reflect.New(target.Type().Elem()).Elem()
		d.value(items[key], at, value)
		target.SetMapIndex(reflect.ValueOf(key), value)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// placeOf finds where a value stands: at its first leaf. Keys are taken in order, so that the answer is always the same.
func placeOf(tree any) string {
	switch t := tree.(type) {
	case scalar:
		return t.Where
	case []any:
		for _, item := range t {
			if where := placeOf(item); where != "" {
				return where
			}
		}
	case map[string]any:
		best := ""
		for _, item := range t {
			where := placeOf(item)
			if best == "" || where != "" && (len(where) < len(best) || len(where) == len(best) && where < best) {
				best = where
			}
		}
		return best
	}
	return ""
}
