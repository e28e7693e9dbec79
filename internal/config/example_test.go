package config

import (
	"reflect"
	"regexp"
	"testing"
	"time"
)

// commented is a key of the example that is not in force, as the example shows it.
var commented = regexp.MustCompile(`(?m)^( *)# ( *(?:- )?\{?[a-z_]+: *[^#\n]*?)( +#.*)?$`)

// everyKey collects the keys that a configuration can have.
func everyKey(t reflect.Type, keys map[string]bool) {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return
	}
	for _, f := range fieldsOf(t) {
		keys[f.name] = true
		everyKey(t.Field(f.at).Type, keys)
	}
}

func TestTheExampleExplainsEveryKey(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	everyKey(reflect.TypeFor[Config](), keys)
	delete(keys, "home") // it says where this file is: an environment variable or a flag
	if len(keys) < 40 {
		t.Fatalf("%d keys were found: %v", len(keys), keys)
	}
	for key := range keys {
		if !regexp.MustCompile(`\b`+key+`: *[^ ]`).MatchString(Example) && !regexp.MustCompile(`(?m)\b`+key+`:$`).MatchString(Example) {
			t.Errorf("the example does not show %s", key)
		}
	}
}

func TestEveryKeyThatTheExampleShowsIsAccepted(t *testing.T) {
	t.Parallel()
	asIs, err := Load(write(t, Example), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^# [a-z_]+_file:.*$`).ReplaceAllString(Example, "") // instead of the key without _file
	whole = commented.ReplaceAllString(whole, "$1$2")
	all, err := Load(write(t, whole), nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, whole)
	}
	r := all.Routes[0]
	if !all.ApprovalRequired() || all.DatabaseURL == "" || all.Socket == asIs.Socket || len(all.Inbound) != 1 || len(r.ErrorCodes) != 2 || r.Centre != "operator-a" {
		t.Errorf("read is %+v", all)
	}
	// What stands behind a # is the default.
	was := asIs.Routes[0]
	r.ErrorCodes, r.Centre, r.DLT, was.ErrorCodes, was.Centre, was.DLT = nil, "", DLT{}, nil, "", DLT{}
	if !reflect.DeepEqual(r, was) {
		t.Errorf("with all keys the route is\n%+v, without\n%+v", r, was)
	}
	if all.SoftStopTimeout != asIs.SoftStopTimeout || !reflect.DeepEqual(all.Roles, asIs.Roles) || all.LogFormat != asIs.LogFormat || all.LogLevel != asIs.LogLevel {
		t.Errorf("with all keys it is\n%+v, without\n%+v", all, asIs)
	}
}
