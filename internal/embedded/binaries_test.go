package embedded

import (
	"errors"
	"strings"
	"testing"
)

func TestMissingVersionNamesThePackage(t *testing.T) {
	t.Parallel()
	_, err := findPostgres(t.Context(), 99)
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "apt-get install postgresql-99") {
		t.Errorf("got %v", err)
	}
}

func TestNewestVersionIsTaken(t *testing.T) {
	t.Parallel()
	programs, err := findPostgres(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	same, err := findPostgres(t.Context(), programs.major)
	if err != nil || same != programs {
		t.Errorf("asked for %d got %v, %v; want %v", programs.major, same, err, programs)
	}
}
