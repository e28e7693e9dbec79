package sample

import "strconv"

// dirt is what is wrong with a row, if anything.
type dirt int

// A draw of 0 to 999 falls on a flaw or, mostly, on none. Together they take 22 rows of 1,000.
const (
	dirtSheet    dirt = iota // the number became 7.00000E+09
	dirtLandline             // a landline with its area code
	dirtShort                // a digit is missing
	dirtTwice                // the row before once more
	dirtTwice2
	dirtTwice3
	dirtTwice4
	dirtNoName
	dirtNoName2
	dirtNoName3
	dirtNoName4
	dirtDistrict // two letters changed places
	dirtDistrict2
	dirtDistrict3
	dirtSpelling // an old name or spelling of the district
	dirtSpelling2
	dirtSpelling3
	dirtScripts // a name in two scripts
	dirtScripts2
	dirtWritten // +91 with spaces and hyphens
	dirtWritten2
	dirtDigits // Devanagari digits
	dirtNone
)

// dirtOf folds the shares of one flaw together.
func dirtOf(d dirt) dirt {
	switch d {
	case dirtTwice2, dirtTwice3, dirtTwice4:
		return dirtTwice
	case dirtNoName2, dirtNoName3, dirtNoName4:
		return dirtNoName
	case dirtDistrict2, dirtDistrict3:
		return dirtDistrict
	case dirtSpelling2, dirtSpelling3:
		return dirtSpelling
	case dirtScripts2:
		return dirtScripts
	case dirtWritten2:
		return dirtWritten
	}
	return min(d, dirtNone)
}

// number appends the number as lists have it.
func (m *maker) number(buf []byte, n int64, flaw dirt) []byte {
	switch flaw {
	case dirtSheet:
		return append(buf, "7.00000E+09"...)
	case dirtLandline:
		return append(buf, "0612-2345678"...)
	case dirtShort:
		return strconv.AppendInt(buf, n/10, 10)
	case dirtWritten:
		buf = append(buf, "+91 "...)
		buf = strconv.AppendInt(buf, n/100_000, 10)
		return appendPadded(append(buf, '-'), n%100_000, 5)
	case dirtDigits:
		for _, d := range strconv.FormatInt(n, 10) {
			buf = append(buf, string('०'+d-'0')...)
		}
		return buf
	}
	if n%3 == 0 {
		buf = append(buf, "91"...)
	}
	return strconv.AppendInt(buf, n, 10)
}

// misspelt swaps two letters in the middle of a name and doubles its last one, which makes it nobody's name.
func misspelt(name string) string {
	b := []byte(name)
	if k := len(b) / 2; k > 0 {
		b[k-1], b[k] = b[k], b[k-1]
	}
	return string(append(b, b[len(b)-1]))
}
