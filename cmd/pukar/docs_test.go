package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName  = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testFunc  = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
	inReadme  = regexp.MustCompile(`(?m)^    (pukar [a-z][^#\n]*)`)
	redirects = regexp.MustCompile(`\s+(&|&&.*)$`)
)

// Every test that docs/guarantees.md names is there.
func TestGuaranteesNameTests(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range testFunc.FindAllSubmatch(source, -1) {
			known[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "guarantees.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := testName.FindAllSubmatch(document, -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !known[string(name[1])] {
			t.Errorf("docs/guarantees.md names %s, which is not there", name[1])
		}
	}
}

var (
	inDocs = regexp.MustCompile("(?m)`(pukar [a-z][^`\n]*)`|^    (pukar [a-z][^#\n]*)")
	// What stands for a value, or may be left out, in a command line that documents quote.
	placeholder = regexp.MustCompile(`\[[^\]]*\]|…|\.\.\.`)
)

// Every command that a document names is there, with its flags.
func TestDocumentsNameCommands(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(paths, filepath.Join("..", "..", "README.md"), filepath.Join("..", "..", "CONTRIBUTING.md")) {
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range inDocs.FindAllSubmatch(document, -1) {
			text := redirects.ReplaceAllString(strings.TrimSpace(string(match[1])+string(match[2])), "")
			args := strings.Fields(placeholder.ReplaceAllString(text, ""))[1:]
			found++
			cmd, rest, err := tree().Find(args)
			if err != nil || cmd.HasSubCommands() && len(rest) > 0 || cmd == cmd.Root() {
				t.Errorf("%s: %q: no such command: %v", filepath.Base(path), text, err)
				continue
			}
			for _, word := range rest {
				name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
				if strings.HasPrefix(word, "--") && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: %q: no such flag: %s", filepath.Base(path), text, word)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands found", found)
	}
}

// Every command line of the README is one that the program understands.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := inReadme.FindAllSubmatch(document, -1)
	if len(lines) < 5 {
		t.Errorf("only %d commands found", len(lines))
	}
	for _, line := range lines {
		text := redirects.ReplaceAllString(strings.TrimSpace(string(line[1])), "")
		args := strings.Fields(text)[1:]
		cmd, rest, err := tree().Find(args)
		if err != nil || cmd.HasSubCommands() {
			t.Errorf("%q: no such command: %v", text, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
