package coding_test

import (
	"testing"

	"pgregory.net/rapid"

	"pukar/smpp/coding"
)

func TestReferenceDiffersBetweenRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Int64().Draw(t, "key")
		run := rapid.Int32Range(1, 1<<30).Draw(t, "run")
		later := run + rapid.Int32Range(1, 65535).Draw(t, "runs between")
		if coding.Reference(key, run) == coding.Reference(key, later) {
			t.Fatalf("runs %d and %d share a reference for one number", run, later)
		}
		if coding.Reference(key, run) != coding.Reference(key, run) {
			t.Fatal("a retry gets another reference")
		}
	})
}

func TestReferenceSpreadsNumbers(t *testing.T) {
	t.Parallel()
	seen := make(map[uint16]int)
	for key := range int64(65536) {
		seen[coding.Reference(key*2654435761, 1)]++
	}
	if len(seen) < 30000 {
		t.Errorf("65536 numbers share %d references", len(seen))
	}
}
