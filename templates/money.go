package templates

import (
	"fmt"
	"strconv"
	"strings"
)

// Rupees is an amount in whole millionths of a rupee: a part costs fractions of a paisa, and a million of them must add up
// to the last one. The largest amount is 9,223,372,036,854 rupees.
type Rupees int64

const (
	millionths     = 1_000_000
	rupeeDecimals  = 6
	leastDecimals  = 4
	maxWholeRupees = 1_000_000_000
)

// ParseRupees reads a price as "0.1450": digits with at most six decimals, no sign, below a thousand million.
func ParseRupees(s string) (Rupees, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" || !allDigits(whole) || !allDigits(fraction) || strings.HasSuffix(s, ".") {
		return 0, fmt.Errorf("price %q: write rupees as 0.1450", s)
	}
	if len(fraction) > rupeeDecimals {
		return 0, fmt.Errorf("price %q: at most %d decimals", s, rupeeDecimals)
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n >= maxWholeRupees {
		return 0, fmt.Errorf("price %q: must be below %d rupees", s, maxWholeRupees)
	}
	part, err := strconv.ParseInt((fraction + "000000")[:rupeeDecimals], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("price %q: write rupees as 0.1450", s)
	}
	return Rupees(n*millionths + part), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Times multiplies a price by a number of parts.
func (r Rupees) Times(parts int64) Rupees { return r * Rupees(parts) }

// String writes the amount with four decimals, or as many more as it has.
func (r Rupees) String() string {
	sign := ""
	n := uint64(r)
	if r < 0 {
		sign, n = "-", -n
	}
	fraction := fmt.Sprintf("%06d", n%millionths)
	for len(fraction) > leastDecimals && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return fmt.Sprintf("%s%d.%s", sign, n/millionths, fraction)
}
