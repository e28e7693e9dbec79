package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pukar/internal/testenv"
)

var (
	anyNumber = regexp.MustCompile(`91\d{10}|\b[6-9]\d{9}\b`)
	snakeCase = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// A whole campaign with everything logged: stops, a start, a message that is none of ours, an error, a bind that goes and
// comes back. The log must serve whoever runs the machine and tell him nothing of the people.
func TestTheLogHoldsNoNumberTextOrPassword(t *testing.T) {
	t.Parallel()
	i := installWith(t, 0, "log_format: json\nlog_level: debug\n")
	i.ok("audience", "import", write(t, "people.csv", peopleFile), "--map", "Mobile No=msisdn")
	i.ok("template", "add", write(t, "intro.yaml", templateFile))
	i.ok("campaign", "create", write(t, "first.yaml", campaignFile))
	i.ok("optout", "add", "9812345604", "--evidence", "a letter")
	for _, word := range []string{"STOP", "START", "मेरा राशन कब मिलेगा 9812345601"} {
		if err := i.centre.Inject("919812345603", "919811100000", word); err != nil {
			t.Fatal(err)
		}
	}
	i.run("campaign", "launch", "first", "--expect", "17") // refused
	i.ok("campaign", "launch", "first")
	i.ok("campaign", "watch", "first")
	i.run("campaign", "test", "first", "--to", "919812345601") // refused: not a listed number
	i.run("audience", "explain", "919812345601")
	i.centre.DropAll()
	testenv.Eventually(t, 30*time.Second, "the bind to come back", func() bool { return strings.Count(i.log.String(), `"msg":"bound"`) >= 2 })
	i.stop()
	log := i.log.String()
	for _, secret := range []string{
		"secret", "राशन", "ration card", "नमस्ते", "Dear ", "STOP", "Asha", "Ravi", "a letter", `"bar"`, "919811100000",
	} {
		if at := strings.Index(log, secret); at >= 0 {
			t.Errorf("the log holds %q: …%s", secret, log[max(0, at-200):min(len(log), at+100)])
		}
	}
	if found := anyNumber.FindString(log); found != "" {
		at := strings.Index(log, found)
		t.Errorf("the log holds the number %s: %s", found, log[max(0, at-200):min(len(log), at+100)])
	}
	components := map[string]bool{}
	for line := range strings.Lines(log) {
		keys, err := keysOf([]byte(line))
		if err != nil {
			t.Fatalf("not a document: %v: %s", err, line)
		}
		seen := map[string]bool{}
		for _, key := range keys {
			if !snakeCase.MatchString(key) || seen[key] {
				t.Errorf("key %q is not in snake case, or stands twice: %s", key, line)
			}
			seen[key] = true
		}
		if fields := decode[map[string]any](t, line); fields["component"] != nil {
			components[fmt.Sprint(fields["component"])] = true
		}
	}
	for _, want := range []string{"smpp", "web", "sweeper"} {
		if !components[want] {
			t.Errorf("component %s says nothing: %v", want, components)
		}
	}
}

// keysOf lists the keys of the first level of a document, with those that stand there twice.
func keysOf(document []byte) (keys []string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
