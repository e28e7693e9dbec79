package sample

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"pukar/internal/config"
)

//go:embed files
var files embed.FS

// FileNames are the files that WriteFiles writes.
func FileNames() []string {
	return []string{"contacts.csv", "onorc-intro.yaml", "onorc-bihar.yaml", "pukar.yaml"}
}

// File returns one of the example files.
func File(name string) ([]byte, error) {
	if name == "pukar.yaml" {
		return []byte(config.Example), nil
	}
	if !slices.Contains(FileNames(), name) {
		return nil, fmt.Errorf("sample file %s: there is none", name)
	}
	return files.ReadFile("files/" + name)
}

// WriteFiles writes the example files into a folder, making it where it is absent: contacts, a template, a campaign and a
// configuration, each with comments on its keys. It overwrites nothing: when one of the names is taken, none is written.
func WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("write sample files: %w", err)
	}
	var written []string
	for _, name := range FileNames() {
		path := filepath.Join(dir, name)
		if err := writeNew(path, name); err != nil {
			for _, w := range written {
				err = errors.Join(err, os.Remove(w))
			}
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("write sample files: %s is there already: choose another folder or move it away: %w", path, err)
			}
			return fmt.Errorf("write sample files: %w", err)
		}
		written = append(written, path)
	}
	return nil
}

func writeNew(path, name string) error {
	text, err := File(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the caller chose the folder
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
