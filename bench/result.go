package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// result is everything that was found, as it is kept.
type result struct {
	At      time.Time `json:"at"`
	Commit  string    `json:"commit"` // with a plus where files were changed since
	Machine machine   `json:"machine"`
	Message string    `json:"message"`
	Window  int       `json:"window"`
	Trials  []trial   `json:"trials"` // the smallest first
}

// compare relates the time of a message to that at the smallest size.
func (r *result) compare() {
	first := r.Trials[0].Send.Seconds / float64(r.Trials[0].People)
	for i := range r.Trials {
		t := &r.Trials[i]
		t.Relative = t.Send.Seconds / float64(t.People) / first
	}
}

// problems is an error when anything did not add up.
func (r *result) problems() error {
	var errs []error
	for _, t := range r.Trials {
		for _, wrong := range t.Wrong {
			errs = append(errs, fmt.Errorf("%s people: %s", grouped(t.People), wrong))
		}
	}
	return errors.Join(errs...)
}

// fileName names the result by day, commit and message.
func (r *result) fileName() string {
	return fmt.Sprintf("%s-%s-%s.json", r.At.Format(time.DateOnly), strings.ReplaceAll(r.Commit, "+", "-changed"), r.Message)
}

// keep writes the result into a folder, which is taken from the module's root.
func (r *result) keep(root, folder string) (string, error) {
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(root, folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, r.fileName())
	return path, os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // figures, for everybody to read
}
