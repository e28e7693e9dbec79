package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pukar/internal/embedded"
	"pukar/web"
	"pukar/web/api"
	"pukar/web/client"
)

func TestCountGroupsDigitsAsInIndia(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 99999: "99,999", 100000: "1,00,000", 1234567: "12,34,567", 123456789: "12,34,56,789", -1000: "-1,000",
	} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestRupees(t *testing.T) {
	t.Parallel()
	for amount, want := range map[string]string{
		"": "", "0": "Rs 0.0000", "44.37": "Rs 44.3700", "0.1450": "Rs 0.1450", "1234567.891234": "Rs 12,34,567.891234",
	} {
		if got := rupees(amount); got != want {
			t.Errorf("rupees(%q) = %q, want %q", amount, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := printTable(&out, []column{left("name"), right("people")}, [][]string{{"मधेपुरा", "7"}, {"a\nb", "1,00,000"}}); err != nil {
		t.Fatal(err)
	}
	golden(t, "table", out.String())
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, exitOK},
		{"anything", errors.New("x"), exitFailed},
		{"usage", usage(errors.New("x")), exitUsage},
		{"not found", api.NewProblem(404, api.CodeNotFound, "x"), exitNotFound},
		{"conflict", api.NewProblem(409, api.CodeConflict, "x"), exitConflict},
		{"invalid", api.NewProblem(422, api.CodeInvalid, "x"), exitFailed},
		{"away", api.NewProblem(503, api.CodeUnavailable, "x"), exitUnavailable},
		{"no server", client.ErrNoServer, exitUnavailable},
		{"socket taken", web.ErrSocketBusy, exitConflict},
		{"home taken", &embedded.HeldError{Home: "x"}, exitConflict},
		{"not installed", embedded.ErrNotInstalled, exitUnavailable},
		{"said already", &quietError{exitConflict}, exitConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.err
			if err != nil {
				err = fmt.Errorf("wrapped: %w", err)
			}
			if got := exitCode(err); got != tt.want {
				t.Errorf("exitCode(%v) = %d, want %d", err, got, tt.want)
			}
		})
	}
}
