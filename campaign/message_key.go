package campaign

import (
	"hash/fnv"
	"strconv"
	"strings"
)

// MessageKey is the canonical key of a message id within a message centre: what submissions are indexed
// by and receipts are looked up with. Case and leading zeros do not matter, because centres change both
// between the response and the receipt; the id as given is kept beside it.
func MessageKey(centre, id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(centre))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(foldID(id)))
	return int64(h.Sum64())
}

// foldID lower-cases an id and strips the zeros on its left, unless it is no plain number: in a UUID a
// leading zero is a digit like any other, and stays with the rest of it either way.
func foldID(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if !isHex(id) {
		return id
	}
	if stripped := strings.TrimLeft(id, "0"); stripped != "" {
		return stripped
	}
	return id
}

// How tells by which reading of its id a receipt was matched.
type How string

// The readings of an id, in the order in which they are tried, and the last resort.
const (
	HowExact   How = "exact"   // the same text
	HowFolded  How = "folded"  // other case or leading zeros
	HowDecimal How = "decimal" // the receipt's id is decimal, the response's hexadecimal
	HowHex     How = "hex"     // the receipt's id is hexadecimal, the response's decimal
	HowNumber  How = "number"  // no id fits, but one unknown message to this number
)

// Reading is one way to read the id of a receipt.
type Reading struct {
	Key int64
	How How
}

// Readings are the keys under which the submission of a receipt may stand, the likeliest first. Ids up
// to 64 bits unsigned are read in the other base too.
func Readings(centre, id string) []Reading {
	readings := []Reading{{Key: MessageKey(centre, id), How: HowFolded}}
	folded := foldID(id)
	if n, err := strconv.ParseUint(folded, 10, 64); err == nil {
		readings = append(readings, Reading{Key: MessageKey(centre, strconv.FormatUint(n, 16)), How: HowDecimal})
	}
	if n, err := strconv.ParseUint(folded, 16, 64); err == nil {
		readings = append(readings, Reading{Key: MessageKey(centre, strconv.FormatUint(n, 10)), How: HowHex})
	}
	return readings
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
