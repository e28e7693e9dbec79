package audience

import (
	"fmt"
	"strconv"
	"strings"
)

// closed reads the values of closed lists and the numbers; it reports whether it wrote one.
func (r *rowReader) closed(c *importChunk, cells []span, i int, v []byte) bool {
	column := &r.plan.columns[i]
	s := string(v)
	refuse := func(reason string) bool {
		if !isUnknown(s) {
			r.problem(&r.wrong, i, reason)
		}
		return false
	}
	without := func(reason string) bool {
		if !isUnknown(s) {
			r.problem(&r.odd, i, reason)
		}
		return false
	}
	switch column.kind {
	case cellBool:
		yes, ok := parseBool(s)
		if !ok {
			return refuse(boolReason(s))
		}
		b := byte(0)
		if yes {
			b = 1
		}
		c.arena = append(c.arena, b)
	case cellAge:
		n, ok := parseWhole(s)
		if !ok || n > maxAge {
			return refuse("an age is a whole number of years from 0 to " + strconv.Itoa(maxAge))
		}
		c.arena = appendInt4(c.arena, r.ageOn)
		cells[r.plan.ageOn] = span{int32(len(c.arena) - 4), 4} //nolint:gosec // chunkBytes
		from := len(c.arena)
		c.arena = appendInt2(c.arena, n)
		cells[column.cell] = c.since(from)
		return false
	case cellBirthYear:
		n, ok := parseWhole(s)
		if !ok || n < firstYear || n > r.year {
			return refuse(fmt.Sprintf("a birth year has four digits, %d to %d", firstYear, r.year))
		}
		c.arena = appendInt2(c.arena, n)
	case cellDays:
		n, ok := parseWhole(s)
		if !ok || n > 366 {
			return refuse("days of the last 12 months are a whole number from 0 to 366")
		}
		c.arena = appendInt2(c.arena, n)
	case cellMoney:
		n, ok := parseMoney(s)
		if !ok {
			return refuse("an income is a number of rupees a month, such as 12000")
		}
		c.arena = appendInt4(c.arena, n)
	case cellGender:
		g, ok := parseGender(s)
		if !ok {
			return without(fmt.Sprintf("gender %s: known are male, female and other", quoted(s)))
		}
		c.arena = append(c.arena, g...)
	case cellLanguage:
		code, ok := ParseLanguage(s)
		if !ok {
			return without(fmt.Sprintf("unknown language %s: write its code or name, such as hi or Hindi", quoted(s)))
		}
		c.arena = append(c.arena, code...)
	case cellCardType:
		t, ok := parseCardType(s)
		if !ok {
			return without(fmt.Sprintf("kind of ration card %s: known are PHH, AAY and other", quoted(s)))
		}
		c.arena = append(c.arena, t...)
	case cellPincode:
		n, ok := parsePincode(s)
		if !ok {
			return without("a pincode has six digits")
		}
		c.arena = strconv.AppendInt(c.arena, n, 10)
	}
	return true
}

func boolReason(s string) string {
	if digits := strings.Trim(s, "0123456789 -"); digits == "" && len(s) > 3 {
		return "yes or no is wanted, never a number: account numbers are not kept"
	}
	return "yes or no is wanted: true, yes, y, 1, हाँ or false, no, n, 0, नहीं"
}

// quoted shows a value in a reason, cut where it is long.
func quoted(s string) string {
	const enough = 40
	if r := []rune(s); len(r) > enough {
		s = string(r[:enough]) + "…"
	}
	return strconv.Quote(s)
}
