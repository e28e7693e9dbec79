package templates

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRupees(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		parts int64
		want  string
	}{
		{"0.1450", 1, "0.1450"}, {"0.1450", 3, "0.4350"}, {"0.1450", 10_000_000, "1450000.0000"}, {"0.000001", 7, "0.000007"},
		{"12", 2, "24.0000"}, {"0", 5, "0.0000"}, {"0.12345", 1, "0.12345"}, {"999999999.999999", 1, "999999999.999999"},
	}
	for _, tt := range tests {
		price, err := ParseRupees(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := price.Times(tt.parts).String(); got != tt.want {
			t.Errorf("%s times %d = %s, want %s", tt.in, tt.parts, got, tt.want)
		}
	}
	if got := Rupees(-145_000).String(); got != "-0.1450" {
		t.Errorf("negative amount %s", got)
	}
	for _, in := range []string{"", ".5", "1.", "-1", "+1", "1e3", "0.1234567", "1000000000", "१", "1,5", "0x1", "99999999999999999999"} {
		if got, err := ParseRupees(in); err == nil {
			t.Errorf("%q reads as %s", in, got)
		}
	}
}

func TestRupeesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := Rupees(rapid.Int64Range(0, maxWholeRupees*millionths-1).Draw(t, "amount"))
		back, err := ParseRupees(amount.String())
		if err != nil || back != amount {
			t.Fatalf("%s reads back as %s (%v)", amount, back, err)
		}
	})
}
