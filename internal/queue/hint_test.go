package queue

import (
	"errors"
	"testing"
)

func TestParseHintRefuses(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "1", "1:2", "1:2:3:4", "a:2:3", "1:2:", "+1:2:3", "01:2:3", "1:2:2147483648", " 1:2:3"} {
		if h, err := parseHint(payload); !errors.Is(err, ErrInvalidHint) {
			t.Errorf("parseHint(%q) = %v, %v, want ErrInvalidHint", payload, h, err)
		}
	}
}

func FuzzParseHint(f *testing.F) {
	for _, seed := range []string{"1:2:3", "0:0:0", "-1:2:3", "2147483647:1:1", "1:2", "1:2:3:", "१:2:3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		h, err := parseHint(payload)
		if err == nil && h.ID() != payload {
			t.Errorf("parseHint(%q) = %v, which writes %q", payload, h, h.ID())
		}
	})
}
